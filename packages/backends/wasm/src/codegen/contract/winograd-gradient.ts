// Weight gradients of 3 × 3 convolutions by minimal filtering (filtering.ts): tiles of 2 × 2 (4 × 4) incoming gradients slide
// over tiles of 4 × 4 (6 × 6) inputs. Σ over tiles of (G g Gᵀ) ⊙ (Bᵀ d B) is a matrix product for each position of a tile;
// one Aᵀ m A at the end gives the 3 × 3 taps.
import { loopCount, type ContractKernel } from '@athanor/core/backend';
import type { Code, Local } from '../../assembler/code.ts';
import { at } from '../at.ts';
import { splatBytes } from '../lanes.ts';
import type { KernelShape } from '../loop.ts';
import { mergedAxis } from './axes.ts';
import { emitFor, makeLocals, offsetBy, releaseLocals } from './emit-for.ts';
import { Epilogue } from './epilogue.ts';
import { fourGradients, Transforms, twoGradients, type GradientFiltering } from './filtering.ts';
import { columnsOf, panelRows } from './micro.ts';
import { Odometer } from './odometer.ts';
import { emitTranspose } from './pack.ts';
import { emitPanels } from './panels.ts';
import type { TiledOptions } from './tiled.ts';
import { emitExtent, emitIndices, emitUnits, operandAddress, scratchPlace } from './units.ts';

const taps = 9;
/** Tiles that are summed before the products are added up. */
const blockTiles = 48;
const largestScratch = 16 * 1024 * 1024;

interface Plan {
  readonly filtering: GradientFiltering;
  readonly channels: number;
  readonly outputs: number;
  /** Of the incoming gradient. */
  readonly height: number;
  readonly width: number;
  /** Tiles of a tile row; tile rows of an image, of a block and of everything. */
  readonly tilesWide: number;
  readonly tilesHigh: number;
  readonly blockRows: number;
  readonly tileRows: number;
  /** Bytes between image rows of the incoming gradient and of the input. */
  readonly gradientRow: number;
  readonly inputRow: number;
  /** Channels of a unit of work. */
  readonly unitChannels: number;
}

/** How a contraction is computed this way, if it is the weight gradient of a plain 3 × 3 convolution that is large enough. */
export function gradientPlan(kernel: ContractKernel, columnStep: number): Plan | undefined {
  const { batch, m, n, k, a, b } = kernel;
  const [ky, kx] = n.slice(-2);
  const [height, width] = k.slice(-2);
  if (n.length < 3 || k.length < 2 || ky !== 3 || kx !== 3 || height === undefined || width === undefined) return undefined;
  const [endN, endK] = [batch.length + m.length + n.length, batch.length + m.length + n.length + k.length];
  const strideB = (loop: number) => b.index.strides[loop] ?? 0;
  const strideA = (loop: number) => a.index.strides[loop] ?? 0;
  const plain = strideB(endN - 1) === 1 && strideB(endK - 1) === 1 && strideA(endK - 1) === 1 && strideB(endN - 2) === strideB(endK - 2);
  if (!plain) return undefined;
  if ([strideA(endK - 2), strideB(endK - 2)].some((stride) => stride < width || stride > 4096)) return undefined;
  const [channels, outputs, images] = [loopCount(n.slice(0, -2)), loopCount(m), loopCount(k.slice(0, -2))];
  if (channels < 8 || outputs < 8 || height < 4 || width < 4) return undefined;
  // Two units where there are two panels of channels.
  const panels = Math.ceil(channels / columnStep);
  const unitChannels = panels > 1 ? Math.ceil(panels / 2) * columnStep : channels;
  const columns = Math.ceil(unitChannels / columnStep) * columnStep;
  const plans = [twoGradients, fourGradients].flatMap((filtering) => {
    const [tilesWide, tilesHigh] = [Math.ceil(width / filtering.gradients), Math.ceil(height / filtering.gradients)];
    const tileRows = images * tilesHigh;
    const blockRows = Math.min(tileRows, Math.ceil(blockTiles / tilesWide));
    const bytes = filtering.size ** 2 * 4 * (blockRows * tilesWide * (columns + outputs + panelRows) + outputs * columns);
    if (bytes > largestScratch) return [];
    const plan = { filtering, channels, outputs, height, width, tilesWide, tilesHigh, blockRows, tileRows, gradientRow: strideA(endK - 2) * 4, inputRow: strideB(endK - 2) * 4, unitChannels };
    return [{ plan, products: filtering.size ** 2 * tilesWide * tilesHigh }];
  });
  return plans.sort((one, other) => one.products - other.products)[0]?.plan;
}

export function emitGradient(code: Code, kernel: ContractKernel, plan: Plan, options: TiledOptions): KernelShape {
  return new GradientEmitter(code, kernel, plan, options).emit();
}

class GradientEmitter {
  private readonly code: Code;
  private readonly kernel: ContractKernel;
  private readonly plan: Plan;
  private readonly options: TiledOptions;
  private readonly transforms: Transforms;
  private readonly tiles: number;
  private readonly columns: number;
  private readonly panels: number;
  /** Positions of a transformed tile. */
  private readonly positions: number;
  private readonly gradientStep: number;
  private readonly inputStep: number;
  private readonly productStep: number;

  constructor(code: Code, kernel: ContractKernel, plan: Plan, options: TiledOptions) {
    const width = columnsOf(options.tile);
    this.code = code;
    this.kernel = kernel;
    this.plan = plan;
    this.options = options;
    this.transforms = new Transforms(code, options.fused);
    this.tiles = plan.blockRows * plan.tilesWide;
    this.columns = Math.ceil(plan.unitChannels / width) * width;
    this.panels = Math.ceil(plan.outputs / panelRows);
    this.positions = plan.filtering.size ** 2;
    const padded = (bytes: number) => (Math.ceil(bytes / 128) * 2 + 1) * 64;
    this.gradientStep = padded(this.panels * this.tiles * panelRows * 4);
    this.inputStep = padded(this.columns * this.tiles * 4);
    this.productStep = padded(plan.outputs * this.columns * 4);
  }

  emit(): KernelShape {
    const { code, kernel, plan, positions } = this;
    const batch = loopCount(kernel.batch);
    const splits = Math.ceil(plan.channels / plan.unitChannels);
    const inputs = positions * this.gradientStep;
    const products = inputs + positions * this.inputStep;
    const sums = products + positions * this.productStep;
    const pitch = this.columns * taps * 4;
    const [group, firstChannel, channels] = [code.local('i32'), code.local('i32'), code.local('i32')];
    const place = (offset: number) => scratchPlace(code, offset);
    const places = { gradients: place(0), inputs: place(inputs), products: place(products), sums: place(sums) };
    const batchIndices = makeLocals(code, 'i32', kernel.batch.length);
    emitUnits(code, (unit) => {
      code.get(unit).i32(splits).op('i32.rem_u').i32(plan.unitChannels).op('i32.mul').set(firstChannel);
      emitExtent(code, firstChannel, plan.unitChannels, plan.channels, channels);
      code.get(unit).i32(splits).op('i32.div_u').set(group);
      emitIndices(code, group, kernel.batch, batchIndices);
      this.emitBlocks(batchIndices, firstChannel, channels, places);
      this.emitTaps(places.products, places.sums, pitch);
      this.emitEpilogue(batchIndices, firstChannel, channels, places.sums, pitch);
    });
    const images = plan.tileRows / plan.tilesHigh;
    const flops = 2 * batch * images * plan.height * plan.width * plan.outputs * plan.channels * taps;
    return { units: batch * splits, cost: flops / 50, scratch: sums + plan.outputs * pitch };
  }

  /** Tile rows of all images, one after the other. */
  private rowWalk(side: 'a' | 'b'): Odometer {
    const { kernel, code } = this;
    const { strides } = kernel[side].index;
    const first = kernel.batch.length + kernel.m.length + kernel.n.length;
    const images = kernel.k.slice(0, -2);
    const { tilesHigh, filtering } = this.plan;
    const sizes = [...images, tilesHigh];
    const bytes = [...images.map((_, i) => (strides[first + i] ?? 0) * 4), (strides[first + images.length] ?? 0) * 4 * filtering.gradients];
    return new Odometer(code, sizes, bytes);
  }

  private emitBlocks(batchIndices: readonly Local[], firstChannel: Local, channels: Local, places: { gradients: Local; inputs: Local; products: Local }): void {
    const { code, kernel, plan } = this;
    const { strides: stridesA } = kernel.a.index;
    const outputAxis = mergedAxis(kernel.m, kernel.batch.length, [stridesA]);
    const channelAxis = mergedAxis(kernel.n.slice(0, -2), kernel.batch.length + kernel.m.length, [kernel.b.index.strides]);
    const outputWalk = new Odometer(code, outputAxis.sizes, at(outputAxis.strides, 0).map((stride) => stride * 4));
    const channelWalk = new Odometer(code, channelAxis.sizes, at(channelAxis.strides, 0).map((stride) => stride * 4));
    const [gradient, input] = [operandAddress(code, this.kernel, 'a', batchIndices), operandAddress(code, this.kernel, 'b', batchIndices)];
    const [gradientRows, inputRows] = [this.rowWalk('a'), this.rowWalk('b')];
    const [depth, left, first, count, zero, lastOutput, lastChannel] = makeLocals(code, 'i32', 7);
    if (!depth || !left || !first || !count || !zero || !lastOutput || !lastChannel) return;
    code.i32(0).set(zero);
    code.i32(plan.outputs - 1).set(lastOutput);
    code.get(firstChannel).get(channels).op('i32.add').i32(1).op('i32.sub').set(lastChannel);
    code.i32(plan.tileRows).set(left);
    const blocks = code.loop();
    code.i32(plan.tileRows).get(left).op('i32.sub').set(first);
    code.i32(plan.blockRows).get(left).i32(plan.blockRows).get(left).op('i32.lt_s').op('select').tee(count).i32(plan.tilesWide).op('i32.mul').set(depth);
    const rows = { first, count };
    this.emitLanes({ walk: outputWalk, from: gradient, first: zero, last: lastOutput, depth, to: places.gradients, width: panelRows }, (lanes, to) =>
      this.emitTileRows(gradientRows, rows, lanes, (row, inside) => this.emitGradientTiles(row, to, inside)),
    );
    this.emitLanes({ walk: channelWalk, from: input, first: firstChannel, last: lastChannel, depth, to: places.inputs, width: columnsOf(this.options.tile) }, (lanes, to) =>
      this.emitTileRows(inputRows, rows, lanes, (row, inside) => this.emitInputTiles(row, to, inside)),
    );
    this.emitProducts(places, depth, left);
    code.get(left).get(count).op('i32.sub').tee(left).brIf(blocks);
    code.end();
    for (const walk of [outputWalk, channelWalk, gradientRows, inputRows]) walk.release();
    releaseLocals(code, [gradient, input, depth, left, first, count, zero, lastOutput, lastChannel]);
  }

  /** Runs `emit` for four rows (outputs or channels) at a time, with their addresses and the place of the first tile in a panel. */
  private emitLanes(job: { walk: Odometer; from: Local; first: Local; last: Local; depth: Local; to: Local; width: number }, emit: (lanes: readonly Local[], to: Local) => void): void {
    const { code } = this;
    const { walk, from, first, last, depth, to: base, width } = job;
    const lanes = makeLocals(code, 'i32', 4);
    const [row, place, to] = [code.local('i32'), code.local('i32'), code.local('i32')];
    code.get(first).set(row);
    code.i32(0).set(place);
    const loop = code.loop();
    // Rows that do not exist repeat the last one.
    walk.start(row);
    lanes.forEach((lane, i) => {
      if (i > 0) {
        code.get(row).i32(i).op('i32.add').get(last).op('i32.le_s').if();
        walk.next();
        code.end();
      }
      code.get(from).get(walk.offset).op('i32.add').set(lane);
    });
    // [panel][tile][width]
    code.get(place).i32(width).op('i32.div_u').get(depth).op('i32.mul').i32(width).op('i32.mul');
    code.get(place).i32(width).op('i32.rem_u').op('i32.add').i32(4).op('i32.mul').get(base).op('i32.add').set(to);
    emit(lanes, to);
    code.advance(place, 4).advance(row, 4).get(row).get(last).op('i32.le_s').brIf(loop);
    code.end();
    releaseLocals(code, [...lanes, row, place, to]);
  }

  /**
   * Runs `emit` for each tile row of a block, with the addresses of its lanes and a mask that is off in an image's last tile
   * row, if that has fewer lines than others. A lane's rows come one after the other, as they lie in memory: prefetchers
   * follow only so many lanes at a time.
   */
  private emitTileRows(walk: Odometer, { first, count }: { first: Local; count: Local }, lanes: readonly Local[], emit: (lanes: readonly Local[], inside: Local | undefined) => void): void {
    const { code, plan } = this;
    const inside = plan.height % plan.filtering.gradients === 0 ? undefined : code.local('v128');
    const current = makeLocals(code, 'i32', 4);
    walk.start(first);
    emitFor(code, count, (counter) => {
      if (inside !== undefined) {
        code.i32(0);
        if (walk.innermost === undefined) code.get(first).get(counter).op('i32.add');
        else code.get(walk.innermost);
        code.i32(plan.tilesHigh - 1).op('i32.ne').op('i32.sub').op('i32x4.splat').set(inside);
      }
      current.forEach((lane, i) => code.get(at(lanes, i)).get(walk.offset).op('i32.add').set(lane));
      emit(current, inside);
      walk.next();
    });
    releaseLocals(code, inside === undefined ? current : [...current, inside]);
  }

  /** Runs `emit` for every four columns, and for those that are left at the end of a tile row. */
  private emitFours(lanes: readonly Local[], to: Local, width: number, emit: (columns: number, tiles: number) => void): void {
    const { code, plan } = this;
    const { gradients } = plan.filtering;
    const four = (columns: number) => {
      const tiles = Math.ceil(columns / gradients);
      emit(columns, tiles);
      for (const lane of lanes) code.advance(lane, 16);
      code.advance(to, tiles * width * 4);
    };
    emitFor(code, Math.floor(plan.width / 4), () => four(4));
    if (plan.width % 4 > 0) four(plan.width % 4);
  }

  /** G g Gᵀ without its factors; lanes are outputs. */
  private emitGradientTiles(lanes: readonly Local[], to: Local, inside: Local | undefined): void {
    const { plan, transforms, code } = this;
    const { filtering, height, gradientRow } = plan;
    const { gradients } = filtering;
    this.emitFours(lanes, to, panelRows, (columns, tiles) => {
      const rows = Array.from({ length: gradients }, (_, y) => this.loadColumns(lanes, y * gradientRow, columns, y < height % gradients ? undefined : inside));
      for (let tile = 0; tile < tiles; tile++) {
        const parts = rows.map((row) => () => row.slice(tile * gradients, (tile + 1) * gradients));
        transforms.tile(filtering.gradient, parts, to, (position) => position * this.gradientStep + tile * panelRows * 4);
      }
      releaseLocals(code, rows.flatMap((row) => row.slice(tiles * gradients)));
    });
  }

  /** Four neighbouring columns of one image row, zero from some column on and where `inside` is; lanes are the four addresses' rows. */
  private loadColumns(lanes: readonly Local[], offset: number, existing: number, inside: Local | undefined): Local[] {
    const { code } = this;
    const lines = lanes.map((lane) => {
      const line = code.local('v128');
      code.get(lane).memory('v128.load', offset);
      if (inside !== undefined) code.get(inside).op('v128.and');
      code.set(line);
      return line;
    });
    const columns = makeLocals(code, 'v128', 4);
    emitTranspose(code, lines, (i, push) => {
      if (i < existing) push();
      else code.get(code.constant(splatBytes(0, 'float32')));
      code.set(at(columns, i));
    });
    releaseLocals(code, lines);
    return columns;
  }

  /** Bᵀ d B, keeping the two columns that neighbours share; lanes are channels. */
  private emitInputTiles(lanes: readonly Local[], to: Local, inside: Local | undefined): void {
    const { code, plan, transforms } = this;
    const { filtering, height, inputRow } = plan;
    const { gradients, size } = filtering;
    const width = columnsOf(this.options.tile);
    const end = (height % gradients) + 2;
    /** Columns whose values are transformed along the image's height. */
    const load = (columns: number): Local[][] => {
      const rows = Array.from({ length: size }, (_, y) => this.loadColumns(lanes, y * inputRow, columns, y < end ? undefined : inside));
      const transformed = [0, 1, 2, 3].map((x) => filtering.input(transforms, rows.map((row) => at(row, x))));
      releaseLocals(code, rows.flat());
      return transformed;
    };
    const kept = [makeLocals(code, 'v128', size), makeLocals(code, 'v128', size)];
    const keep = (columns: readonly (readonly Local[])[]) =>
      columns.forEach((values, x) => values.forEach((value, y) => code.get(value).set(at(at(kept, x), y))));
    const start = load(4);
    keep(start.slice(0, 2));
    releaseLocals(code, start.flat());
    for (const lane of lanes) code.advance(lane, 8);
    this.emitFours(lanes, to, width, (existing, tiles) => {
      const columns = load(existing);
      const all = [...kept, ...columns];
      for (let tile = 0; tile < tiles; tile++) {
        const first = tile * gradients;
        transforms.across(filtering.input, all.slice(first, first + size), to, (y, x) => (size * y + x) * this.inputStep + tile * width * 4);
      }
      keep(columns.slice(2));
      releaseLocals(code, columns.flat());
    });
    releaseLocals(code, kept.flat());
  }

  /** For each position: products (+)= gradients · inputs over the block's tiles. */
  private emitProducts({ gradients, inputs, products }: { gradients: Local; inputs: Local; products: Local }, depth: Local, left: Local): void {
    const { code, plan, columns } = this;
    const { micro, tile } = this.options;
    emitFor(code, this.positions, (position) => {
      const at = (base: Local, step: number) => offsetBy(code, base, position, step);
      const places = { a: at(gradients, this.gradientStep), b: at(inputs, this.inputStep), c: at(products, this.productStep) };
      const adds = () => code.get(left).i32(plan.tileRows).op('i32.ne');
      emitPanels(code, { ...places, rows: plan.outputs, depth, columns, adds }, { micro, tile });
      releaseLocals(code, Object.values(places));
    });
  }

  /** Aᵀ m A for four channels at a time, into [output][channel][tap]. */
  private emitTaps(products: Local, sums: Local, pitch: number): void {
    const { code, plan, columns, transforms } = this;
    const { filtering } = plan;
    const { size } = filtering;
    const [from, to] = [code.local('i32'), code.local('i32')];
    emitFor(code, plan.outputs, (output) => {
      code.get(products).get(output).i32(columns * 4).op('i32.mul').op('i32.add').set(from);
      code.get(sums).get(output).i32(pitch).op('i32.mul').op('i32.add').set(to);
      emitFor(code, columns / 4, () => {
        const lines = Array.from({ length: size }, (_, y) => {
          const m = makeLocals(code, 'v128', size);
          m.forEach((local, x) => code.get(from).memory('v128.load', (size * y + x) * this.productStep).set(local));
          const line = filtering.taps(transforms, m);
          releaseLocals(code, m);
          return line;
        });
        for (let x = 0; x < 3; x++) {
          const column = filtering.taps(transforms, lines.map((line) => at(line, x)));
          column.forEach((value, y) => {
            for (let lane = 0; lane < 4; lane++) code.get(to).get(value).memoryLane('v128.store32_lane', (lane * taps + 3 * y + x) * 4, lane);
          });
          releaseLocals(code, column);
        }
        releaseLocals(code, lines.flat());
        code.advance(from, 16).advance(to, 4 * taps * 4);
      });
    });
    releaseLocals(code, [from, to]);
  }

  private emitEpilogue(batchIndices: readonly Local[], firstChannel: Local, channels: Local, sums: Local, pitch: number): void {
    const { code, plan } = this;
    const [firstRow, rows, firstColumn, columns] = [code.local('i32'), code.local('i32'), code.local('i32'), code.local('i32')];
    code.i32(0).set(firstRow);
    code.i32(plan.outputs).set(rows);
    code.get(firstChannel).i32(taps).op('i32.mul').set(firstColumn);
    code.get(channels).i32(taps).op('i32.mul').set(columns);
    new Epilogue(code, this.kernel, this.options).emit(batchIndices, { sums, pitch, firstRow, rows, firstColumn, columns });
    releaseLocals(code, [firstRow, rows, firstColumn, columns]);
  }
}
