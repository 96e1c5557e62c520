// Weight gradients of convolutions with few channels (first layers, depthwise): vectors along the pixels, which is along
// k, in both operands where they lie. Eight lanes sum their own pixels; the lanes are added at the end. Sums of an image,
// or of a few rows, are made first, then added: long sums lose less.
import { InternalError, loopCount, type ContractKernel } from '@athanor/core/backend';
import type { Code, Label, Local } from '../../assembler/code.ts';
import { at } from '../at.ts';
import { splatBytes, swapHalves, swapWords } from '../lanes.ts';
import type { KernelShape } from '../loop.ts';
import { mergedAxis } from './axes.ts';
import { emitFor, makeLocals, releaseLocals } from './emit-for.ts';
import { Epilogue } from './epilogue.ts';
import { Odometer } from './odometer.ts';
import { chooseTiling, emitStep } from './register-tile.ts';
import type { TiledOptions } from './tiled.ts';
import { emitExtent, emitIndices, emitUnits, operandAddress, scratchPlace } from './units.ts';

const lanesOfSum = 8;
const bytesOfSum = 32;
/** With more outputs, packing pays. */
const largestOutputs = 2560;
/** Neighbouring columns that are written out. */
const largestGroup = 12;
/** Elements of a row that are summed before they are added to the rest: operands of a few rows stay in the first cache. */
const blockElements = 1024;
const fewestUnits = 4;

/** How such a gradient runs. Strides and offsets are in bytes and never negative. */
export interface FewChannelsPlan {
  readonly rows: number;
  readonly rowStride: number;
  /** Columns that are written out (taps), and the loops around them. */
  readonly taps: readonly number[];
  readonly sizes: readonly number[];
  readonly strides: readonly number[];
  /** Loops over k but the last one, of both operands, and the length of the last one. */
  readonly kSizes: readonly number[];
  readonly stridesA: readonly number[];
  readonly stridesB: readonly number[];
  readonly run: number;
}

/** The plan for a contraction whose columns are shifts along k, with few outputs; undefined for all others. */
export function fewChannelsPlan(kernel: ContractKernel): FewChannelsPlan | undefined {
  const { batch, m, n, k, a, b } = kernel;
  const bytes = (list: readonly number[]) => list.map((stride) => stride * 4);
  const rows = mergedAxis(m, batch.length, [a.index.strides]);
  const columns = mergedAxis(n, batch.length + m.length, [b.index.strides]);
  const sums = mergedAxis(k, batch.length + m.length + n.length, [a.index.strides, b.index.strides]);
  const [rowStrides, columnStrides, stridesA, stridesB] = [at(rows.strides, 0), at(columns.strides, 0), at(sums.strides, 0), at(sums.strides, 1)];
  const run = at(sums.sizes, sums.sizes.length - 1);
  const slides = loopCount(n) > 1 && columnStrides.at(-1) === 1 && stridesA.at(-1) === 1 && stridesB.at(-1) === 1;
  if (!slides || rows.sizes.length > 1 || !pays(loopCount(m), loopCount(n), run)) return undefined;
  if ([...rowStrides, ...columnStrides].some((stride) => stride < 0)) return undefined;
  let group = columns.sizes.length - 1;
  if (at(columns.sizes, group) > largestGroup) return undefined;
  while (group > 0 && loopCount(columns.sizes.slice(group - 1)) <= largestGroup) group--;
  let taps = [0];
  columns.sizes.slice(group).forEach((size, i) => {
    taps = taps.flatMap((offset) => Array.from({ length: size }, (_, tap) => offset + tap * at(columnStrides, group + i) * 4));
  });
  return {
    rows: loopCount(m), rowStride: at(rowStrides, 0) * 4, taps,
    sizes: [1, ...columns.sizes.slice(0, group)], strides: [0, ...bytes(columnStrides.slice(0, group))],
    kSizes: sums.sizes.slice(0, -1), stridesA: bytes(stridesA.slice(0, -1)), stridesB: bytes(stridesB.slice(0, -1)), run,
  };
}

/** Estimates, as parts of the arithmetic's limit: of vectors that a run fills, and of a product of panels that must be packed. */
function pays(rows: number, columns: number, run: number): boolean {
  const outputs = rows * columns;
  if (run < lanesOfSum || outputs > largestOutputs) return false;
  const steps = Math.floor(run / lanesOfSum) + Math.ceil((run % lanesOfSum) / 4);
  return (0.9 * run) / (lanesOfSum * steps) > outputs / (outputs + 6 * (rows + columns));
}

export function emitFewChannels(code: Code, kernel: ContractKernel, plan: FewChannelsPlan, options: TiledOptions): KernelShape {
  return new FewChannelsEmitter(code, kernel, plan, options).emit();
}

/** Rows of a register tile, and taps from the first one on. */
interface Part {
  readonly height: number;
  readonly first: number;
  readonly width: number;
}

/** What one pass over a block sums: whole groups of eight pixels, both halves or one of them, or the pixels behind these. */
interface Pass {
  /** Bytes of the halves, in a group of eight and in its sum. */
  readonly halves: readonly number[];
  readonly rest: boolean;
}

class FewChannelsEmitter {
  private readonly code: Code;
  private readonly kernel: ContractKernel;
  private readonly plan: FewChannelsPlan;
  private readonly options: TiledOptions;
  /** Both halves of a sum at once where the engine joins them, else one after the other. */
  private readonly passes: readonly Pass[];
  private readonly heights: readonly number[];
  private readonly widths: readonly number[];
  /** Positions of the loops around the taps, in all and in one unit. */
  private readonly positions: number;
  private readonly unitPositions: number;
  /** Loops over k outside of a block. */
  private readonly blockLoops: number;
  private branches = 0;

  constructor(code: Code, kernel: ContractKernel, plan: FewChannelsPlan, options: TiledOptions) {
    this.code = code;
    this.kernel = kernel;
    this.plan = plan;
    this.options = options;
    const whole: Pass[] = (options.joins ? [[0, 16]] : [[0], [16]]).map((halves) => ({ halves, rest: false }));
    this.passes = plan.run % lanesOfSum > 0 ? [...whole, { halves: [0], rest: true }] : whole;
    const tiling = chooseTiling(plan.rows, plan.taps.length, options.tile, 1);
    const expand = (cuts: typeof tiling.rows) => cuts.flatMap(({ size, count }) => Array.from({ length: count }, () => size));
    this.heights = expand(tiling.rows);
    this.widths = expand(tiling.vectors);
    this.positions = loopCount(plan.sizes);
    const parts = loopCount(kernel.batch) * this.heights.length;
    this.unitPositions = Math.ceil(this.positions / Math.min(this.positions, Math.ceil(fewestUnits / parts)));
    let loops = plan.kSizes.length;
    while (loops > 0 && loopCount(plan.kSizes.slice(loops - 1)) * plan.run <= blockElements) loops--;
    this.blockLoops = loops;
  }

  emit(): KernelShape {
    const { code, kernel, plan, heights, positions, unitPositions } = this;
    const splits = Math.ceil(positions / unitPositions);
    const tallest = Math.max(...heights);
    const lanes = unitPositions * plan.taps.length * tallest * bytesOfSum;
    const pitch = unitPositions * plan.taps.length * 4;
    const [rest, part, position, count, firstRow, rows, firstColumn, columns] = makeLocals(code, 'i32', 8);
    if (!rest || !part || !position || !count || !firstRow || !rows || !firstColumn || !columns) throw new InternalError('locals are missing');
    const batchIndices = makeLocals(code, 'i32', kernel.batch.length);
    const epilogue = new Epilogue(code, kernel, this.options);
    emitUnits(code, (unit) => {
      code.get(unit).set(rest);
      emitIndices(code, rest, [...kernel.batch, heights.length, splits], [...batchIndices, part, position]);
      code.get(position).i32(unitPositions).op('i32.mul').set(position);
      emitExtent(code, position, unitPositions, positions, count);
      const [a, b] = [operandAddress(code, kernel, 'a', batchIndices), operandAddress(code, kernel, 'b', batchIndices)];
      const [totals, sums] = [scratchPlace(code, 0), scratchPlace(code, lanes)];
      const longer = heights.filter((height) => height === tallest).length;
      const block = (height: number, skipped: number) => {
        // Rows before this part: `skipped` parts of the tallest size, the others of this one.
        code.get(part).i32(height).op('i32.mul').i32(skipped).op('i32.add').set(firstRow);
        code.i32(height).set(rows);
        code.get(a).get(firstRow).i32(plan.rowStride).op('i32.mul').op('i32.add').set(a);
        this.emitBlock(height, { a, b, position, count, totals });
        this.emitLanes(height, { count, totals, sums, pitch });
      };
      if (longer === heights.length) block(tallest, 0);
      else {
        code.get(part).i32(longer).op('i32.lt_s').if();
        block(tallest, 0);
        code.else();
        block(tallest - 1, longer);
        code.end();
      }
      code.get(position).i32(plan.taps.length).op('i32.mul').set(firstColumn);
      code.get(count).i32(plan.taps.length).op('i32.mul').set(columns);
      epilogue.emit(batchIndices, { sums, pitch, firstRow, rows, firstColumn, columns });
      releaseLocals(code, [a, b, totals, sums]);
    });
    const batch = loopCount(kernel.batch);
    const flops = 2 * batch * plan.rows * positions * plan.taps.length * loopCount(plan.kSizes) * plan.run;
    return { units: batch * heights.length * splits, cost: flops / 25, scratch: lanes + tallest * pitch + 64 };
  }

  /** Sums of all lanes over all of k, in scratch: [position][part][row][tap]. */
  private emitBlock(height: number, { a, b, position, count, totals }: { a: Local; b: Local; position: Local; count: Local; totals: Local }): void {
    const { code, plan } = this;
    const bytes = this.lanesOf(height);
    const zero = code.constant(splatBytes(0, 'int32'));
    const to = code.local('i32');
    code.get(totals).set(to);
    emitFor(code, count, () => {
      for (let offset = 0; offset < bytes; offset += 16) code.get(to).get(zero).memory('v128.store', offset);
      code.advance(to, bytes);
    });
    const walk = new Odometer(code, plan.sizes, plan.strides);
    this.emitLoops(0, this.blockLoops, a, b, (blockA, blockB) => {
      code.get(totals).set(to);
      walk.start(position);
      const from = code.local('i32');
      emitFor(code, count, () => {
        code.get(blockB).get(walk.offset).op('i32.add').set(from);
        for (const part of this.parts(height)) for (const pass of this.passes) this.emitTile(part, pass, blockA, from, to);
        walk.next();
        code.advance(to, bytes);
      });
      code.release(from);
    });
    walk.release();
    code.release(to);
  }

  private lanesOf(height: number): number {
    return this.plan.taps.length * height * bytesOfSum;
  }

  private parts(height: number): Part[] {
    let first = 0;
    return this.widths.map((width) => ({ height, width, first: (first += width) - width }));
  }

  /** Loops over k from `loop` to `end`, with pointers that follow. */
  private emitLoops(loop: number, end: number, a: Local, b: Local, body: (a: Local, b: Local) => void): void {
    if (loop === end) return body(a, b);
    const { code, plan } = this;
    const [movingA, movingB] = [code.local('i32'), code.local('i32')];
    code.get(a).set(movingA).get(b).set(movingB);
    emitFor(code, at(plan.kSizes, loop), () => {
      this.emitLoops(loop + 1, end, movingA, movingB, body);
      code.advance(movingA, at(plan.stridesA, loop)).advance(movingB, at(plan.stridesB, loop));
    });
    releaseLocals(code, [movingA, movingB]);
  }

  /** totals += the sums of a block of k, which are made in registers. */
  private emitTile(part: Part, pass: Pass, a: Local, b: Local, totals: Local): void {
    const { code, plan } = this;
    const zero = code.constant(splatBytes(0, 'int32'));
    const sums = pass.halves.map(() => makeLocals(code, 'v128', part.height * part.width));
    for (const sum of sums.flat()) code.get(zero).set(sum);
    const done = code.block();
    this.emitLoops(this.blockLoops, plan.kSizes.length, a, b, (rowA, rowB) => {
      if (pass.rest) this.emitRest(part, at(sums, 0), rowA, rowB, done);
      else this.emitRun(part, pass, sums, rowA, rowB, done);
    });
    code.end();
    for (let sum = 0; sum < part.height * part.width; sum++) {
      const offset = (part.first * part.height + sum) * bytesOfSum;
      pass.halves.forEach((half, i) => {
        const local = at(at(sums, i), sum);
        code.get(totals).memory('v128.load', offset + half).get(local).op('f32x4.add').set(local);
      });
      pass.halves.forEach((half, i) => code.get(totals).get(at(at(sums, i), sum)).memory('v128.store', offset + half));
    }
    releaseLocals(code, sums.flat());
  }

  /** Whole groups of eight neighbouring pixels. */
  private emitRun(part: Part, pass: Pass, sums: readonly (readonly Local[])[], rowA: Local, rowB: Local, done: Label): void {
    const { code, plan: { run } } = this;
    const groups = Math.floor(run / lanesOfSum);
    const together = groups <= 8 ? groups : 4;
    const one = (a: Local, b: Local, group: number) =>
      pass.halves.forEach((half, i) => this.emitProducts(part, at(sums, i), { a, b, done, offset: bytesOfSum * group + half, lanes: 4 }));
    const [a, b] = [code.local('i32'), code.local('i32')];
    code.get(rowA).set(a).get(rowB).set(b);
    emitFor(code, Math.floor(groups / together), () => {
      for (let group = 0; group < together; group++) one(a, b, group);
      code.advance(a, together * bytesOfSum).advance(b, together * bytesOfSum);
    });
    for (let group = 0; group < groups % together; group++) one(a, b, group);
    releaseLocals(code, [a, b]);
  }

  /** The pixels behind the whole groups, with zeros in the lanes that have none. */
  private emitRest(part: Part, sums: readonly Local[], a: Local, b: Local, done: Label): void {
    const { run } = this.plan;
    for (let pixel = run - (run % lanesOfSum); pixel < run; pixel += 4) {
      this.emitProducts(part, sums, { a, b, done, offset: pixel * 4, lanes: Math.min(4, run - pixel) });
    }
  }

  private emitProducts({ height, first, width }: Part, sums: readonly Local[], { a, b, done, offset, lanes }: { a: Local; b: Local; done: Label; offset: number; lanes: number }): void {
    const { code, plan, options } = this;
    const load = (from: Local, bytes: number, target: Local) => {
      code.get(from).memory(lanes === 4 ? 'v128.load' : lanes === 1 ? 'v128.load32_zero' : 'v128.load64_zero', bytes).set(target);
      if (lanes === 3) code.get(from).get(target).memoryLane('v128.load32_lane', bytes + 8, 2).set(target);
    };
    emitStep(code, options.tile, { sums, height, width }, {
      row: (target, row) => load(a, offset + row * plan.rowStride, target),
      column: (target, column) => load(b, offset + at(plan.taps, first + column), target),
      // Addresses are multiples of four.
      branch: () => code.get(b).i32(4 * this.branches++ + 1).op('i32.eq').brIf(done),
    });
  }

  /** Adds the lanes of each sum: rows of finished sums. */
  private emitLanes(height: number, { count, totals, sums, pitch }: { count: Local; totals: Local; sums: Local; pitch: number }): void {
    const { code, plan } = this;
    const [from, to, value] = [code.local('i32'), code.local('i32'), code.local('v128')];
    code.get(totals).set(from).get(sums).set(to);
    emitFor(code, count, () => {
      let offset = 0;
      for (const part of this.parts(height)) {
        for (let row = 0; row < height; row++) {
          for (let column = part.first; column < part.first + part.width; column++) {
            code.get(from).memory('v128.load', offset).get(from).memory('v128.load', offset + 16).op('f32x4.add').set(value);
            for (const order of [swapHalves, swapWords]) code.get(value).get(value).get(value).shuffle(order).op('f32x4.add').set(value);
            code.get(to).get(value).memoryLane('v128.store32_lane', row * pitch + column * 4, 0);
            offset += bytesOfSum;
          }
        }
      }
      code.advance(from, this.lanesOf(height)).advance(to, plan.taps.length * 4);
    });
    releaseLocals(code, [from, to, value]);
  }
}
