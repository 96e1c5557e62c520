// 3 × 3 convolutions by Winograd's F(2 × 2, 3 × 3) (Lavin & Gray 2015): 16 multiplications for 4 outputs instead of 36.
// A block of tile rows of one image at a time: input tiles Bᵀ d B, 16 products over the channels, then Aᵀ m A.
import { loopCount, type ContractKernel } from '@athanor/core/backend';
import type { Code, Local } from '../../assembler/code.ts';
import { at } from '../at.ts';
import { evenWords, splatBytes } from '../lanes.ts';
import type { KernelShape } from '../loop.ts';
import { mergedAxis } from './axes.ts';
import { emitFor, makeLocals } from './emit-for.ts';
import { Epilogue } from './epilogue.ts';
import { columnsOf, microIndex, panelRows } from './micro.ts';
import { Odometer } from './odometer.ts';
import type { TiledOptions } from './tiled.ts';
import { emitIndices, emitUnits, operandAddress, scratchPlace } from './units.ts';

/** Positions of a transformed tile. */
const positions = 16;
/** Bytes of transformed inputs and products that a block may take: they should stay in the second-level cache. */
const blockBytes = 704 * 1024;
const largestTiles = 80;

interface Plan {
  readonly channels: number;
  readonly rows: number;
  readonly height: number;
  readonly width: number;
  /** Tiles of a tile row, rounded up to whole vectors; tile rows of a block. */
  readonly tilesWide: number;
  readonly tileRows: number;
  /** Bytes between rows of the input. */
  readonly rowBytes: number;
}

/** How a contraction is computed this way, if it is a 3 × 3 convolution that is large enough. The batch plays no part. */
export function winogradPlan(kernel: ContractKernel, columnStep: number): Plan | undefined {
  const { batch, m, n, k, b } = kernel;
  const [ky, kx] = k.slice(-2);
  const [height, width] = n.slice(-2);
  if (k.length < 3 || n.length < 2 || ky !== 3 || kx !== 3 || height === undefined || width === undefined) return undefined;
  const end = batch.length + m.length + n.length;
  const stride = (loop: number) => b.index.strides[loop] ?? 0;
  const rowStride = stride(end - 2);
  if (stride(end - 1) !== 1 || stride(end + k.length - 1) !== 1 || stride(end + k.length - 2) !== rowStride || rowStride < width) return undefined;
  const [channels, rows] = [loopCount(k.slice(0, -2)), loopCount(m)];
  if (channels < 8 || rows < 8 || height < 4 || width < 4 || rowStride > 4096) return undefined;
  const tilesWide = Math.ceil(Math.ceil(width / 2) / 4) * 4;
  const needed = Math.ceil(height / 2);
  // Whole column panels, as many tile rows as the cache holds.
  const step = columnStep / greatestCommonDivisor(columnStep, tilesWide);
  const fits = Math.min(largestTiles, blockBytes / (positions * 4 * (channels + rows))) / tilesWide;
  const most = Math.max(1, Math.floor(fits / step)) * step;
  // Blocks of one height: a last one with fewer tile rows would be computed whole.
  const tileRows = Math.ceil(needed / Math.ceil(needed / most) / step) * step;
  if (tileRows * tilesWide * positions * 4 * (channels + rows) > 4 * blockBytes) return undefined;
  return { channels, rows, height, width, tilesWide, tileRows, rowBytes: rowStride * 4 };
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}

export function emitWinograd(code: Code, kernel: ContractKernel, plan: Plan, options: TiledOptions): KernelShape {
  return new WinogradEmitter(code, kernel, plan, options).emit();
}

class WinogradEmitter {
  private readonly code: Code;
  private readonly kernel: ContractKernel;
  private readonly plan: Plan;
  private readonly options: TiledOptions;
  private readonly tiles: number;
  private readonly images: number;
  private readonly blocks: number;
  /** Bytes between positions: of transformed weights, inputs, products. */
  private readonly weightStep: number;
  private readonly inputStep: number;
  private readonly productStep: number;
  /** Floats between rows of outputs in scratch. */
  private readonly outputWidth: number;

  constructor(code: Code, kernel: ContractKernel, plan: Plan, options: TiledOptions) {
    const { channels, rows, height, tilesWide, tileRows } = plan;
    this.code = code;
    this.kernel = kernel;
    this.plan = plan;
    this.options = options;
    this.tiles = tilesWide * tileRows;
    this.images = loopCount(kernel.n.slice(0, -2));
    this.blocks = Math.ceil(Math.ceil(height / 2) / tileRows);
    // An odd number of cache lines keeps the planes off each other's cache sets.
    const padded = (bytes: number) => (Math.ceil(bytes / 128) * 2 + 1) * 64;
    this.weightStep = padded(Math.ceil(rows / panelRows) * channels * panelRows * 4);
    this.inputStep = padded(channels * this.tiles * 4);
    this.productStep = padded(rows * this.tiles * 4);
    this.outputWidth = 2 * tilesWide;
  }

  emit(): KernelShape {
    const { code, kernel, blocks, images, plan } = this;
    const batch = loopCount(kernel.batch);
    const [weights, inputs] = [0, positions * this.weightStep];
    const products = inputs + positions * this.inputStep;
    const sums = products + positions * this.productStep;
    const place = (offset: number) => scratchPlace(code, offset);
    const places = { weights: place(weights), inputs: place(inputs), products: place(products), sums: place(sums) };
    const [block, image, group, known] = [code.local('i32'), code.local('i32'), code.local('i32'), code.local('i32')];
    const batchIndices = kernel.batch.map(() => code.local('i32'));
    code.i32(-1).set(known);
    emitUnits(code, (unit) => {
      code.get(unit).i32(blocks).op('i32.rem_u').set(block);
      code.get(unit).i32(blocks).op('i32.div_u').tee(image).i32(images).op('i32.div_u').set(group);
      code.get(image).i32(images).op('i32.rem_u').set(image);
      // Weights are transformed once for each group.
      code.get(group).get(known).op('i32.ne').if();
      code.get(group).set(known);
      emitIndices(code, group, kernel.batch, batchIndices);
      this.emitWeights(operandAddress(code, kernel, 'a', batchIndices), places.weights);
      code.end();
      this.emitInputs(this.imageAddress(batchIndices, image), block, places.inputs);
      this.emitProducts(places);
      this.emitOutputs(places);
      this.emitEpilogue(batchIndices, image, block, places.sums);
    });
    const flops = 2 * batch * images * plan.height * plan.width * plan.rows * plan.channels * 9;
    return { units: batch * images * blocks, cost: flops / 50, scratch: sums + plan.rows * 4 * this.tiles * 4 + 64 };
  }

  private imageAddress(batchIndices: readonly Local[], image: Local): Local {
    const { code, kernel } = this;
    const local = operandAddress(code, kernel, 'b', batchIndices);
    const axis = mergedAxis(kernel.n.slice(0, -2), kernel.batch.length + kernel.m.length, [kernel.b.index.strides]);
    const odometer = new Odometer(code, axis.sizes, at(axis.strides, 0).map((stride) => stride * 4));
    odometer.start(image);
    code.get(local).get(odometer.offset).op('i32.add').set(local);
    odometer.release();
    return local;
  }

  private channelWalk(side: 'a' | 'b'): Odometer {
    const { kernel } = this;
    const axis = mergedAxis(kernel.k.slice(0, -2), kernel.batch.length + kernel.m.length + kernel.n.length, [kernel[side].index.strides]);
    return new Odometer(this.code, axis.sizes, at(axis.strides, 0).map((stride) => stride * 4));
  }

  /** G g Gᵀ for four rows at a time, into panels [position][panel][channel][12]. */
  private emitWeights(address: Local, weights: Local): void {
    const { code, kernel, plan } = this;
    const { strides } = kernel.a.index;
    const axis = mergedAxis(kernel.m, kernel.batch.length, [strides]);
    const rowWalk = new Odometer(code, axis.sizes, at(axis.strides, 0).map((stride) => stride * 4));
    const channelWalk = this.channelWalk('a');
    const last = kernel.batch.length + kernel.m.length + kernel.n.length + kernel.k.length;
    const [strideY, strideX] = [(strides[last - 2] ?? 0) * 4, (strides[last - 1] ?? 0) * 4];
    const taps = Array.from({ length: 9 }, () => code.local('v128'));
    const half = code.constant(splatBytes(0.5, 'float32'));
    const [row, to, lane] = [code.local('i32'), code.local('i32'), code.local('i32')];
    const quads = Math.ceil(plan.rows / 4);
    const lanes = [code.local('i32'), code.local('i32'), code.local('i32'), code.local('i32')];
    emitFor(code, quads, (quad) => {
      lanes.forEach((local, i) => {
        // Rows that do not exist repeat the last one.
        code.get(quad).i32(4).op('i32.mul').i32(i).op('i32.add').tee(row).i32(plan.rows - 1).get(row).i32(plan.rows - 1).op('i32.lt_s').op('select').set(row);
        rowWalk.start(row);
        code.get(address).get(rowWalk.offset).op('i32.add').set(local);
      });
      code.get(quad).i32(3).op('i32.div_u').i32(plan.channels * panelRows * 4).op('i32.mul');
      code.get(quad).i32(3).op('i32.rem_u').i32(16).op('i32.mul').op('i32.add').get(weights).op('i32.add').set(to);
      code.i32(0).set(row);
      channelWalk.start(row);
      emitFor(code, plan.channels, () => {
        taps.forEach((tap, i) => {
          const offset = Math.floor(i / 3) * strideY + (i % 3) * strideX;
          lanes.forEach((local, j) => {
            code.get(local).get(channelWalk.offset).op('i32.add').i32(offset).op('i32.add').set(lane).get(lane);
            if (j === 0) code.memory('v128.load32_zero').set(tap);
            else code.get(tap).memoryLane('v128.load32_lane', 0, j).set(tap);
          });
        });
        channelWalk.next();
        const columns = [0, 1, 2].map((x) => this.weightTransform([0, 1, 2].map((y) => at(taps, 3 * y + x)), half));
        for (let y = 0; y < 4; y++) {
          const values = this.weightTransform(columns.map((column) => at(column, y)), half);
          values.forEach((value, x) => code.get(to).get(value).memory('v128.store', (4 * y + x) * this.weightStep));
          this.release(values, columns.map((column) => at(column, y)));
        }
        for (const column of columns) this.release(column, taps);
        code.advance(to, panelRows * 4);
      });
    });
    rowWalk.release();
    channelWalk.release();
    for (const local of [...taps, ...lanes, row, to, lane, address]) code.release(local);
  }

  /** [g0, (g0 + g2 + g1) / 2, (g0 + g2 − g1) / 2, g2]. */
  private weightTransform(g: readonly Local[], half: Local): Local[] {
    const { code } = this;
    const [g0, g1, g2] = [at(g, 0), at(g, 1), at(g, 2)];
    const [sum, plus, minus] = [code.local('v128'), code.local('v128'), code.local('v128')];
    code.get(g0).get(g2).op('f32x4.add').set(sum);
    code.get(sum).get(g1).op('f32x4.add').get(half).op('f32x4.mul').set(plus);
    code.get(sum).get(g1).op('f32x4.sub').get(half).op('f32x4.mul').set(minus);
    code.release(sum);
    return [g0, plus, minus, g2];
  }

  /** Gives back the locals of `values` that are not among `kept`. */
  private release(values: readonly Local[], kept: readonly Local[]): void {
    for (const local of values) if (!kept.includes(local)) this.code.release(local);
  }

  /** Bᵀ d B of four neighbouring tiles at a time, into panels [position][panel][channel][columns]. */
  private emitInputs(image: Local, block: Local, inputs: Local): void {
    const { code, plan } = this;
    const { rowBytes, tilesWide, tileRows, height } = plan;
    const width = columnsOf(this.options.tile);
    const channelWalk = this.channelWalk('b');
    const [first, from, to, tile, rows] = [code.local('i32'), code.local('i32'), code.local('i32'), code.local('i32'), code.local('i32')];
    code.get(image).get(block).i32(2 * tileRows * rowBytes).op('i32.mul').op('i32.add').set(first);
    // The last block may have fewer tile rows.
    code.i32(Math.ceil(height / 2)).get(block).i32(tileRows).op('i32.mul').op('i32.sub').tee(rows).i32(tileRows).get(rows).i32(tileRows).op('i32.lt_s').op('select').set(rows);
    code.i32(0).set(tile);
    channelWalk.start(tile);
    emitFor(code, plan.channels, (channel) => {
      emitFor(code, rows, (tileRow) => {
        code.get(first).get(channelWalk.offset).op('i32.add').get(tileRow).i32(2 * rowBytes).op('i32.mul').op('i32.add').set(from);
        code.get(tileRow).i32(tilesWide).op('i32.mul').set(tile);
        emitFor(code, tilesWide / 4, () => {
          code.get(tile).i32(width).op('i32.div_u').i32(plan.channels).op('i32.mul').get(channel).op('i32.add').i32(width).op('i32.mul');
          code.get(tile).i32(width).op('i32.rem_u').op('i32.add').i32(4).op('i32.mul').get(inputs).op('i32.add').set(to);
          this.emitInputTiles(from, to);
          code.advance(from, 32).advance(tile, 4);
        });
      });
      channelWalk.next();
    });
    channelWalk.release();
    for (const local of [first, from, to, tile, rows, image]) code.release(local);
  }

  private emitInputTiles(from: Local, to: Local): void {
    const { code } = this;
    const loads = [code.local('v128'), code.local('v128')] as const;
    const rows = [0, 1, 2, 3].map((y) => {
      const d = Array.from({ length: 4 }, () => code.local('v128'));
      for (const half of [0, 1]) {
        const offset = y * this.plan.rowBytes + 8 * half;
        code.get(from).memory('v128.load', offset).set(loads[0]).get(from).memory('v128.load', offset + 16).set(loads[1]);
        code.get(loads[0]).get(loads[1]).shuffle(evenWords).set(at(d, 2 * half));
        code.get(loads[0]).get(loads[1]).shuffle(oddWords).set(at(d, 2 * half + 1));
      }
      const transformed = inputTransform(code, d);
      for (const local of d) code.release(local);
      return transformed;
    });
    for (let x = 0; x < 4; x++) {
      const column = inputTransform(code, rows.map((row) => at(row, x)));
      column.forEach((value, y) => code.get(to).get(value).memory('v128.store', (4 * y + x) * this.inputStep));
      for (const local of column) code.release(local);
    }
    for (const local of [...loads, ...rows.flat()]) code.release(local);
  }

  /** For each position: products = weights · inputs over the channels. */
  private emitProducts({ weights, inputs, products }: { weights: Local; inputs: Local; products: Local }): void {
    const { code, plan, tiles } = this;
    const { tile } = this.options;
    const [a, b, c] = [code.local('i32'), code.local('i32'), code.local('i32')];
    const call = (rows: number) => {
      const count = Math.ceil(rows / tile.rows);
      const low = Math.floor(rows / count);
      const high = rows - low * count;
      let first = 0;
      for (const group of [{ count: high, rows: low + 1 }, { count: count - high, rows: low }]) {
        if (group.count === 0) continue;
        code.get(a).i32(first * 4).op('i32.add').get(b).get(c).i32(first * tiles * 4).op('i32.add');
        code.i32(plan.channels).i32(tiles / columnsOf(tile)).i32(group.count).i32(tiles * 4).i32(0);
        code.call(at(this.options.micro, microIndex(tile, group.rows, false)));
        first += group.count * group.rows;
      }
      code.advance(a, panelRows * plan.channels * 4).advance(c, panelRows * tiles * 4);
    };
    emitFor(code, positions, (position) => {
      code.get(weights).get(position).i32(this.weightStep).op('i32.mul').op('i32.add').set(a);
      code.get(inputs).get(position).i32(this.inputStep).op('i32.mul').op('i32.add').set(b);
      code.get(products).get(position).i32(this.productStep).op('i32.mul').op('i32.add').set(c);
      const panels = Math.floor(plan.rows / panelRows);
      if (panels > 0) emitFor(code, panels, () => call(panelRows));
      if (plan.rows % panelRows > 0) call(plan.rows % panelRows);
    });
    for (const local of [a, b, c]) code.release(local);
  }

  /** Aᵀ m A of four neighbouring tiles at a time: two rows of eight outputs, into [row][y][x]. */
  private emitOutputs({ products, sums }: { products: Local; sums: Local }): void {
    const { code, plan, outputWidth } = this;
    const [from, to] = [code.local('i32'), code.local('i32')];
    code.get(products).set(from);
    code.get(sums).set(to);
    emitFor(code, plan.rows * plan.tileRows, () => {
      emitFor(code, plan.tilesWide / 4, () => {
        const rows = [0, 1, 2, 3].map((y) => {
          const m = [0, 1, 2, 3].map((x) => {
            const local = code.local('v128');
            code.get(from).memory('v128.load', (4 * y + x) * this.productStep).set(local);
            return local;
          });
          const transformed = this.outputTransform(m);
          for (const local of m) code.release(local);
          return transformed;
        });
        const [left, right] = [0, 1].map((x) => this.outputTransform(rows.map((row) => at(row, x))));
        [0, 1].forEach((y) => {
          const [l, r] = [at(left ?? [], y), at(right ?? [], y)];
          code.get(to).get(l).get(r).shuffle(lowWords).memory('v128.store', y * outputWidth * 4);
          code.get(to).get(l).get(r).shuffle(highWords).memory('v128.store', y * outputWidth * 4 + 16);
        });
        for (const local of [...rows.flat(), ...(left ?? []), ...(right ?? [])]) code.release(local);
        code.advance(from, 16).advance(to, 32);
      });
      code.advance(to, outputWidth * 4);
    });
    code.release(from);
    code.release(to);
  }

  /** [m0 + m1 + m2, m1 − m2 − m3]. */
  private outputTransform(m: readonly Local[]): Local[] {
    const { code } = this;
    const [m0, m1, m2, m3] = [at(m, 0), at(m, 1), at(m, 2), at(m, 3)];
    const [y0, y1] = [code.local('v128'), code.local('v128')];
    code.get(m0).get(m1).op('f32x4.add').get(m2).op('f32x4.add').set(y0);
    code.get(m1).get(m2).op('f32x4.sub').get(m3).op('f32x4.sub').set(y1);
    return [y0, y1];
  }

  private emitEpilogue(batchIndices: readonly Local[], image: Local, block: Local, sums: Local): void {
    const { code, plan, outputWidth } = this;
    const { height, width, tileRows, rows: m } = plan;
    const [firstY, count, firstColumn, columns, firstRow, rows, start] = Array.from({ length: 7 }, () => code.local('i32'));
    if (!firstY || !count || !firstColumn || !columns || !firstRow || !rows || !start) return;
    code.get(block).i32(2 * tileRows).op('i32.mul').set(firstY);
    code.i32(height).get(firstY).op('i32.sub').tee(count).i32(2 * tileRows).get(count).i32(2 * tileRows).op('i32.lt_s').op('select').set(count);
    code.get(image).i32(height).op('i32.mul').get(firstY).op('i32.add').i32(width).op('i32.mul').set(firstColumn);
    code.i32(0).set(firstRow);
    code.i32(m).set(rows);
    code.get(sums).set(start);
    const epilogue = new Epilogue(code, this.kernel, this.options);
    const target = { sums: start, pitch: 2 * tileRows * outputWidth * 4, firstRow, rows, firstColumn, columns };
    if (width === outputWidth) {
      // Rows follow each other without a gap.
      code.get(count).i32(width).op('i32.mul').set(columns);
      epilogue.emit(batchIndices, target);
    } else {
      code.i32(width).set(columns);
      emitFor(code, count, () => {
        epilogue.emit(batchIndices, target);
        code.advance(start, outputWidth * 4).advance(firstColumn, width);
      });
    }
    for (const local of [firstY, count, firstColumn, columns, firstRow, rows, start]) code.release(local);
  }
}

const oddWords = [4, 5, 6, 7, 12, 13, 14, 15, 20, 21, 22, 23, 28, 29, 30, 31];
const lowWords = [0, 1, 2, 3, 16, 17, 18, 19, 4, 5, 6, 7, 20, 21, 22, 23];
const highWords = [8, 9, 10, 11, 24, 25, 26, 27, 12, 13, 14, 15, 28, 29, 30, 31];

/** One direction of Bᵀ d B: [d0 − d2, d1 + d2, d2 − d1, d1 − d3]. */
export function inputTransform(code: Code, d: readonly Local[]): Local[] {
  const [d0, d1, d2, d3] = [at(d, 0), at(d, 1), at(d, 2), at(d, 3)];
  const out = makeLocals(code, 'v128', 4);
  code.get(d0).get(d2).op('f32x4.sub').set(at(out, 0));
  code.get(d1).get(d2).op('f32x4.add').set(at(out, 1));
  code.get(d2).get(d1).op('f32x4.sub').set(at(out, 2));
  code.get(d1).get(d3).op('f32x4.sub').set(at(out, 3));
  return out;
}
