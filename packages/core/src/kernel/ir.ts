// Kernels and programs as data: what the scheduler makes and what every program backend turns into code.
import type { Dtype } from '../dtype.ts';
import type { ElementwiseOp } from '../graph/elementwise.ts';
import type { Attributes, Combine } from '../graph/node.ts';

/** offset + Σ strides[i] · loop_i. One stride per loop of the kernel. */
export interface Affine {
  readonly offset: number;
  readonly strides: readonly number[];
}

/** An access is real only where 0 ≤ index < size. */
export interface Guard {
  readonly index: Affine;
  readonly size: number;
}

/** Position of an instruction in its kernel's list; operands come earlier. */
export type Value = number;

/**
 * One instruction in SSA form. Every instruction belongs to a stage (see LoopKernel) and has a dtype.
 * bool values are 0 or 1 in memory.
 */
export type Instruction =
  | { readonly op: 'constant'; readonly value: number; readonly dtype: Dtype }
  /** Element index + the buffer argument's offset; `fill` where a guard fails. */
  | { readonly op: 'load'; readonly buffer: number; readonly index: Affine; readonly guards: readonly Guard[]; readonly fill: number; readonly dtype: Dtype }
  /** buffer[index + clamp(at, 0, size − 1) · stride]; `at` is int32; raises the flag if it had to clamp where the guards hold; `fill` where a guard fails. */
  | { readonly op: 'gather'; readonly buffer: number; readonly index: Affine; readonly at: Value; readonly stride: number; readonly size: number; readonly guards: readonly Guard[]; readonly fill: number; readonly dtype: Dtype }
  /** The affine value itself, int32. */
  | { readonly op: 'index'; readonly index: Affine; readonly dtype: 'int32' }
  /** 1 where all guards hold. */
  | { readonly op: 'inside'; readonly guards: readonly Guard[]; readonly dtype: 'bool' }
  | { readonly op: 'elementwise'; readonly name: ElementwiseOp; readonly inputs: readonly Value[]; readonly dtype: Dtype }
  | { readonly op: 'where'; readonly inputs: readonly [Value, Value, Value]; readonly dtype: Dtype }
  | { readonly op: 'cast'; readonly inputs: readonly [Value]; readonly dtype: Dtype }
  | { readonly op: 'bitcast'; readonly inputs: readonly [Value]; readonly dtype: Dtype }
  /** Word 0 of Threefry-2x32-20 with key [key0, key1] on block [block0, block1]; all int32. */
  | { readonly op: 'threefry'; readonly inputs: readonly [Value, Value, Value, Value]; readonly dtype: 'int32' }
  /** Reduces an inner value over all inner loops; its value is known from the next outer stage on. */
  | { readonly op: 'reduce'; readonly combine: ReduceCombine; readonly input: Value; readonly dtype: Dtype }
  /** Remembers an inner value in a row of scratch; `recall` in a later inner stage yields it at the same inner position. */
  | { readonly op: 'keep'; readonly row: number; readonly input: Value; readonly dtype: Dtype }
  | { readonly op: 'recall'; readonly row: number; readonly dtype: Dtype }
  /** The finished sum of a contraction (epilogues only). */
  | { readonly op: 'accumulator'; readonly dtype: Dtype }
  | { readonly op: 'store'; readonly buffer: number; readonly index: Affine; readonly input: Value; readonly dtype: Dtype }
  /**
   * buffer[index] = Σ input over the outer positions that share an index, in loop order, starting from 0. The index moves
   * along the first few loops and along the last ones, the vector loop among them, which are all inner loops where there
   * are such (kernel/accumulate.ts); nothing else touches the buffer.
   */
  | { readonly op: 'accumulate'; readonly buffer: number; readonly index: Affine; readonly input: Value; readonly dtype: Dtype }
  /** buffer[index + at · stride] += input, in loop order; dropped, with the flag raised, when `at` is out of [0, size). Loops marked `serial` below. */
  | { readonly op: 'scatter'; readonly buffer: number; readonly index: Affine; readonly at: Value; readonly stride: number; readonly size: number; readonly input: Value; readonly dtype: Dtype };

/** How a reduction joins two values. */
export type ReduceCombine = 'sum' | 'prod' | 'max' | 'min';

/** A buffer argument of a kernel. Indices in the kernel are relative to the argument's offset. */
export interface BufferParameter {
  readonly dtype: Dtype;
  readonly access: 'read' | 'write' | 'readwrite';
}

/**
 * One loop nest. Loops are listed from the outermost; the first `outer` ones iterate independently (threads may
 * split them, where nothing accumulates), the others are inner: reduced over. Instructions run in stages: stage 0, 2, 4, … once per outer
 * position, stage 1, 3, 5, … once per inner position; `stages[i]` is the stage of instruction i, never decreasing.
 * An inner value is visible in its own stage only; an outer value in all later stages.
 *
 * `vector` is the loop whose consecutive positions backends may compute together:
 * - an inner loop (always the last one): a reduction runs in 32 logical lanes, lane = position in that loop mod 32,
 *   over all inner positions in order, starting from the identity; then the halves are combined, lane i with lane
 *   i + 16, then i + 8, … i + 1.
 * - an outer loop (always loop outer − 1): each lane reduces alone, sequentially over the inner loops.
 * Both give the same bits for every vector width and number of threads.
 */
export interface LoopKernel {
  readonly kind: 'loop';
  readonly name: string;
  readonly loops: readonly number[];
  readonly outer: number;
  readonly vector: number;
  readonly buffers: readonly BufferParameter[];
  readonly instructions: readonly Instruction[];
  readonly stages: readonly number[];
  /** Scratch rows of `keep`: the dtype of each; a row has as many elements as the inner loops have positions. */
  readonly rows: readonly Dtype[];
  /** Kernels with `scatter`: no loop may be split or reordered but the outer ones, and none vectorised unless `at` is constant along it. */
  readonly scatters: boolean;
}

/**
 * out[batch, m, n] = epilogue(Σ_k a[batch, m, k] · b[batch, n, k]). All affine indices and the epilogue's range over
 * the loops [...batch, ...m, ...n, ...k] in this order (operands have stride 0 along loops that they lack; the
 * epilogue along k). Operands are plain views of buffers without guards. The sum over K runs in an order that depends
 * on the k loops alone: never split over threads, never by m, n or batch.
 */
export interface ContractKernel {
  readonly kind: 'contract';
  readonly name: string;
  readonly combine: Combine;
  readonly batch: readonly number[];
  readonly m: readonly number[];
  readonly n: readonly number[];
  readonly k: readonly number[];
  readonly buffers: readonly BufferParameter[];
  readonly a: { readonly buffer: number; readonly index: Affine };
  readonly b: { readonly buffer: number; readonly index: Affine };
  /** dtype of the operands; the accumulator is int32 for int8 and for xor-popcount, else the same. */
  readonly dtype: Dtype;
  readonly accumulator: Dtype;
  /** Instructions once per [batch, m, n] position: `accumulator`, loads, elementwise, stores. */
  readonly epilogue: readonly Instruction[];
}

/** Operations that are never fused with others. */
export type RoutineOp = 'sort' | 'cumulative' | 'eigh' | 'cholesky' | 'triangularSolve' | 'allReduce';

/** Plain JavaScript over contiguous buffers (kernel/routines.ts): inputs in order, then the output. */
export type RoutineKernel = {
  [K in RoutineOp]: {
    readonly kind: 'routine';
    readonly name: string;
    readonly routine: K;
    readonly attributes: Attributes[K];
    readonly shapes: readonly (readonly number[])[]; // of the inputs
    readonly buffers: readonly BufferParameter[];
  };
}[RoutineOp];

/** One function of a program: a loop nest, a contraction, or a routine. */
export type Kernel = LoopKernel | ContractKernel | RoutineKernel;

/** Where a buffer of a program lives. Arena offsets are in bytes and multiples of 64. */
export type Place =
  | { readonly kind: 'arena'; readonly offset: number }
  | { readonly kind: 'input'; readonly index: number } // host data, copied in before the run
  | { readonly kind: 'variable'; readonly index: number }
  | { readonly kind: 'output'; readonly index: number };

export interface ProgramBuffer {
  readonly dtype: Dtype;
  readonly elements: number;
  readonly place: Place;
}

export interface Command {
  /** Index into Program.kernels. */
  readonly kernel: number;
  /** One per kernel buffer: a program buffer, and the offset in elements that the kernel's indices start from. */
  readonly arguments: readonly { readonly buffer: number; readonly offset: number }[];
  /** All earlier commands must have finished before this one starts. */
  readonly barrier: boolean;
}

/** One run: a list of commands over buffers. Data only; backends compile its kernels and walk its commands. */
export interface Program {
  readonly kernels: readonly Kernel[];
  readonly commands: readonly Command[];
  readonly buffers: readonly ProgramBuffer[];
  readonly arenaBytes: number;
  /** Host inputs that this program reads, in the order of `Place.index`. */
  readonly inputs: readonly { readonly dtype: Dtype; readonly elements: number }[];
  readonly variables: readonly { readonly dtype: Dtype; readonly elements: number }[];
  readonly outputs: readonly { readonly dtype: Dtype; readonly elements: number }[];
}

/** Equal for kernels that compute the same; `name` does not count. */
export function kernelKey(kernel: Kernel): string {
  const text = JSON.stringify({ ...kernel, name: undefined });
  if (kernel.kind === 'routine') return text;
  // JSON writes null for what is not finite, and no sign for zero.
  const odd = (kernel.kind === 'loop' ? kernel.instructions : kernel.epilogue).flatMap((instruction, i) => {
    const number = instruction.op === 'constant' ? instruction.value : 'fill' in instruction ? instruction.fill : 1;
    return Object.is(number, -0) ? [i, '-0'] : Number.isFinite(number) ? [] : [i, number];
  });
  return odd.length === 0 ? text : `${text} ${odd.join(' ')}`;
}

/** Kernels per inner position count, FLOPs of a contraction, … helpers that backends share stand in kernel/measure.ts. */
export function loopCount(loops: readonly number[]): number {
  return loops.reduce((product, size) => product * size, 1);
}
