// Gradients of the routines: sorting, running products and extrema, and linear algebra
// (Giles 2008, "Collected matrix derivative results for forward and reverse mode algorithmic differentiation").
import { apply, reduce, where } from '../graph/build.ts';
import { cumulative, eigh, scatterAdd, sort, triangularSolve } from '../graph/combine.ts';
import { expand, flip, permute, reshape } from '../graph/move.ts';
import type { Node, NodeOf } from '../graph/node.ts';
import * as h from './helpers.ts';

/** Each sorted element hands its gradient to the place that it came from. */
export function sortGradient(dy: Node, y: NodeOf<'sort'>, x: Node): Node {
  const from = sort(x, { ...y.attributes, output: 'indices' });
  return scatterAdd(h.zerosLike(x), from, dy, y.attributes.axis);
}

export function cumulativeGradient(dy: Node, y: NodeOf<'cumulative'>, x: Node): Node {
  const { axis, combine } = y.attributes;
  switch (combine) {
    case 'sum':
      return flip(cumulative(flip(dy, [axis]), { axis, combine }), [axis]);
    case 'prod':
      return cumulativeProductGradient(dy, x, axis);
    default:
      return cumulativeExtremumGradient(dy, y, x);
  }
}

/** The element that first reached the running extremum gets the gradient. */
function cumulativeExtremumGradient(dy: Node, y: NodeOf<'cumulative'>, x: Node): Node {
  const { axis, combine } = y.attributes;
  const worst = combine === 'max' ? -Infinity : Infinity;
  const shifted = h.sliceAxis(h.padAxis(y, axis, [1, 0], worst), axis, 0, y.shape[axis] ?? 0);
  const renewed = combine === 'max' ? apply('lt', shifted, x) : apply('lt', x, shifted);
  const holder = cumulative(h.onlyWhere(renewed, h.positions(x, [axis])), { axis, combine: 'max' });
  return scatterAdd(h.zerosLike(x), holder, dy, axis);
}

/** The product of all elements before each along an axis (1 for the first). */
function exclusiveProduct(x: Node, axis: number): Node {
  const shifted = h.sliceAxis(h.padAxis(x, axis, [1, 0], 1), axis, 0, x.shape[axis] ?? 0);
  return cumulative(shifted, { axis, combine: 'prod' });
}

/** dx_j = Π_{k<j} x_k · Σ_{i≥j} dy_i Π_{j<k≤i} x_k: no division, so zeros are no exception. O(n²) along the axis. */
function cumulativeProductGradient(dy: Node, x: Node, axis: number): Node {
  const size = x.shape[axis] ?? 0;
  const grid = [...x.shape.slice(0, axis), size, ...x.shape.slice(axis)]; // j, then i (or k), at `axis`
  const column = grid.with(axis, 1);
  const spread = (values: Node): Node => expand(reshape(values, column), grid);
  const wide = spread(x);
  const [j, k] = [h.positions(wide, [axis]), h.positions(wide, [axis + 1])];
  const between = cumulative(where(apply('lt', j, k), wide, h.like(wide, 1)), { axis: axis + 1, combine: 'prod' });
  const later = h.onlyWhere(apply('le', j, k), h.mul(spread(dy), between));
  return h.mul(exclusiveProduct(x, axis), reshape(reduce('sum', later, [axis + 1]), x.shape));
}

/** A product of all but one, for each element of the reduced axes. */
export function productGradient(dy: Node, y: NodeOf<'prod'>, x: Node): Node {
  const { axes } = y.attributes;
  const kept = [...x.shape.keys()].filter((axis) => !axes.includes(axis));
  const order = [...kept, ...axes];
  const moved = permute(x, order);
  const keptShape = kept.map((axis) => x.shape[axis] ?? 1);
  const count = axes.reduce((product, axis) => product * (x.shape[axis] ?? 1), 1);
  const rows = reshape(moved, [...keptShape, count]);
  const last = kept.length;
  const after = flip(exclusiveProduct(flip(rows, [last]), last), [last]);
  const others = permute(reshape(h.mul(exclusiveProduct(rows, last), after), moved.shape), h.inverseOrder(order));
  return h.mul(expand(dy, x.shape), others);
}

function symmetricPart(x: Node): Node {
  return h.scale(h.add(x, h.transpose(x)), 0.5);
}

/** A row vector per matrix, in the shape of the matrices. */
function acrossRows(values: Node, matrices: Node): Node {
  const shape = matrices.shape;
  return expand(reshape(values, [...shape.slice(0, -2), 1, shape.at(-1) ?? 0]), shape);
}

export function eighGradient(dy: Node, y: NodeOf<'eigh'>, x: Node): Node {
  const vectors = eigh(x, 'vectors');
  if (y.attributes.output === 'values') {
    return h.matmul(h.mul(vectors, acrossRows(dy, x)), h.transpose(vectors));
  }
  const values = acrossRows(eigh(x, 'values'), x);
  const { rows, columns } = h.rowsAndColumns(x);
  const diagonal = h.equal(rows, columns);
  const gaps = where(diagonal, h.like(x, 1), h.sub(values, h.transpose(values)));
  const inner = h.exceptWhere(diagonal, h.div(h.matmul(h.transpose(vectors), dy), gaps));
  return symmetricPart(h.matmul(h.matmul(vectors, inner), h.transpose(vectors)));
}

export function choleskyGradient(dy: Node, y: Node): Node {
  const { rows, columns } = h.rowsAndColumns(y);
  const product = h.matmul(h.transpose(y), dy);
  const halved = where(h.equal(rows, columns), h.scale(product, 0.5), product);
  const lower = h.onlyWhere(h.atLeast(rows, columns), halved);
  const options = { lower: true, transpose: true, unitDiagonal: false };
  const left = triangularSolve(y, lower, options);
  return symmetricPart(triangularSolve(y, h.transpose(left), options));
}

/** The right-hand sides' gradient solves the transposed system. */
export function solveGradient(dy: Node, y: NodeOf<'triangularSolve'>, a: Node): Node {
  return triangularSolve(a, dy, { ...y.attributes, transpose: !y.attributes.transpose });
}

export function solveMatrixGradient(dy: Node, y: NodeOf<'triangularSolve'>, a: Node): Node {
  const { lower, transpose, unitDiagonal } = y.attributes;
  const right = solveGradient(dy, y, a);
  const full = transpose ? h.matmul(y, h.transpose(right)) : h.matmul(right, h.transpose(y));
  const { rows, columns } = h.rowsAndColumns(a);
  const [outer, inner] = lower ? [columns, rows] : [rows, columns];
  return h.onlyWhere(apply(unitDiagonal ? 'lt' : 'le', outer, inner), h.neg(full));
}
