// The graph: immutable nodes of a small op set. Constructors check and infer shape and dtype; nothing computes here.
import type { Dtype, TypedArray } from '../dtype.ts';
import type { Shape } from '../shape.ts';
import type { ElementwiseOp } from './elementwise.ts';

/** State that a graph reads and assigns: the identity that a program binds to memory. */
export interface VariableSlot {
  readonly id: number;
  readonly name: string;
  readonly shape: Shape;
  readonly dtype: Dtype;
}

/** Host data that a graph reads; copied in at every run. A placeholder has `data` undefined until it is bound. */
export interface HostLeaf {
  readonly id: number;
  data: TypedArray | undefined;
}

/** [low, high] padding of one axis. */
export type PaddingPair = readonly [low: number, high: number];

/** Operations that reduce axes to size 1. */
export type ReduceOp = 'sum' | 'prod' | 'maxReduce' | 'minReduce';

/** Attributes of each op. Axes are non-negative. */
export interface Attributes {
  // Sources.
  constant: { readonly value: number }; // a scalar, embedded in the kernel
  data: { readonly leaf: HostLeaf };
  read: { readonly variable: VariableSlot; readonly version: number };
  iota: { readonly size: number }; // int32 [size]: 0, 1, …
  randomBits: { readonly shape: Shape }; // inputs: key int32[2], counter int32[]; element i is word 0 of Threefry-2x32-20(key, [i, counter])
  // Elementwise; operands have equal shape and, but for `where`'s first, equal dtype.
  where: Record<never, never>;
  cast: { readonly dtype: Dtype };
  bitcast: { readonly dtype: Dtype }; // same width
  // Reductions keep the reduced axes with size 1. Over nothing: sum 0, prod 1, max and min are errors.
  sum: { readonly axes: readonly number[] };
  prod: { readonly axes: readonly number[] };
  maxReduce: { readonly axes: readonly number[] };
  minReduce: { readonly axes: readonly number[] };
  // Movement.
  reshape: { readonly shape: Shape };
  permute: { readonly order: readonly number[] };
  expand: { readonly shape: Shape }; // same rank, size-1 axes grow
  pad: { readonly padding: readonly PaddingPair[]; readonly value: number }; // non-negative
  slice: { readonly start: readonly number[]; readonly stop: readonly number[]; readonly step: readonly number[] }; // step ≥ 1
  flip: { readonly axes: readonly number[] };
  window: { readonly axis: number; readonly size: number; readonly stride: number; readonly dilation: number }; // the axis becomes the window's position; a last axis holds the offset in it
  // Indexing (PyTorch's gather and scatter_add): ranks are equal; index is int32.
  gather: { readonly axis: number }; // inputs: x, index; out[i][j] = x[index[i][j]][j] for axis 0; clamps and raises a flag
  scatterAdd: { readonly axis: number }; // inputs: base, index, source; an index out of range is dropped and raises a flag
  // Contractions.
  dot: DotAttributes; // output axes: batch, free axes of a, free axes of b
  conv: ConvAttributes; // x [N, G, C, …S], weight [G, O, C, …K] → [N, G, O, …S']
  // Routines: never fused, computed by one piece of code.
  sort: { readonly axis: number; readonly descending: boolean; readonly output: 'values' | 'indices' }; // stable; NaN last
  cumulative: { readonly axis: number; readonly combine: 'sum' | 'prod' | 'max' | 'min' };
  eigh: { readonly output: 'values' | 'vectors' }; // [..., n, n] symmetric; values ascending; vectors are columns
  cholesky: Record<never, never>; // [..., n, n] → lower triangle
  triangularSolve: { readonly lower: boolean; readonly transpose: boolean; readonly unitDiagonal: boolean }; // inputs: a [..., n, n], b [..., n, m]
  allReduce: Record<never, never>; // the sum over replicas, each of which runs the same program (kernel/collective.ts)
}

/** What a contraction does with the products: multiply and add, or count the bits that differ. */
export type Combine = 'multiply-add' | 'xor-popcount';

export interface DotAttributes {
  /** Pairs of axes [of a, of b] that both operands share and the output keeps. */
  readonly batch: readonly (readonly [number, number])[];
  /** Pairs of axes that are summed over. */
  readonly contract: readonly (readonly [number, number])[];
  /** int8 operands give int32 sums; xor-popcount takes int32 words and gives int32 counts. */
  readonly combine: Combine;
}

export interface ConvAttributes {
  readonly stride: readonly number[];
  /** May be negative (cropping). */
  readonly padding: readonly PaddingPair[];
  /** Zeros between input elements: 1 means none. */
  readonly inputDilation: readonly number[];
  readonly kernelDilation: readonly number[];
  readonly combine: Combine;
}

/** Operations with attributes: all that are not pointwise. */
export type SpecialOp = keyof Attributes;
/** The name of any operation. */
export type Op = SpecialOp | ElementwiseOp;

interface NodeBase {
  readonly id: number;
  readonly inputs: readonly Node[];
  readonly shape: Shape;
  readonly dtype: Dtype;
  /** Path of the module whose forward made the node ("" outside of modules). */
  readonly module: string;
  /** Recomputation region of `checkpoint`; nodes of different regions are never merged. 0 is none. */
  readonly region: number;
}

/** A node of one operation, with its attributes. */
export type NodeOf<K extends Op> = NodeBase & {
  readonly op: K;
  readonly attributes: K extends SpecialOp ? Attributes[K] : Record<never, never>;
};

/** One value of a graph. `node.op` discriminates `node.attributes`. */
export type Node = { [K in Op]: NodeOf<K> }[Op];
