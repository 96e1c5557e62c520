// The gradient table: for each op and each operand, the vector-Jacobian product as a graph. Read it as calculus:
// `dy` is the gradient with respect to the result y, a and b are the operands. An operand without an entry has no
// gradient; integer and bool nodes are never asked. Ties go to the first operand (docs/OPS.md).
import { apply, cast, reduce, where } from '../graph/build.ts';
import { allReduce, gather, scatterAdd } from '../graph/combine.ts';
import { expand, flip, permute, reshape, slice } from '../graph/move.ts';
import type { Node, NodeOf, Op } from '../graph/node.ts';
import { isFloat } from '../dtype.ts';
import { convInputGradient, convWeightGradient, dotGradient } from './contractions.ts';
import { add, atLeast, div, equal, exceptWhere, inverseOrder, like, mul, neg, onlyWhere, positions, scale, sub, sumTo, zerosLike } from './helpers.ts';
import { sliceGradient, windowGradient } from './movement.ts';
import {
  choleskyGradient,
  cumulativeGradient,
  eighGradient,
  productGradient,
  solveGradient,
  solveMatrixGradient,
  sortGradient,
} from './routines.ts';

/** The gradient with respect to one operand. Ops with fewer operands ignore b and c. */
export type Rule<K extends Op> = (dy: Node, y: NodeOf<K>, a: Node, b: Node, c: Node) => Node | undefined;

const none = [] as const;
const one = (x: Node): Node => like(x, 1);
const square = (x: Node): Node => mul(x, x);

export const rules: { readonly [K in Op]: readonly (Rule<K> | undefined)[] } = {
  // Sources.
  constant: none,
  data: none,
  read: none,
  iota: none,
  randomBits: none,
  // Signs and rounding: flat but for abs and neg.
  neg: [(dy) => neg(dy)],
  abs: [(dy, _, a) => mul(dy, apply('sign', a))],
  sign: none,
  floor: none,
  ceil: none,
  round: none,
  trunc: none,
  // Roots, exponentials, angles.
  sqrt: [(dy, y) => div(scale(dy, 0.5), y)],
  exp: [(dy, y) => mul(dy, y)],
  expm1: [(dy, y) => mul(dy, add(y, one(y)))],
  log: [(dy, _, a) => div(dy, a)],
  log1p: [(dy, _, a) => div(dy, add(a, one(a)))],
  sin: [(dy, _, a) => mul(dy, apply('cos', a))],
  cos: [(dy, _, a) => neg(mul(dy, apply('sin', a)))],
  atan: [(dy, _, a) => div(dy, add(square(a), one(a)))],
  tanh: [(dy, y) => mul(dy, sub(one(y), square(y)))],
  erf: [(dy, _, a) => mul(dy, scale(apply('exp', neg(square(a))), 2 / Math.sqrt(Math.PI)))],
  // Arithmetic.
  add: [(dy) => dy, (dy) => dy],
  sub: [(dy) => dy, (dy) => neg(dy)],
  mul: [(dy, _, __, b) => mul(dy, b), (dy, _, a) => mul(dy, a)],
  div: [(dy, _, __, b) => div(dy, b), (dy, y, _, b) => neg(div(mul(dy, y), b))],
  // b·aᵇ⁻¹ is 0 where b is 0, also at a = 0; aᵇ·log a is 0 where a is 0 and b is not negative.
  pow: [
    (dy, _, a, b) => exceptWhere(equal(b, zerosLike(b)), mul(dy, mul(b, apply('pow', a, sub(b, one(b)))))),
    (dy, y, a, b) => exceptWhere(apply('and', equal(a, zerosLike(a)), atLeast(b, zerosLike(b))), mul(dy, mul(y, apply('log', a)))),
  ],
  floorDivide: none,
  mod: none,
  max: [(dy, _, a, b) => onlyWhere(atLeast(a, b), dy), (dy, _, a, b) => exceptWhere(atLeast(a, b), dy)],
  min: [(dy, _, a, b) => onlyWhere(atLeast(b, a), dy), (dy, _, a, b) => exceptWhere(atLeast(b, a), dy)],
  // Bits, logic, comparisons.
  and: none,
  or: none,
  xor: none,
  not: none,
  shl: none,
  shr: none,
  ushr: none,
  popcount: none,
  lt: none,
  le: none,
  eq: none,
  ne: none,
  // Choice and conversion.
  where: [undefined, (dy, _, condition) => onlyWhere(condition, dy), (dy, _, condition) => exceptWhere(condition, dy)],
  cast: [(dy, _, a) => (isFloat(a.dtype) ? cast(dy, a.dtype) : undefined)],
  bitcast: none,
  // Reductions.
  sum: [(dy, _, a) => expand(dy, a.shape)],
  prod: [productGradient],
  maxReduce: [extremumGradient],
  minReduce: [extremumGradient],
  // Movement.
  reshape: [(dy, _, a) => reshape(dy, a.shape)],
  permute: [(dy, y) => permute(dy, inverseOrder(y.attributes.order))],
  expand: [(dy, _, a) => sumTo(dy, a.shape)],
  pad: [
    (dy, y, a) => {
      const start = y.attributes.padding.map(([low]) => low);
      return slice(dy, start, a.shape.map((size, axis) => size + (start[axis] ?? 0)), a.shape.map(() => 1));
    },
  ],
  slice: [sliceGradient],
  flip: [(dy, y) => flip(dy, y.attributes.axes)],
  window: [windowGradient],
  // Indexing.
  gather: [(dy, y, a, index) => scatterAdd(zerosLike(a), index, dy, y.attributes.axis)],
  scatterAdd: [(dy) => dy, undefined, (dy, y, _, index) => gather(dy, index, y.attributes.axis)],
  // Contractions.
  dot: [(dy, y) => dotGradient(dy, y, 0), (dy, y) => dotGradient(dy, y, 1)],
  conv: [(dy, y, _, weight) => convInputGradient(dy, y, weight), (dy, y, a) => convWeightGradient(dy, y, a)],
  // Routines.
  sort: [sortGradient],
  cumulative: [cumulativeGradient],
  eigh: [eighGradient],
  cholesky: [choleskyGradient],
  // Every replica's loss counts: the gradient of their sum.
  allReduce: [(dy) => allReduce(dy)],
  triangularSolve: [(dy, y, a) => solveMatrixGradient(dy, y, a), (dy, y, a) => solveGradient(dy, y, a)],
};

/** The first extremal element in row-major order gets everything. */
function extremumGradient(dy: Node, y: NodeOf<'maxReduce' | 'minReduce'>, a: Node): Node {
  const place = positions(a, y.attributes.axes);
  const count = a.shape.reduce((product, size) => product * size, 1);
  const candidates = where(equal(a, expand(y, a.shape)), place, like(place, count));
  const first = reduce('minReduce', candidates, y.attributes.axes);
  return onlyWhere(equal(place, expand(first, a.shape)), expand(dy, a.shape));
}
