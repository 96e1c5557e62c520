// Methods that summarise along axes: sums, extremes, moments, soft maxima, running sums.
import { logSoftmax, logSumExp, softmax } from '../composition/softmax.ts';
import { isFloat, type Dtype } from '../dtype.ts';
import { ShapeError, formatShape } from '../errors.ts';
import { apply, cast, constant, reduce, where } from '../graph/build.ts';
import { cumulative } from '../graph/combine.ts';
import { describe } from '../graph/create.ts';
import { reshape } from '../graph/move.ts';
import type { Node, ReduceOp } from '../graph/node.ts';
import { normalizeAxes, normalizeAxis } from '../shape.ts';
import { TensorFunctions } from './functions.ts';
import { broadcastNode, positions } from './promotion.ts';
import type { Tensor } from './tensor.ts';

/** One axis, several, or (left out) all. */
export type Axes = number | readonly number[];

export interface ReduceOptions {
  /** Keep reduced axes with size 1. */
  readonly keepdim?: boolean;
}

export interface VarianceOptions extends ReduceOptions {
  /** The divisor is the number of elements minus this: 1 (default) is the unbiased estimate. */
  readonly correction?: number;
}

/** Without the axes given, which have size 1. */
function dropAxes(node: Node, axes: readonly number[]): Node {
  return reshape(node, node.shape.filter((_, axis) => !axes.includes(axis)));
}

/** A node of numbers: bool becomes int32, and 8-bit integers too, whose sums would wrap. */
function summable(node: Node): Node {
  return node.dtype === 'bool' || node.dtype === 'uint8' || node.dtype === 'int8' ? cast(node, 'int32') : node;
}

/** √x, with gradient 0 at 0: the subgradient that PyTorch takes for norms. */
function rootOrZero(x: Tensor): Tensor {
  const zero = x.eq(0);
  return x.maskedFill(zero, 1).sqrt().maskedFill(zero, 0);
}

export class TensorReduction extends TensorFunctions {
  /** The sum; bool and 8-bit integers are summed in int32. */
  sum(axes?: Axes, options: ReduceOptions = {}): Tensor {
    return this.#reduce('sum', summable(this.node), axes, { ...options, what: 'sum' });
  }

  /** The product; bool and 8-bit integers are multiplied in int32. */
  prod(axes?: Axes, options: ReduceOptions = {}): Tensor {
    return this.#reduce('prod', summable(this.node), axes, { ...options, what: 'prod' });
  }

  /** The largest element; NaN wins. Indices come from `argmax`. */
  max(axes?: Axes, options: ReduceOptions = {}): Tensor {
    return this.#reduce('maxReduce', this.node, axes, { ...options, what: 'max' });
  }

  /** The smallest element; NaN wins. Indices come from `argmin`. */
  min(axes?: Axes, options: ReduceOptions = {}): Tensor {
    return this.#reduce('minReduce', this.node, axes, { ...options, what: 'min' });
  }

  /** The mean; integers and bool give float32. */
  mean(axes?: Axes, options: ReduceOptions = {}): Tensor {
    const x = this.#float();
    const factor = 1 / x.#count(axes, 'mean');
    return x.sum(axes, options).mul(factor);
  }

  /** The variance, from squared distances to the mean. */
  var(axes?: Axes, options: VarianceOptions = {}): Tensor {
    return this.#float().#variance(axes, options, 'var');
  }

  /** The standard deviation. */
  std(axes?: Axes, options: VarianceOptions = {}): Tensor {
    return this.#float().#variance(axes, options, 'std').sqrt();
  }

  /** Position (int32) of the first largest element along an axis; without an axis, in the flattened tensor. */
  argmax(axis?: number, options: ReduceOptions = {}): Tensor {
    return this.#argument('maxReduce', axis, options);
  }

  /** Position (int32) of the first smallest element along an axis; without an axis, in the flattened tensor. */
  argmin(axis?: number, options: ReduceOptions = {}): Tensor {
    return this.#argument('minReduce', axis, options);
  }

  /** Whether any element is not 0. */
  any(axes?: Axes, options: ReduceOptions = {}): Tensor {
    return this.#reduce('maxReduce', cast(this.node, 'bool'), axes, { ...options, what: 'any' });
  }

  /** Whether all elements are not 0. */
  all(axes?: Axes, options: ReduceOptions = {}): Tensor {
    return this.#reduce('minReduce', cast(this.node, 'bool'), axes, { ...options, what: 'all' });
  }

  /** log Σ eˣ, shifted by the largest element. */
  logsumexp(axes: Axes, options: ReduceOptions = {}): Tensor {
    const named = normalizeAxes(axes, this.ndim, describe('logsumexp'));
    const kept = logSumExp(this.#float().node, named);
    return this.wrap(options.keepdim === true ? kept : dropAxes(kept, named));
  }

  /** eˣ / Σ eˣ along an axis. */
  softmax(axis: number): Tensor {
    return this.wrap(softmax(this.#float().node, normalizeAxis(axis, this.ndim, describe('softmax'))));
  }

  /** log of `softmax`. */
  logSoftmax(axis: number): Tensor {
    return this.wrap(logSoftmax(this.#float().node, normalizeAxis(axis, this.ndim, describe('logSoftmax'))));
  }

  /** (Σ |x|ᵖ)^(1/p); p may be 0 (count of non-zeros), ±Infinity. The 2-norm has gradient 0 at 0. */
  norm(p = 2, axes?: Axes, options: ReduceOptions = {}): Tensor {
    const x = this.#float();
    normalizeAxes(axes, this.ndim, describe('norm'));
    switch (p) {
      case 0:
        return x.ne(0).to(x.dtype).sum(axes, options);
      case 1:
        return x.abs().sum(axes, options);
      case 2:
        return rootOrZero(x.square().sum(axes, options));
      case Infinity:
        return x.abs().max(axes, options);
      case -Infinity:
        return x.abs().min(axes, options);
      default:
        return x.abs().pow(p).sum(axes, options).pow(1 / p);
    }
  }

  /** Running sum along an axis. */
  cumsum(axis: number): Tensor {
    return this.#cumulative('sum', summable(this.node), axis);
  }

  /** Running product along an axis. */
  cumprod(axis: number): Tensor {
    return this.#cumulative('prod', summable(this.node), axis);
  }

  /** Running maximum along an axis. */
  cummax(axis: number): Tensor {
    return this.#cumulative('max', this.node, axis);
  }

  /** Running minimum along an axis. */
  cummin(axis: number): Tensor {
    return this.#cumulative('min', this.node, axis);
  }

  #float(dtype: Dtype = isFloat(this.dtype) ? this.dtype : 'float32'): Tensor {
    return this.wrap(cast(this.node, dtype));
  }

  #count(axes: Axes | undefined, what: string): number {
    return normalizeAxes(axes, this.ndim, describe(what)).reduce((count, axis) => count * (this.shape[axis] ?? 1), 1);
  }

  #variance(axes: Axes | undefined, { correction = 1, ...rest }: VarianceOptions, what: string): Tensor {
    const divisor = Math.max(0, this.#count(axes, what) - correction);
    return this.sub(this.mean(axes, { keepdim: true })).square().sum(axes, rest).div(divisor);
  }

  #reduce(op: ReduceOp, node: Node, axes: Axes | undefined, options: ReduceOptions & { readonly what: string }): Tensor {
    const what = describe(options.what);
    const named = normalizeAxes(axes, this.ndim, what);
    if (op !== 'sum' && op !== 'prod' && named.some((axis) => node.shape[axis] === 0)) {
      throw new ShapeError(`${what}: nothing to reduce over in shape ${formatShape(node.shape)}`);
    }
    const kept = reduce(op, node, named);
    return this.wrap(options.keepdim === true ? kept : dropAxes(kept, named));
  }

  #cumulative(combine: 'sum' | 'prod' | 'max' | 'min', node: Node, axis: number): Tensor {
    return this.wrap(cumulative(node, { axis: normalizeAxis(axis, this.ndim, describe(`cum${combine}`)), combine }));
  }

  /** The smallest position whose element is the extreme one (or NaN, which is every extreme). */
  #argument(op: 'maxReduce' | 'minReduce', axis: number | undefined, options: ReduceOptions): Tensor {
    const what = describe(op === 'maxReduce' ? 'argmax' : 'argmin');
    if (axis === undefined) {
      const index = this.reshape(-1).#argument(op, 0, {});
      return options.keepdim === true ? index.reshape(this.shape.map(() => 1)) : index;
    }
    const at = normalizeAxis(axis, this.ndim, what);
    const size = this.shape[at] ?? 0;
    if (size === 0) throw new ShapeError(`${what}: axis ${axis} of ${formatShape(this.shape)} is empty`);
    const { node, shape } = this;
    const extreme = broadcastNode(reduce(op, node, [at]), shape);
    const same = apply('eq', node, extreme);
    const hit = isFloat(node.dtype) ? apply('or', same, apply('ne', node, node)) : same;
    const beyond = broadcastNode(constant(size, 'int32'), shape);
    const first = reduce('minReduce', where(hit, positions(shape, at), beyond), [at]);
    return this.wrap(options.keepdim === true ? first : dropAxes(first, [at]));
  }
}
