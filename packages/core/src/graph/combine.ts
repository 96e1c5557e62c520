// Node constructors for indexing, contractions and routines.
import type { Dtype } from '../dtype.ts';
import { DtypeError, ShapeError, formatShape } from '../errors.ts';
import { sameShape } from '../shape.ts';
import { create, describe, requireDtype } from './create.ts';
import type { Attributes, Combine, ConvAttributes, DotAttributes, Node } from './node.ts';

function checkIndex(x: Node, index: Node, axis: number, what: string): void {
  requireDtype(index, ['int32'], `${what} index`);
  const fits = index.shape.length === x.shape.length && index.shape.every((size, i) => i === axis || size <= (x.shape[i] ?? 0));
  if (!fits) {
    throw new ShapeError(`${describe(what)}: index ${formatShape(index.shape)} does not fit ${formatShape(x.shape)} along axis ${axis}`, {
      remedy: 'ranks must be equal, and other axes not longer',
    });
  }
}

/** out[…, i, …] = x[…, index[…, i, …], …] along `axis` (torch.gather). */
export function gather(x: Node, index: Node, axis: number): Node {
  checkIndex(x, index, axis, 'gather');
  return create('gather', [x, index], { axis }, index.shape, x.dtype);
}

/** base with source added at the places that index names along `axis` (torch.scatter_add). */
export function scatterAdd(base: Node, index: Node, source: Node, axis: number): Node {
  checkIndex(base, index, axis, 'scatterAdd');
  if (!sameShape(index.shape, source.shape)) {
    throw new ShapeError(`${describe('scatterAdd')}: index ${formatShape(index.shape)} and source ${formatShape(source.shape)} differ`);
  }
  if (base.dtype !== source.dtype) throw new DtypeError(`${describe('scatterAdd')}: dtypes ${base.dtype} and ${source.dtype} differ`);
  return create('scatterAdd', [base, index, source], { axis }, base.shape, base.dtype);
}

function contractionDtype(a: Node, b: Node, combine: Combine, what: string): Dtype {
  if (a.dtype !== b.dtype) throw new DtypeError(`${describe(what)}: dtypes ${a.dtype} and ${b.dtype} differ`, { remedy: 'cast one of them' });
  if (combine === 'xor-popcount') {
    requireDtype(a, ['int32'], what);
    return 'int32';
  }
  requireDtype(a, ['float32', 'float64', 'int8', 'int32'], what);
  return a.dtype === 'int8' ? 'int32' : a.dtype;
}

/** Axes of an operand that `pairs` do not name, in order. */
export function freeAxes(rank: number, used: readonly number[]): number[] {
  return Array.from({ length: rank }, (_, i) => i).filter((i) => !used.includes(i));
}

/** The sum of products over pairs of axes; the result's axes are batch, the rest of `a`, the rest of `b`. */
export function dot(a: Node, b: Node, attributes: DotAttributes): Node {
  const pairs = [...attributes.batch, ...attributes.contract];
  for (const [i, j] of pairs) {
    if (a.shape[i] !== b.shape[j]) {
      throw new ShapeError(`${describe('dot')}: axis ${i} of ${formatShape(a.shape)} and axis ${j} of ${formatShape(b.shape)} must be equal`);
    }
  }
  const freeA = freeAxes(a.shape.length, pairs.map(([i]) => i));
  const freeB = freeAxes(b.shape.length, pairs.map(([, j]) => j));
  const shape = [
    ...attributes.batch.map(([i]) => a.shape[i] ?? 0),
    ...freeA.map((i) => a.shape[i] ?? 0),
    ...freeB.map((j) => b.shape[j] ?? 0),
  ];
  return create('dot', [a, b], attributes, shape, contractionDtype(a, b, attributes.combine, 'dot'));
}

/** Output size of one spatial axis. */
export function convOutputSize(size: number, kernel: number, attributes: ConvAttributes, axis: number): number {
  const [low, high] = attributes.padding[axis] ?? [0, 0];
  const dilated = size === 0 ? 0 : (size - 1) * (attributes.inputDilation[axis] ?? 1) + 1;
  const span = (kernel - 1) * (attributes.kernelDilation[axis] ?? 1) + 1;
  return Math.floor((dilated + low + high - span) / (attributes.stride[axis] ?? 1)) + 1;
}

/** x [N, G, C, …S] with weight [G, O, C, …K] gives [N, G, O, …S′]: cross-correlation. */
export function conv(x: Node, weight: Node, attributes: ConvAttributes): Node {
  const rank = attributes.stride.length;
  const [n, groups, channels, ...spatial] = x.shape;
  const [weightGroups, outputs, weightChannels, ...kernel] = weight.shape;
  const lengths = [attributes.padding.length, attributes.inputDilation.length, attributes.kernelDilation.length, spatial.length, kernel.length];
  if (lengths.some((length) => length !== rank) || groups !== weightGroups || channels !== weightChannels) {
    throw new ShapeError(`${describe('conv')}: input [N, G, C, …] ${formatShape(x.shape)} and weight [G, O, C, …] ${formatShape(weight.shape)} do not fit`);
  }
  const out = spatial.map((size, axis) => convOutputSize(size, kernel[axis] ?? 1, attributes, axis));
  if (out.some((size) => size < 1)) {
    throw new ShapeError(`${describe('conv')}: kernel ${formatShape(kernel)} is larger than the padded input ${formatShape(spatial)}`);
  }
  return create('conv', [x, weight], attributes, [n ?? 0, groups ?? 0, outputs ?? 0, ...out], contractionDtype(x, weight, attributes.combine, 'conv'));
}

/** Values or positions in order along an axis; stable, NaN last. */
export function sort(x: Node, attributes: Attributes['sort']): Node {
  return create('sort', [x], attributes, x.shape, attributes.output === 'indices' ? 'int32' : x.dtype);
}

/** Running sums or products along an axis. */
export function cumulative(x: Node, attributes: Attributes['cumulative']): Node {
  return create('cumulative', [x], attributes, x.shape, x.dtype);
}

/** The sum of x over all replicas that run this program together; x where there is one. */
export function allReduce(x: Node): Node {
  requireDtype(x, ['float32', 'float64'], 'allReduce');
  return create('allReduce', [x], {}, x.shape, x.dtype);
}

function requireSquare(x: Node, what: string): void {
  const [rows, columns] = x.shape.slice(-2);
  requireDtype(x, ['float32', 'float64'], what);
  if (x.shape.length < 2 || rows !== columns) {
    throw new ShapeError(`${describe(what)}: ${formatShape(x.shape)} does not end in a square matrix`);
  }
}

/** Eigenvalues in ascending order, or eigenvectors as columns, of symmetric matrices [..., n, n]. */
export function eigh(x: Node, output: 'values' | 'vectors'): Node {
  requireSquare(x, 'eigh');
  return create('eigh', [x], { output }, output === 'values' ? x.shape.slice(0, -1) : x.shape, x.dtype);
}

/** The lower triangular L with x = L Lᵀ, for positive definite x [..., n, n]. */
export function cholesky(x: Node): Node {
  requireSquare(x, 'cholesky');
  return create('cholesky', [x], {}, x.shape, x.dtype);
}

/** The solution x of a x = b for triangular a [..., n, n]. */
export function triangularSolve(a: Node, b: Node, attributes: Attributes['triangularSolve']): Node {
  requireSquare(a, 'triangularSolve');
  const [n] = a.shape.slice(-1);
  const fits = b.shape.length === a.shape.length && b.shape.at(-2) === n && sameShape(a.shape.slice(0, -2), b.shape.slice(0, -2));
  if (!fits) throw new ShapeError(`${describe('triangularSolve')}: ${formatShape(a.shape)} does not fit right-hand sides ${formatShape(b.shape)}`);
  return create('triangularSolve', [a, b], attributes, b.shape, b.dtype);
}
