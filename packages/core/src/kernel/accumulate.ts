// Sums over outer loops beside the reductions over inner ones: which loops threads may still split, and what starts from 0.
import type { Affine, Instruction, LoopKernel } from './ir.ts';
import { loopCount } from './ir.ts';

export type Accumulate = Extract<Instruction, { op: 'accumulate' }>;

export function accumulations({ instructions }: LoopKernel): Accumulate[] {
  return instructions.filter((instruction) => instruction.op === 'accumulate');
}

/**
 * How many of the leading loops iterate independently: those along which every accumulated sum moves. The outer loops
 * behind them run in order, each position of the leading ones by one thread.
 */
export function independentLoops(kernel: LoopKernel): number {
  const { loops, outer } = kernel;
  const counts = accumulations(kernel).map(({ index }) => {
    const first = index.strides.findIndex((stride, loop) => stride === 0 && (loops[loop] ?? 1) > 1);
    return first < 0 ? outer : Math.min(first, outer);
  });
  return Math.min(outer, ...counts);
}

/** The elements that one position of the leading loops sums up: `count` neighbours from an index on. */
export function accumulatedRange({ index }: Accumulate, { loops, outer }: LoopKernel): { readonly start: Affine; readonly count: number } {
  return { start: { offset: index.offset, strides: index.strides.map((stride, loop) => (loop < outer ? stride : 0)) }, count: loopCount(loops.slice(outer)) };
}
