// Methods that pick elements by position: indexing, gather and scatter, sorting, triangles, one-hot codes.
import type { Dtype } from '../dtype.ts';
import { DtypeError, ShapeError, UserError, formatShape } from '../errors.ts';
import { apply, cast, constant, where } from '../graph/build.ts';
import { gather, scatterAdd, sort } from '../graph/combine.ts';
import { describe } from '../graph/create.ts';
import { expand, flip, reshape } from '../graph/move.ts';
import type { Node } from '../graph/node.ts';
import { elementCount, normalizeAxis } from '../shape.ts';
import { TensorBase } from './base.ts';
import { concatenate } from './concatenate.ts';
import { clipBound, sliceAxis } from './movement.ts';
import { broadcastNode, positions } from './promotion.ts';
import { TensorReduction } from './reduction.ts';
import type { Tensor } from './tensor.ts';

/**
 * One axis of `x.at(…)`: a position (drops the axis), `[start, stop, step]` (open ends are `undefined`), `':'` (all),
 * `'...'` (all axes in between), `null` (a new axis of size 1), or an integer tensor (its shape replaces the axis).
 */
export type Index = number | readonly [start?: number | undefined, stop?: number | undefined, step?: number] | ':' | '...' | null | TensorBase;

export interface Sorted {
  readonly values: Tensor;
  /** Positions along the axis, int32. */
  readonly indices: Tensor;
}

/** `node` with an axis replaced by the elements that `index` (int32, any shape) names on it. */
function pick(node: Node, axis: number, index: Node): Node {
  const before = node.shape.slice(0, axis);
  const after = node.shape.slice(axis + 1);
  const count = elementCount(index.shape);
  const aligned = reshape(index, [...before.map(() => 1), count, ...after.map(() => 1)]);
  const picked = gather(node, expand(aligned, [...before, count, ...after]), axis);
  return reshape(picked, [...before, ...index.shape, ...after]);
}

export function indexNode(index: TensorBase, what: string): Node {
  if (index.dtype !== 'int32' && index.dtype !== 'uint8' && index.dtype !== 'int8') {
    throw new DtypeError(`${describe(what)}: an index of dtype ${index.dtype}`, {
      remedy: index.dtype === 'bool' ? 'the result would have no fixed shape: use where or maskedFill' : 'cast it to int32',
    });
  }
  return cast(index.node, 'int32');
}

/** The part of `index` on an axis of a node, and whether the axis stays (how many axes take its place). */
function pickOne(node: Node, axis: number, index: Exclude<Index, '...' | null>): { node: Node; axes: number } {
  const size = node.shape[axis] ?? 0;
  if (index === ':') return { node, axes: 1 };
  if (index instanceof TensorBase) return { node: pick(node, axis, indexNode(index, 'at')), axes: index.ndim };
  if (typeof index === 'number') {
    const at = index < 0 ? index + size : index;
    if (!Number.isInteger(at) || at < 0 || at >= size) {
      throw new ShapeError(`${describe('at')}: position ${index} is not in axis ${axis} of ${formatShape(node.shape)}`);
    }
    const kept = sliceAxis(node, axis, at, at + 1);
    return { node: reshape(kept, kept.shape.toSpliced(axis, 1)), axes: 0 };
  }
  const [start, stop, step = 1] = index;
  if (!Number.isInteger(step) || step === 0) throw new UserError(`${describe('at')}: step ${step}`, { remedy: 'give a whole number other than 0' });
  if (step < 0) {
    const mirrored = (bound: number): number => size - 1 - (bound < 0 ? bound + size : bound);
    return pickOne(flip(node, [axis]), axis, [start === undefined ? 0 : Math.max(0, mirrored(start)), stop === undefined ? size : Math.max(0, mirrored(stop)), -step]);
  }
  const low = clipBound(start ?? 0, size);
  return { node: sliceAxis(node, axis, low, Math.max(low, clipBound(stop ?? size, size)), step), axes: 1 };
}

export class TensorSelection extends TensorReduction {
  /** Indexing as in `x[0, 1:3, None, ...]`, written `x.at(0, [1, 3], null, '...')`. Axes not named stay. */
  at(...indices: readonly Index[]): Tensor {
    const named = indices.filter((index) => index !== null && index !== '...').length;
    const ellipses = indices.filter((index) => index === '...').length;
    if (named > this.ndim || ellipses > 1) {
      throw new ShapeError(`${describe('at')}: ${named} indices and ${ellipses} ellipses for shape ${formatShape(this.shape)}`);
    }
    let { node } = this;
    let axis = 0;
    for (const index of indices) {
      if (index === null) {
        node = reshape(node, node.shape.toSpliced(axis, 0, 1));
        axis += 1;
      } else if (index === '...') {
        axis += this.ndim - named;
      } else {
        const picked = pickOne(node, axis, index);
        node = picked.node;
        axis += picked.axes;
      }
    }
    return this.wrap(node);
  }

  /** out[…, i, …] = this[…, index[…, i, …], …] along `axis`: index has this tensor's rank. */
  gather(axis: number, index: TensorBase): Tensor {
    return this.wrap(gather(this.node, indexNode(index, 'gather'), normalizeAxis(axis, this.ndim, describe('gather'))));
  }

  /** The slices along `axis` that a list of positions names. */
  indexSelect(axis: number, index: TensorBase): Tensor {
    return this.wrap(pick(this.node, normalizeAxis(axis, this.ndim, describe('indexSelect')), indexNode(index, 'indexSelect')));
  }

  /** This tensor with `source` added at the places that `index` names along `axis`; both have the same shape. */
  scatterAdd(axis: number, index: TensorBase, source: TensorBase): Tensor {
    const at = normalizeAxis(axis, this.ndim, describe('scatterAdd'));
    return this.wrap(scatterAdd(this.node, indexNode(index, 'scatterAdd'), source.node, at));
  }

  /** [...] of class numbers to [..., classes] with 1 at the class. */
  oneHot(classes: number, dtype: Dtype = 'int32'): Tensor {
    const index = indexNode(this, 'oneHot');
    const shape = [...index.shape, classes];
    const spread = broadcastNode(reshape(index, [...index.shape, 1]), shape);
    return this.wrap(cast(apply('eq', spread, positions(shape, index.shape.length)), dtype));
  }

  /** Sorted along an axis, stable, NaN last. */
  sort(axis = -1, options: { readonly descending?: boolean } = {}): Sorted {
    const at = normalizeAxis(axis, this.ndim, describe('sort'));
    const { descending = false } = options;
    const indices = sort(this.node, { axis: at, descending, output: 'indices' });
    return { values: this.wrap(sort(this.node, { axis: at, descending, output: 'values' })), indices: this.wrap(indices) };
  }

  /** The positions that would sort along an axis. */
  argsort(axis = -1, options: { readonly descending?: boolean } = {}): Tensor {
    return this.sort(normalizeAxis(axis, this.ndim, describe('argsort')), options).indices;
  }

  /** The k largest (or smallest) elements along an axis, in order. */
  topk(k: number, axis = -1, options: { readonly largest?: boolean } = {}): Sorted {
    const at = normalizeAxis(axis, this.ndim, describe('topk'));
    if (!(Number.isInteger(k) && k >= 0 && k <= (this.shape[at] ?? 0))) throw new ShapeError(`${describe('topk')}: ${k} of axis ${axis} of ${formatShape(this.shape)}`);
    const { values, indices } = this.sort(at, { descending: options.largest ?? true });
    return { values: values.narrow(axis, 0, k), indices: indices.narrow(axis, 0, k) };
  }

  /** The lower triangle of the last two axes, up to diagonal `diagonal`; zeros elsewhere. */
  tril(diagonal = 0): Tensor {
    return this.#triangle('tril', (row, column) => apply('le', column, apply('add', row, this.#fill(diagonal))));
  }

  /** The upper triangle of the last two axes, from diagonal `diagonal` on; zeros elsewhere. */
  triu(diagonal = 0): Tensor {
    return this.#triangle('triu', (row, column) => apply('le', apply('add', row, this.#fill(diagonal)), column));
  }

  /** The main diagonal of two axes, as a last axis. */
  diagonal(a = 0, b = 1): Tensor {
    const first = normalizeAxis(a, this.ndim, describe('diagonal'));
    const second = normalizeAxis(b, this.ndim, describe('diagonal'));
    if (first === second) throw new ShapeError(`${describe('diagonal')}: axes ${a} and ${b} of ${formatShape(this.shape)} are one`, { remedy: 'name two axes' });
    const size = Math.min(this.shape[first] ?? 0, this.shape[second] ?? 0);
    const square = this.narrow(first, 0, size).narrow(second, 0, size).movedim([first, second], [-2, -1]);
    const flat = square.reshape(...square.shape.slice(0, -2), size * size);
    return flat.slice(-1, 0, size * size, size + 1);
  }

  /** Elements moved along axes; those that leave at one end enter at the other. */
  roll(shifts: number | readonly number[], axes?: number | readonly number[]): Tensor {
    if (axes === undefined) {
      if (typeof shifts !== 'number') throw new UserError(`${describe('roll')}: several shifts need axes`);
      return this.reshape(-1).roll(shifts, 0).reshape(this.shape);
    }
    const moves = typeof shifts === 'number' ? [shifts] : shifts;
    const named = typeof axes === 'number' ? [axes] : axes;
    if (moves.length !== named.length) throw new UserError(`${describe('roll')}: ${moves.length} shifts for ${named.length} axes`, { remedy: 'give one for each' });
    let { node } = this;
    for (const [i, axis] of named.entries()) {
      const at = normalizeAxis(axis, this.ndim, describe('roll'));
      const size = this.shape[at] ?? 0;
      if (size === 0) continue;
      const split = (((-(moves[i] ?? 0)) % size) + size) % size;
      node = concatenate([sliceAxis(node, at, split, size), sliceAxis(node, at, 0, split)], at);
    }
    return this.wrap(node);
  }

  #fill(value: number): Node {
    return broadcastNode(constant(value, 'int32'), this.shape);
  }

  #triangle(what: string, keep: (row: Node, column: Node) => Node): Tensor {
    const { shape, ndim } = this;
    if (ndim < 2) throw new ShapeError(`${describe(what)}: ${formatShape(shape)} is not a matrix`);
    const zero = broadcastNode(constant(0, this.dtype), shape);
    return this.wrap(where(keep(positions(shape, ndim - 2), positions(shape, ndim - 1)), this.node, zero));
  }
}
