// 3 × 3 convolutions by minimal filtering (filtering.ts): 16 multiplications for 2 × 2 outputs instead of 36, or 36 for
// 4 × 4 instead of 144. A block of tile rows of one image at a time: input tiles Bᵀ d B, a product over the channels for
// each position of a tile, then Aᵀ m A.
import { loopCount, type ContractKernel } from '@athanor/core/backend';
import type { Code, Local } from '../../assembler/code.ts';
import { at } from '../at.ts';
import type { KernelShape } from '../loop.ts';
import { mergedAxis } from './axes.ts';
import { emitFor, makeLocals, offsetBy, releaseLocals } from './emit-for.ts';
import { Epilogue } from './epilogue.ts';
import { fourOutputs, Transforms, twoOutputs } from './filtering.ts';
import { columnsOf, panelRows } from './micro.ts';
import { Odometer } from './odometer.ts';
import { emitTranspose } from './pack.ts';
import { emitPanels } from './panels.ts';
import type { TiledOptions } from './tiled.ts';
import { emitExtent, emitIndices, emitUnits, operandAddress, scratchPlace } from './units.ts';
import { emitInputs, type Plan } from './winograd-inputs.ts';

/** Bytes of transformed inputs and products that a block may take: they should stay in the second-level cache. */
const blockBytes = 704 * 1024;
const largestTiles = 80;

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
  const plans = [twoOutputs, fourOutputs].flatMap((filtering) => {
    const tilesWide = Math.ceil(Math.ceil(width / filtering.outputs) / 4) * 4;
    const needed = Math.ceil(height / filtering.outputs);
    const bytes = filtering.size ** 2 * 4 * (channels + rows) * tilesWide;
    // Whole column panels, as many tile rows as the cache holds.
    const step = columnStep / greatestCommonDivisor(columnStep, tilesWide);
    const fits = Math.min(largestTiles / tilesWide, blockBytes / bytes);
    const most = Math.max(1, Math.floor(fits / step)) * step;
    // Blocks of one height: a last one with fewer tile rows would be computed whole.
    const tileRows = Math.ceil(needed / Math.ceil(needed / most) / step) * step;
    if (tileRows * bytes > 4 * blockBytes) return [];
    const tiles = Math.ceil(needed / tileRows) * tileRows * tilesWide;
    return [{ plan: { filtering, channels, rows, height, width, tilesWide, tileRows, rowBytes: rowStride * 4 }, products: filtering.size ** 2 * tiles }];
  });
  return plans.sort((one, other) => one.products - other.products)[0]?.plan;
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
  private readonly transforms: Transforms;
  private readonly tiles: number;
  /** Positions of a transformed tile. */
  private readonly positions: number;
  private readonly images: number;
  private readonly blocks: number;
  /** Bytes between positions: of transformed weights, inputs, products. */
  private readonly weightStep: number;
  private readonly inputStep: number;
  private readonly productStep: number;
  /** Floats between rows of outputs in scratch. */
  private readonly outputWidth: number;

  constructor(code: Code, kernel: ContractKernel, plan: Plan, options: TiledOptions) {
    const { channels, rows, height, tilesWide, tileRows, filtering } = plan;
    this.code = code;
    this.kernel = kernel;
    this.plan = plan;
    this.options = options;
    this.transforms = new Transforms(code, options.fused);
    this.tiles = tilesWide * tileRows;
    this.positions = filtering.size ** 2;
    this.images = loopCount(kernel.n.slice(0, -2));
    this.blocks = Math.ceil(Math.ceil(height / filtering.outputs) / tileRows);
    // An odd number of cache lines keeps the planes off each other's cache sets.
    const padded = (bytes: number) => (Math.ceil(bytes / 128) * 2 + 1) * 64;
    this.weightStep = padded(Math.ceil(rows / panelRows) * channels * panelRows * 4);
    this.inputStep = padded(channels * this.tiles * 4);
    this.productStep = padded(rows * this.tiles * 4);
    this.outputWidth = filtering.outputs * tilesWide;
  }

  emit(): KernelShape {
    const { code, kernel, blocks, images, plan, positions } = this;
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
      emitInputs(this.transforms, plan, { image: this.imageAddress(batchIndices, image), block, to: places.inputs, step: this.inputStep, channelWalk: this.channelWalk('b'), panel: columnsOf(this.options.tile) });
      this.emitProducts(places);
      this.emitOutputs(places);
      this.emitEpilogue(batchIndices, image, block, places.sums);
    });
    const flops = 2 * batch * images * plan.height * plan.width * plan.rows * plan.channels * 9;
    return { units: batch * images * blocks, cost: flops / 50, scratch: sums + plan.rows * plan.filtering.outputs ** 2 * this.tiles * 4 + 64 };
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

  /** G g Gᵀ for four rows at a time, into panels [position][panel][channel][rows of a panel]. */
  private emitWeights(address: Local, weights: Local): void {
    const { code, kernel, plan } = this;
    const { strides } = kernel.a.index;
    const axis = mergedAxis(kernel.m, kernel.batch.length, [strides]);
    const rowWalk = new Odometer(code, axis.sizes, at(axis.strides, 0).map((stride) => stride * 4));
    const channelWalk = this.channelWalk('a');
    const last = kernel.batch.length + kernel.m.length + kernel.n.length + kernel.k.length;
    const [strideY, strideX] = [(strides[last - 2] ?? 0) * 4, (strides[last - 1] ?? 0) * 4];
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
        const tap = (y: number, x: number): Local => {
          const local = code.local('v128');
          lanes.forEach((address, j) => {
            code.get(address).get(channelWalk.offset).op('i32.add').i32(y * strideY + x * strideX).op('i32.add').set(lane).get(lane);
            if (j === 0) code.memory('v128.load32_zero').set(local);
            else code.get(local).memoryLane('v128.load32_lane', 0, j).set(local);
          });
          return local;
        };
        const taps = [0, 1, 2].map((y) => () => [0, 1, 2].map((x) => tap(y, x)));
        this.transforms.tile(plan.filtering.weight, taps, to, (position) => position * this.weightStep);
        channelWalk.next();
        code.advance(to, panelRows * 4);
      });
    });
    rowWalk.release();
    channelWalk.release();
    releaseLocals(code, [...lanes, row, to, lane, address]);
  }

  /** For each position: products = weights · inputs over the channels. */
  private emitProducts({ weights, inputs, products }: { weights: Local; inputs: Local; products: Local }): void {
    const { code, plan, tiles } = this;
    const { micro, tile } = this.options;
    emitFor(code, this.positions, (position) => {
      const at = (base: Local, step: number) => offsetBy(code, base, position, step);
      const places = { a: at(weights, this.weightStep), b: at(inputs, this.inputStep), c: at(products, this.productStep) };
      emitPanels(code, { ...places, rows: plan.rows, depth: plan.channels, columns: tiles }, { micro, tile });
      releaseLocals(code, Object.values(places));
    });
  }

  /** Aᵀ m A of four neighbouring tiles at a time, into [row][y][x]. */
  private emitOutputs({ products, sums }: { products: Local; sums: Local }): void {
    const { code, plan, outputWidth, transforms } = this;
    const { filtering } = plan;
    const { size, outputs } = filtering;
    const [from, to] = [code.local('i32'), code.local('i32')];
    code.get(products).set(from);
    code.get(sums).set(to);
    emitFor(code, plan.rows * plan.tileRows, () => {
      emitFor(code, plan.tilesWide / 4, () => {
        const columns = Array.from({ length: size }, (_, x) => {
          const m = makeLocals(code, 'v128', size);
          m.forEach((local, y) => code.get(from).memory('v128.load', (size * y + x) * this.productStep).set(local));
          const column = filtering.output(transforms, m);
          releaseLocals(code, m);
          return column;
        });
        for (let y = 0; y < outputs; y++) {
          const line = filtering.output(transforms, columns.map((column) => at(column, y)));
          this.storeLine(line, to, y * outputWidth * 4);
          releaseLocals(code, line);
        }
        releaseLocals(code, columns.flat());
        code.advance(from, 16).advance(to, 16 * outputs);
      });
      code.advance(to, outputWidth * (outputs - 1) * 4);
    });
    code.release(from);
    code.release(to);
  }

  /** Stores one line of outputs of four neighbouring tiles: a vector holds the same output of each. */
  private storeLine(line: readonly Local[], to: Local, offset: number): void {
    const { code } = this;
    const [left, right] = [at(line, 0), at(line, 1)];
    if (line.length === 2) {
      code.get(to).get(left).get(right).shuffle(lowWords).memory('v128.store', offset);
      code.get(to).get(left).get(right).shuffle(highWords).memory('v128.store', offset + 16);
      return;
    }
    emitTranspose(code, line, (tile, push) => {
      code.get(to);
      push();
      code.memory('v128.store', offset + 16 * tile);
    });
  }

  private emitEpilogue(batchIndices: readonly Local[], image: Local, block: Local, sums: Local): void {
    const { code, plan, outputWidth } = this;
    const { height, width, rows: m } = plan;
    const blockHeight = plan.filtering.outputs * plan.tileRows;
    const [firstY, count, firstColumn, columns, firstRow, rows, start] = Array.from({ length: 7 }, () => code.local('i32'));
    if (!firstY || !count || !firstColumn || !columns || !firstRow || !rows || !start) return;
    code.get(block).i32(blockHeight).op('i32.mul').set(firstY);
    emitExtent(code, firstY, blockHeight, height, count);
    code.get(image).i32(height).op('i32.mul').get(firstY).op('i32.add').i32(width).op('i32.mul').set(firstColumn);
    code.i32(0).set(firstRow);
    code.i32(m).set(rows);
    code.get(sums).set(start);
    const epilogue = new Epilogue(code, this.kernel, this.options);
    const target = { sums: start, pitch: blockHeight * outputWidth * 4, firstRow, rows, firstColumn, columns };
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

const lowWords = [0, 1, 2, 3, 16, 17, 18, 19, 4, 5, 6, 7, 20, 21, 22, 23];
const highWords = [8, 9, 10, 11, 24, 25, 26, 27, 12, 13, 14, 15, 28, 29, 30, 31];
