// The elementwise operations: one entry each, with everything that the rest of the system needs to know.
// `evaluate` is the definition (float64 numbers in and out; the reference runs it), `gradient` stands in
// gradient/rules.ts beside the other rules. Edge cases: docs/OPS.md.
import { erf } from '../kernel/scalar.ts';

type DtypeRule =
  | 'same' // the operands' common dtype
  | 'float' // operands must be float
  | 'number' // any dtype but bool
  | 'integer' // int32, uint8, int8
  | 'bits' // integers and bool
  | 'compare'; // any common dtype; the result is bool

/** A row of the table of pointwise operations. */
export interface ElementwiseEntry {
  readonly arity: 1 | 2;
  readonly dtype: DtypeRule;
  /** Rough cost in simple instructions; ≥ 8 counts as transcendental. */
  readonly cost: number;
  /** The definition, in float64. */
  readonly evaluate: (a: number, b: number) => number;
}

const roundHalfToEven = (x: number): number => {
  const floor = Math.floor(x);
  const rest = x - floor;
  const up = rest > 0.5 || (rest === 0.5 && floor % 2 !== 0);
  const rounded = up ? floor + 1 : floor;
  return rounded === 0 && x < 0 ? -0 : rounded;
};

const populationCount = (x: number): number => {
  let bits = x | 0;
  let count = 0;
  while (bits !== 0) {
    bits &= bits - 1;
    count++;
  }
  return count;
};

/** The table of pointwise operations: arity, dtypes, cost, definition, gradient. */
export const elementwise = {
  // Signs and rounding.
  neg: { arity: 1, dtype: 'number', cost: 1, evaluate: (x) => -x },
  abs: { arity: 1, dtype: 'number', cost: 1, evaluate: Math.abs },
  sign: { arity: 1, dtype: 'number', cost: 3, evaluate: Math.sign },
  floor: { arity: 1, dtype: 'float', cost: 1, evaluate: Math.floor },
  ceil: { arity: 1, dtype: 'float', cost: 1, evaluate: Math.ceil },
  round: { arity: 1, dtype: 'float', cost: 1, evaluate: roundHalfToEven },
  trunc: { arity: 1, dtype: 'float', cost: 1, evaluate: Math.trunc },
  // Roots, exponentials, angles.
  sqrt: { arity: 1, dtype: 'float', cost: 4, evaluate: Math.sqrt },
  exp: { arity: 1, dtype: 'float', cost: 12, evaluate: Math.exp },
  expm1: { arity: 1, dtype: 'float', cost: 16, evaluate: Math.expm1 },
  log: { arity: 1, dtype: 'float', cost: 14, evaluate: Math.log },
  log1p: { arity: 1, dtype: 'float', cost: 18, evaluate: Math.log1p },
  sin: { arity: 1, dtype: 'float', cost: 16, evaluate: Math.sin },
  cos: { arity: 1, dtype: 'float', cost: 16, evaluate: Math.cos },
  atan: { arity: 1, dtype: 'float', cost: 16, evaluate: Math.atan },
  tanh: { arity: 1, dtype: 'float', cost: 14, evaluate: Math.tanh },
  erf: { arity: 1, dtype: 'float', cost: 20, evaluate: erf },
  // Arithmetic. Integers wrap; integer division is `floorDivide`; both zero divisors give 0 for integers.
  add: { arity: 2, dtype: 'number', cost: 1, evaluate: (a, b) => a + b },
  sub: { arity: 2, dtype: 'number', cost: 1, evaluate: (a, b) => a - b },
  mul: { arity: 2, dtype: 'number', cost: 1, evaluate: (a, b) => a * b },
  div: { arity: 2, dtype: 'float', cost: 4, evaluate: (a, b) => a / b },
  floorDivide: { arity: 2, dtype: 'integer', cost: 8, evaluate: (a, b) => (b === 0 ? 0 : Math.floor(a / b)) },
  mod: { arity: 2, dtype: 'integer', cost: 8, evaluate: (a, b) => (b === 0 ? 0 : a - Math.floor(a / b) * b) },
  pow: { arity: 2, dtype: 'float', cost: 30, evaluate: (a, b) => (a === 1 ? 1 : a ** b) },
  // NaN wins over everything.
  max: { arity: 2, dtype: 'same', cost: 1, evaluate: Math.max },
  min: { arity: 2, dtype: 'same', cost: 1, evaluate: Math.min },
  // Bits and logic; on bool they are logic. Shift amounts count modulo 32; `shr` is arithmetic, `ushr` logical (int32 only).
  and: { arity: 2, dtype: 'bits', cost: 1, evaluate: (a, b) => a & b },
  or: { arity: 2, dtype: 'bits', cost: 1, evaluate: (a, b) => a | b },
  xor: { arity: 2, dtype: 'bits', cost: 1, evaluate: (a, b) => a ^ b },
  not: { arity: 1, dtype: 'bits', cost: 1, evaluate: (a) => ~a },
  shl: { arity: 2, dtype: 'integer', cost: 1, evaluate: (a, b) => a << b },
  shr: { arity: 2, dtype: 'integer', cost: 1, evaluate: (a, b) => a >> b },
  ushr: { arity: 2, dtype: 'integer', cost: 1, evaluate: (a, b) => (a >>> b) | 0 },
  popcount: { arity: 1, dtype: 'integer', cost: 2, evaluate: populationCount },
  // Comparisons; any comparison with NaN but `ne` is false.
  lt: { arity: 2, dtype: 'compare', cost: 1, evaluate: (a, b) => (a < b ? 1 : 0) },
  le: { arity: 2, dtype: 'compare', cost: 1, evaluate: (a, b) => (a <= b ? 1 : 0) },
  eq: { arity: 2, dtype: 'compare', cost: 1, evaluate: (a, b) => (a === b ? 1 : 0) },
  ne: { arity: 2, dtype: 'compare', cost: 1, evaluate: (a, b) => (a !== b ? 1 : 0) },
} as const satisfies Record<string, ElementwiseEntry>;

/** The name of a pointwise operation. */
export type ElementwiseOp = keyof typeof elementwise;
/** A pointwise operation with one operand. */
export type UnaryOp = { [K in ElementwiseOp]: (typeof elementwise)[K]['arity'] extends 1 ? K : never }[ElementwiseOp];
/** A pointwise operation with two operands. */
export type BinaryOp = Exclude<ElementwiseOp, UnaryOp>;

/** Whether a name is that of a pointwise operation. */
export function isElementwiseOp(op: string): op is ElementwiseOp {
  return Object.hasOwn(elementwise, op);
}
