// Methods on order, counts and diagonals: medians, quantiles, differences, histograms of integers.
import { ShapeError, UserError, formatShape } from '../errors.ts';
import { constant } from '../graph/build.ts';
import { scatterAdd } from '../graph/combine.ts';
import { describe } from '../graph/create.ts';
import { normalizeAxis } from '../shape.ts';
import type { TensorBase } from './base.ts';
import { broadcastNode } from './promotion.ts';
import type { Axes, ReduceOptions } from './reduction.ts';
import { indexNode, TensorSelection } from './selection.ts';
import type { Tensor } from './tensor.ts';

export class TensorStatistics extends TensorSelection {
  /** The slice at one position of an axis, without the axis. Negative positions count from the end. */
  select(axis: number, position: number): Tensor {
    const at = normalizeAxis(axis, this.ndim, describe('select'));
    const size = this.shape[at] ?? 0;
    if (!Number.isInteger(position) || position < -size || position >= size) {
      throw new ShapeError(`${describe('select')}: position ${position} is not in axis ${axis} of ${formatShape(this.shape)}`);
    }
    return this.narrow(at, position, 1).squeeze(at);
  }

  /** The middle element along an axis (of two, the lower), or of all elements. NaN where there is one. */
  median(axis?: number, options: ReduceOptions = {}): Tensor {
    if (axis === undefined) return this.reshape(-1).median(0);
    return this.#ordered('median', axis, options, (size) => [Math.floor((size - 1) / 2), 0]);
  }

  /** The value that a share q of an axis (or of all elements) lies below, interpolated linearly. NaN where there is one. */
  quantile(q: number, axis?: number, options: ReduceOptions = {}): Tensor {
    if (!(q >= 0 && q <= 1)) throw new UserError(`${describe('quantile')}: q is ${q}`, { remedy: 'give a share from 0 to 1' });
    if (axis === undefined) return this.reshape(-1).quantile(q, 0);
    return this.#ordered('quantile', axis, options, (size) => [Math.floor(q * (size - 1)), (q * (size - 1)) % 1]);
  }

  /** Number of elements that are not 0, int32. */
  countNonzero(axes?: Axes): Tensor {
    return this.to('bool').sum(axes);
  }

  /** Differences of neighbours along an axis, taken n times. */
  diff(n = 1, axis = -1): Tensor {
    const at = normalizeAxis(axis, this.ndim, describe('diff'));
    const size = this.shape[at] ?? 0;
    if (!(Number.isInteger(n) && n >= 0 && n < size)) throw new ShapeError(`${describe('diff')}: ${n} differences along axis ${axis} of ${formatShape(this.shape)}`);
    let values = this.wrap(this.node);
    for (let rest = size; rest > size - n; rest--) values = values.narrow(at, 1, rest - 1).sub(values.narrow(at, 0, rest - 1));
    return values;
  }

  /** Sum of the main diagonal of a matrix. */
  trace(): Tensor {
    if (this.ndim !== 2) throw new ShapeError(`${describe('trace')}: ${formatShape(this.shape)} is not a matrix`);
    return this.diagonal().sum();
  }

  /** A square matrix with this vector on its diagonal, or the diagonal of this matrix. */
  diag(): Tensor {
    if (this.ndim === 2) return this.diagonal();
    if (this.ndim !== 1) throw new ShapeError(`${describe('diag')}: ${formatShape(this.shape)} is neither a vector nor a matrix`);
    const square = this.unsqueeze(1).expand(this.size, this.size);
    return square.tril().triu();
  }

  /** This tensor with the slices of `source` added at the positions along `axis` that a vector `index` names. */
  indexAdd(axis: number, index: TensorBase, source: TensorBase): Tensor {
    const at = normalizeAxis(axis, this.ndim, describe('indexAdd'));
    const named = index.wrap(indexNode(index, 'indexAdd'));
    if (named.ndim !== 1 || source.ndim !== this.ndim || named.size !== source.shape[at]) {
      throw new ShapeError(`${describe('indexAdd')}: index ${formatShape(index.shape)} and source ${formatShape(source.shape)} do not fit along axis ${axis}`, {
        remedy: 'the index is a vector with one position per slice',
      });
    }
    const spread = named.reshape(source.shape.map((size, i) => (i === at ? size : 1))).expand(source.shape);
    return this.wrap(scatterAdd(this.node, spread.node, source.node, at));
  }

  /** How often each of the integers 0 … size − 1 occurs, int32. Others are an error after the run. */
  bincount(size: number): Tensor {
    const values = this.wrap(indexNode(this, 'bincount')).reshape(-1);
    const empty = broadcastNode(constant(0, 'int32'), [size]);
    return this.wrap(scatterAdd(empty, values.node, broadcastNode(constant(1, 'int32'), values.shape), 0));
  }

  /** What stands at a place of the sorted axis: at `place(size)` = [i, f] between elements i and i + 1. */
  #ordered(what: string, axis: number, options: ReduceOptions, place: (size: number) => readonly [number, number]): Tensor {
    const at = normalizeAxis(axis, this.ndim, describe(what));
    const size = this.shape[at] ?? 0;
    if (size === 0) throw new ShapeError(`${describe(what)}: axis ${axis} of ${formatShape(this.shape)} is empty`);
    const { values } = this.sort(at);
    const [low, share] = place(size);
    const lower = values.narrow(at, low, 1);
    const found = share === 0 ? lower : lower.lerp(values.narrow(at, low + 1, 1), share);
    // NaN comes last.
    const last = values.narrow(at, size - 1, 1);
    const kept = found.where(last.isNaN().not(), last);
    return options.keepdim === true ? kept : kept.squeeze(at);
  }
}
