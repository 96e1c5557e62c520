// Contractions with few rows and a short sum (the first convolution of a network, depthwise convolutions): vectors along
// the columns, both operands read where they lie. Packing would cost more than it saves. Sums run in the same order as in
// the tiled form, as long as k is one chunk.
import { loopCount, type ContractKernel } from '@athanor/core/backend';
import type { Code, Local } from '../../assembler/code.ts';
import { at } from '../at.ts';
import { splatBytes } from '../lanes.ts';
import type { KernelShape } from '../loop.ts';
import { mergedAxis } from './axes.ts';
import { emitFor, makeLocals, releaseLocals } from './emit-for.ts';
import { Epilogue } from './epilogue.ts';
import { chunk, vectorRegisters, type Tile } from './micro.ts';
import { Odometer } from './odometer.ts';
import type { TiledOptions } from './tiled.ts';

const largestRows = 8;
/** Steps of k that are written out; loops over k outside of them stay loops. */
const largestUnroll = 32;
/** Sums of a unit of work. */
const unitSums = 8192;

/** How a contraction runs without packing. Strides are in bytes. */
export interface DirectPlan {
  readonly rows: number;
  readonly rowOffsets: readonly number[];
  /** Columns that lie side by side, and the loops around them. */
  readonly run: number;
  readonly runSizes: readonly number[];
  readonly runStrides: readonly number[];
  /** Loops over k, of both operands. */
  readonly sizes: readonly number[];
  readonly stridesA: readonly number[];
  readonly stridesB: readonly number[];
}

/** The plan for a contraction; undefined if it has too many rows, too long a sum or columns that lie apart. */
export function directPlan(kernel: ContractKernel): DirectPlan | undefined {
  const { batch, m, n, k, a, b } = kernel;
  const rows = loopCount(m);
  if (rows > largestRows || loopCount(k) > chunk) return undefined;
  const bytes = (list: readonly number[]) => list.map((stride) => stride * 4);
  const columns = mergedAxis(n, batch.length + m.length, [b.index.strides]);
  const sums = mergedAxis(k, batch.length + m.length + n.length, [a.index.strides, b.index.strides]);
  const strides = at(columns.strides, 0);
  const run = at(columns.sizes, columns.sizes.length - 1);
  if (run < 4 || strides.at(-1) !== 1) return undefined;
  return {
    rows,
    rowOffsets: offsetsOf(m, bytes(a.index.strides.slice(batch.length, batch.length + m.length))),
    run,
    runSizes: columns.sizes.slice(0, -1),
    runStrides: bytes(strides.slice(0, -1)),
    sizes: sums.sizes,
    stridesA: bytes(at(sums.strides, 0)),
    stridesB: bytes(at(sums.strides, 1)),
  };
}

/** Offsets of all positions of some loops, in order. */
function offsetsOf(sizes: readonly number[], strides: readonly number[]): number[] {
  return sizes.reduce<number[]>((offsets, size, loop) => offsets.flatMap((offset) => Array.from({ length: size }, (_, i) => offset + i * (strides[loop] ?? 0))), [0]);
}

/** A cut of a length into parts of nearly equal size, longer ones first. */
interface Cut {
  readonly size: number;
  readonly count: number;
}

function cutInto(length: number, parts: number): Cut[] {
  const size = Math.floor(length / parts);
  const longer = length - size * parts;
  return [{ size: size + 1, count: longer }, { size, count: parts - longer }].filter(({ count }) => count > 0);
}

/** Cuts of rows and of vectors that make register tiles. */
interface Tiling {
  readonly rows: readonly Cut[];
  readonly vectors: readonly Cut[];
}

/** A step's operands that stay in registers (of the shorter side), and how many of the others come between two branches. */
function flowOf(rows: number, vectors: number): { readonly held: number; readonly streamed: number; readonly together: number } {
  const [held, streamed] = [Math.min(rows, vectors), Math.max(rows, vectors)];
  return { held, streamed, together: vectorRegisters - 1 - rows * vectors - held };
}

/** Cycles of one step of k: two pipes for products and two for sums, four cycles for a sum, six instructions a cycle. */
function cyclesOf(rows: number, vectors: number, { fused, split }: Tile): number {
  const { held, streamed, together } = flowOf(rows, vectors);
  const instructions = held + streamed + rows * vectors * (fused ? 1 : 2) + (split ? Math.ceil(streamed / together) : 0);
  return Math.max((rows * vectors) / 2, fused ? 4 : 3, instructions / 6);
}

/** The cut with the least estimated time, of vectors in units of `width`, which share one register. */
function chooseTiling(rows: number, vectors: number, tile: Tile, width: number): Tiling {
  const units = Math.ceil(vectors / width);
  let best: { readonly tiling: Tiling; readonly cycles: number } | undefined;
  for (let rowParts = 1; rowParts <= rows; rowParts++) {
    for (let parts = 1; parts <= units; parts++) {
      const tiling = { rows: cutInto(rows, rowParts), vectors: cutInto(units, parts) };
      const tiles = tiling.rows.flatMap((row) => tiling.vectors.map((part) => ({ height: row.size, width: part.size, count: row.count * part.count })));
      if (tiles.some((one) => flowOf(one.height, one.width).together < 1)) continue;
      const cycles = tiles.reduce((sum, one) => sum + one.count * cyclesOf(one.height, one.width, tile), 0);
      if (best === undefined || cycles < best.cycles) best = { tiling, cycles };
    }
  }
  const { rows: heights, vectors: widths } = best?.tiling ?? { rows: cutInto(rows, rows), vectors: cutInto(units, units) };
  return { rows: heights, vectors: shorten(widths.map(({ size, count }) => ({ size: size * width, count })), units * width - vectors) };
}

/** The cut with its last part shorter by some positions. */
function shorten(cuts: readonly Cut[], by: number): Cut[] {
  const last = cuts.at(-1);
  if (by === 0 || last === undefined) return [...cuts];
  return [...cuts.slice(0, -1), { ...last, count: last.count - 1 }, { size: last.size - by, count: 1 }].filter(({ count }) => count > 0);
}

export function emitDirect(code: Code, kernel: ContractKernel, plan: DirectPlan, options: TiledOptions): KernelShape {
  return new DirectEmitter(code, kernel, plan, options).emit();
}

/** Sums in registers: `height` rows from `first` on, of `vectors` vectors each. */
interface RegisterTile {
  readonly first: number;
  readonly height: number;
  readonly vectors: number;
  readonly sums: readonly Local[];
}

class DirectEmitter {
  private readonly code: Code;
  private readonly kernel: ContractKernel;
  private readonly plan: DirectPlan;
  private readonly options: TiledOptions;
  /** Runs of columns in a unit of work. */
  private readonly runs: number;
  private readonly pitch: number;
  /** Loops over k that stay loops; the others are written out. */
  private readonly loops: number;
  private readonly stepsA: readonly number[];
  private readonly stepsB: readonly number[];
  /** Least offset of a step or row: bases move there, since offsets in code are never negative. */
  private readonly leastA: number;
  private readonly leastB: number;
  private branches = 0;

  constructor(code: Code, kernel: ContractKernel, plan: DirectPlan, options: TiledOptions) {
    this.code = code;
    this.kernel = kernel;
    this.plan = plan;
    this.options = options;
    const whole = loopCount(plan.runSizes);
    const batch = loopCount(kernel.batch);
    const fitting = Math.max(1, Math.floor(unitSums / (plan.rows * plan.run)));
    this.runs = Math.min(fitting, Math.max(1, Math.ceil((whole * batch) / 16)), whole);
    this.pitch = this.runs * plan.run * 4;
    let loops = plan.sizes.length;
    while (loops > 0 && loopCount(plan.sizes.slice(loops - 1)) <= largestUnroll) loops--;
    this.loops = loops;
    this.stepsA = offsetsOf(plan.sizes.slice(loops), plan.stridesA.slice(loops));
    this.stepsB = offsetsOf(plan.sizes.slice(loops), plan.stridesB.slice(loops));
    this.leastA = Math.min(...this.stepsA) + Math.min(...plan.rowOffsets);
    this.leastB = Math.min(...this.stepsB);
  }

  emit(): KernelShape {
    const { code, kernel, plan, runs } = this;
    const whole = loopCount(plan.runSizes);
    const blocks = Math.ceil(whole / runs);
    const [unit, block, rest, count, firstColumn, columns, firstRow, rows, sums] = makeLocals(code, 'i32', 9);
    if (!unit || !block || !rest || !count || !firstColumn || !columns || !firstRow || !rows || !sums) return { units: 0, cost: 0, scratch: 0 };
    const batchIndices = makeLocals(code, 'i32', kernel.batch.length);
    const walk = new Odometer(code, plan.runSizes.length > 0 ? plan.runSizes : [1], plan.runSizes.length > 0 ? plan.runStrides : [0]);
    const epilogue = new Epilogue(code, kernel, this.options);
    const exit = code.block();
    code.get(code.parameter(1)).tee(unit).get(code.parameter(2)).op('i32.ge_s').brIf(exit);
    const units = code.loop();
    code.get(unit).i32(blocks).op('i32.rem_u').i32(runs).op('i32.mul').set(block);
    code.get(unit).i32(blocks).op('i32.div_u').set(rest);
    for (let i = batchIndices.length - 1; i >= 0; i--) {
      code.get(rest).i32(at(kernel.batch, i)).op('i32.rem_u').set(at(batchIndices, i));
      code.get(rest).i32(at(kernel.batch, i)).op('i32.div_u').set(rest);
    }
    const [a, b] = [this.address('a', batchIndices, this.leastA), this.address('b', batchIndices, this.leastB)];
    code.i32(whole).get(block).op('i32.sub').tee(count).i32(runs).get(count).i32(runs).op('i32.lt_s').op('select').set(count);
    code.get(code.parameter(3)).set(sums);
    walk.start(block);
    const from = code.local('i32');
    emitFor(code, count, () => {
      code.get(b).get(walk.offset).op('i32.add').set(from);
      this.emitRun(a, from, sums);
      walk.next();
      code.advance(sums, plan.run * 4);
    });
    code.get(code.parameter(3)).set(sums);
    code.get(block).i32(plan.run).op('i32.mul').set(firstColumn);
    code.get(count).i32(plan.run).op('i32.mul').set(columns);
    code.i32(0).set(firstRow);
    code.i32(plan.rows).set(rows);
    epilogue.emit(batchIndices, { sums, pitch: this.pitch, firstRow, rows, firstColumn, columns });
    code.advance(unit, 1).get(unit).get(code.parameter(2)).op('i32.lt_s').brIf(units);
    code.end().end();
    walk.release();
    const batch = loopCount(kernel.batch);
    const flops = 2 * batch * plan.rows * whole * plan.run * loopCount(plan.sizes);
    return { units: batch * blocks, cost: flops / 25, scratch: plan.rows * this.pitch + 64 };
  }

  private address(side: 'a' | 'b', batchIndices: readonly Local[], least: number): Local {
    const { code } = this;
    const { buffer, index } = this.kernel[side];
    const local = code.local('i32');
    code.get(code.parameter(0)).memory('i32.load', buffer * 4).i32(index.offset * 4 + least).op('i32.add');
    batchIndices.forEach((batchIndex, i) => code.get(batchIndex).i32((index.strides[i] ?? 0) * 4).op('i32.mul').op('i32.add'));
    code.set(local);
    return local;
  }

  /** All rows of one run of columns. */
  private emitRun(a: Local, from: Local, to: Local): void {
    const { code } = this;
    const { run, rows } = this.plan;
    const { tile, joins } = this.options;
    const whole = Math.floor(run / 4);
    const tiling = chooseTiling(rows, whole, tile, joins ? 2 : 1);
    const [source, target] = [code.local('i32'), code.local('i32')];
    let first = 0;
    for (const { size: height, count } of tiling.rows) {
      for (let part = 0; part < count; part++, first += height) {
        code.get(from).set(source);
        code.get(to).i32(first * this.pitch).op('i32.add').set(target);
        for (const { size: vectors, count: turns } of tiling.vectors) {
          emitFor(code, turns, () => {
            this.emitTile(a, source, target, { first, height, vectors });
            code.advance(source, 16 * vectors).advance(target, 16 * vectors);
          });
        }
        if (run % 4 === 0) continue;
        // The last vector ends with the run: some columns are computed twice.
        code.advance(source, ((run % 4) - 4) * 4).advance(target, ((run % 4) - 4) * 4);
        this.emitTile(a, source, target, { first, height, vectors: 1 });
      }
    }
    releaseLocals(code, [source, target]);
  }

  /** Sums of some rows and vectors in registers, over all of k. */
  private emitTile(a: Local, source: Local, target: Local, { first, height, vectors }: Omit<RegisterTile, 'sums'>): void {
    const { code, plan, loops } = this;
    const zero = code.constant(splatBytes(0, 'int32'));
    const sums = makeLocals(code, 'v128', height * vectors);
    for (const sum of sums) code.get(zero).set(sum);
    const done = code.block();
    const nest = (loop: number, pointerA: Local, pointerB: Local): void => {
      if (loop === loops) return this.emitSteps({ sums, first, height, vectors }, pointerA, pointerB, done);
      const [movingA, movingB] = [code.local('i32'), code.local('i32')];
      code.get(pointerA).set(movingA).get(pointerB).set(movingB);
      emitFor(code, at(plan.sizes, loop), () => {
        nest(loop + 1, movingA, movingB);
        code.advance(movingA, at(plan.stridesA, loop)).advance(movingB, at(plan.stridesB, loop));
      });
      releaseLocals(code, [movingA, movingB]);
    };
    nest(0, a, source);
    code.end();
    for (let row = 0; row < height; row++) {
      for (let j = 0; j < vectors; j++) code.get(target).get(at(sums, row * vectors + j)).memory('v128.store', row * this.pitch + 16 * j);
    }
    releaseLocals(code, sums);
  }

  /** Products of a vector of each column group and a factor of each row: those of the shorter side stay in registers. */
  private emitSteps({ sums, first, height, vectors }: RegisterTile, a: Local, b: Local, done: ReturnType<Code['block']>): void {
    const { code, plan, options } = this;
    const { fused, split }: Tile = options.tile;
    const { together } = flowOf(height, vectors);
    const [columns, factors] = [makeLocals(code, 'v128', vectors), makeLocals(code, 'v128', height)];
    this.stepsA.forEach((stepA, step) => {
      const loadColumn = (column: Local, j: number) => code.get(b).memory('v128.load', at(this.stepsB, step) - this.leastB + 16 * j).set(column);
      const loadFactor = (factor: Local, row: number) =>
        code.get(a).memory('v128.load32_splat', stepA + at(plan.rowOffsets, first + row) - this.leastA).set(factor);
      const multiply = (row: number, j: number) => {
        const sum = at(sums, row * vectors + j);
        code.get(at(factors, row)).get(at(columns, j));
        if (fused) code.get(sum).op('f32x4.relaxed_madd');
        else code.op('f32x4.mul').get(sum).op('f32x4.add');
        code.set(sum);
      };
      const byRows = height >= vectors;
      if (byRows) columns.forEach(loadColumn);
      else factors.forEach(loadFactor);
      const streamed = byRows ? factors : columns;
      streamed.forEach((operand, i) => {
        if (byRows) {
          loadFactor(operand, i);
          columns.forEach((_, j) => multiply(i, j));
        } else {
          loadColumn(operand, i);
          factors.forEach((_, row) => multiply(row, i));
        }
        // As in the micro-kernels: never taken (addresses are multiples of four), each with a condition of its own, so
        // that no loads move up and spill.
        const ends = i === streamed.length - 1 || (i + 1) % Math.max(1, together) === 0;
        if (split && ends) code.get(b).i32(4 * this.branches++ + 1).op('i32.eq').brIf(done);
      });
    });
    releaseLocals(code, [...columns, ...factors]);
  }
}
