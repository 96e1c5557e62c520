// Contractions with few rows and a short sum (the first convolution of a network, depthwise convolutions): vectors along
// the columns, both operands read where they lie. Packing would cost more than it saves. Sums run in the same order as in
// the tiled form, as long as k is one chunk.
import { InternalError, loopCount, type ContractKernel } from '@athanor/core/backend';
import type { Code, Label, Local } from '../../assembler/code.ts';
import { at } from '../at.ts';
import { splatBytes } from '../lanes.ts';
import type { KernelShape } from '../loop.ts';
import { mergedAxis } from './axes.ts';
import { emitFor, makeLocals, releaseLocals } from './emit-for.ts';
import { Epilogue } from './epilogue.ts';
import { chunk } from './micro.ts';
import { Odometer } from './odometer.ts';
import { chooseTiling, emitStep } from './register-tile.ts';
import type { TiledOptions } from './tiled.ts';
import { emitExtent, emitIndices, emitUnits, operandAddress, scratchPlace } from './units.ts';

const largestRows = 8;
/** Steps of k that are written out; loops over k outside of them stay loops. */
const largestUnroll = 32;
const longestRun = 256;
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
  const whole = at(columns.sizes, columns.sizes.length - 1);
  const run = runOf(whole);
  if (run === undefined || strides.at(-1) !== 1) return undefined;
  return {
    rows,
    rowOffsets: offsetsOf(m, bytes(a.index.strides.slice(batch.length, batch.length + m.length))),
    run,
    runSizes: [...columns.sizes.slice(0, -1), whole / run],
    runStrides: bytes([...strides.slice(0, -1), run]),
    sizes: sums.sizes,
    stridesA: bytes(at(sums.strides, 0)),
    stridesB: bytes(at(sums.strides, 1)),
  };
}

/** Columns of a run: long stretches are cut, so that threads can share them; undefined where a stretch is too short or cannot be cut. */
function runOf(columns: number): number | undefined {
  if (columns < 4) return undefined;
  if (columns <= longestRun) return columns;
  for (let run = longestRun; run >= longestRun / 8; run -= 4) if (columns % run === 0) return run;
  return undefined;
}

/** Offsets of all positions of some loops, in order. */
function offsetsOf(sizes: readonly number[], strides: readonly number[]): number[] {
  return sizes.reduce<number[]>((offsets, size, loop) => offsets.flatMap((offset) => Array.from({ length: size }, (_, i) => offset + i * (strides[loop] ?? 0))), [0]);
}

export function emitDirect(code: Code, kernel: ContractKernel, plan: DirectPlan, options: TiledOptions): KernelShape {
  return new DirectEmitter(code, kernel, plan, options).emit();
}

/** `height` rows from `first` on, and some vectors of each. */
interface Part {
  readonly first: number;
  readonly height: number;
  readonly vectors: number;
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
    const [block, rest, count, firstColumn, columns, firstRow, rows] = makeLocals(code, 'i32', 7);
    if (!block || !rest || !count || !firstColumn || !columns || !firstRow || !rows) throw new InternalError('locals are missing');
    const batchIndices = makeLocals(code, 'i32', kernel.batch.length);
    const walk = new Odometer(code, plan.runSizes, plan.runStrides);
    const epilogue = new Epilogue(code, kernel, this.options);
    emitUnits(code, (unit) => {
      code.get(unit).i32(blocks).op('i32.rem_u').i32(runs).op('i32.mul').set(block);
      code.get(unit).i32(blocks).op('i32.div_u').set(rest);
      emitIndices(code, rest, kernel.batch, batchIndices);
      emitExtent(code, block, runs, whole, count);
      const [a, b] = [operandAddress(code, kernel, 'a', batchIndices, this.leastA), operandAddress(code, kernel, 'b', batchIndices, this.leastB)];
      const [sums, from] = [scratchPlace(code, 0), code.local('i32')];
      walk.start(block);
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
    });
    const batch = loopCount(kernel.batch);
    const flops = 2 * batch * plan.rows * whole * plan.run * loopCount(plan.sizes);
    return { units: batch * blocks, cost: flops / 25, scratch: plan.rows * this.pitch + 64 };
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
  private emitTile(a: Local, source: Local, target: Local, { first, height, vectors }: Part): void {
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

  /** The steps that are written out: factors are rows of a, vectors columns of b. */
  private emitSteps({ sums, first, height, vectors }: Part & { readonly sums: readonly Local[] }, a: Local, b: Local, done: Label): void {
    const { code, plan, options } = this;
    this.stepsA.forEach((stepA, step) => {
      emitStep(code, options.tile, { sums, height, width: vectors }, {
        row: (factor, row) => code.get(a).memory('v128.load32_splat', stepA + at(plan.rowOffsets, first + row) - this.leastA).set(factor),
        column: (vector, j) => code.get(b).memory('v128.load', at(this.stepsB, step) - this.leastB + 16 * j).set(vector),
        // Addresses are multiples of four.
        branch: () => code.get(b).i32(4 * this.branches++ + 1).op('i32.eq').brIf(done),
      });
    });
  }
}
