// What a conformance case is: data that says what is tested, and a graph to compute.
import type { Dtype, Node, TypedArray, VariableSlot } from '@athanor/core/backend';

/** How far a result may be from the float64 reference; integers and bool must always be equal. */
export interface Tolerance {
  /** Units in the last place of the result's dtype. 0 asks for the reference's value, rounded once. */
  readonly ulps: number;
  /** The error may be as large as for a result of this size: what was summed, or what cancelled. Default 0. */
  readonly scale?: number;
  /** Zeros must have the reference's sign. */
  readonly signedZero?: boolean;
}

export const exact: Tolerance = { ulps: 0 };

export interface Problem {
  readonly outputs: readonly Node[];
  readonly assignments?: readonly { readonly variable: VariableSlot; readonly value: Node }[];
  /** Values of Variables before the first run. */
  readonly initial?: ReadonlyMap<VariableSlot, TypedArray>;
  /** How often to run; Variables keep their values between runs. Default 1. */
  readonly runs?: number;
  /** The run must fail because an index is out of range. */
  readonly outOfRange?: boolean;
}

export interface Case {
  readonly op: string;
  readonly dtype: Dtype | 'mixed';
  /** Shape class, or what else tells the case from its siblings. */
  readonly shape: string;
  readonly direction: 'forward' | 'backward';
  readonly tolerance: Tolerance;
  readonly build: () => Problem;
}

/** What makes a case distinct. */
export function titleOf({ op, dtype, direction, shape }: Case): string {
  return `${op} ${dtype}${direction === 'backward' ? ' backward' : ''}: ${shape}`;
}
