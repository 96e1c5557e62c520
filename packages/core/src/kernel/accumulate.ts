// Sums over outer loops, beside reductions over inner ones or alone: which loops threads may still split, and what starts from 0.
import type { Affine, Instruction, LoopKernel } from './ir.ts';
import { loopCount } from './ir.ts';

/** The instruction that adds a value to elements which several positions of the outer loops share. */
export type Accumulate = Extract<Instruction, { op: 'accumulate' }>;

/** A kernel's sums over outer loops, in the order of its instructions. */
export function accumulations({ instructions }: LoopKernel): Accumulate[] {
  return instructions.filter((instruction) => instruction.op === 'accumulate');
}

/** The outer loops that an accumulation sums over: from `first` to before `behind`. */
export function summedLoops({ index }: Accumulate, { loops, outer }: LoopKernel): { readonly first: number; readonly behind: number } {
  const isSummed = (stride: number, loop: number): boolean => loop < outer && stride === 0 && (loops[loop] ?? 1) > 1;
  const first = index.strides.findIndex(isSummed);
  return first < 0 ? { first: outer, behind: outer } : { first, behind: index.strides.findLastIndex(isSummed) + 1 };
}

/**
 * How many of the leading loops iterate independently: those along which every accumulated sum moves. The outer loops
 * behind them run in order, each position of the leading ones by one thread.
 */
export function independentLoops(kernel: LoopKernel): number {
  return Math.min(kernel.outer, ...accumulations(kernel).map((sum) => summedLoops(sum, kernel).first));
}

/** The elements that one position of the leading loops sums up: `count` neighbours from an index on. */
export function accumulatedRange(sum: Accumulate, kernel: LoopKernel): { readonly start: Affine; readonly count: number } {
  const { offset, strides } = sum.index;
  const { behind } = summedLoops(sum, kernel);
  return { start: { offset, strides: strides.map((stride, loop) => (loop < behind ? stride : 0)) }, count: loopCount(kernel.loops.slice(behind)) };
}
