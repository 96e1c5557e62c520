// Pooling layers; the number in a name is the number of spatial axes.
import type { Tensor } from '../../tensor/tensor.ts';
import {
  adaptiveAvgPool,
  adaptiveMaxPool,
  avgPool,
  globalAvgPool,
  globalMaxPool,
  maxPool,
  type AveragePoolingOptions,
  type PoolingOptions,
} from '../functional/pooling.ts';
import { spatialRank, type PerAxis } from '../functional/spatial.ts';
import { Module } from '../module.ts';

/** Settings of a pooling layer; the stride is the kernel's size unless given. */
export type MaxPoolOptions = Omit<PoolingOptions, 'kernel'>;
/** Settings of an average pooling layer; the stride is the kernel's size unless given. */
export type AvgPoolOptions = Omit<AveragePoolingOptions, 'kernel'>;

/** A function of [N, C, …] with a fixed number of spatial axes. */
abstract class Pool extends Module {
  protected abstract readonly rank: number;

  protected abstract pool(x: Tensor): Tensor;

  override forward(x: Tensor): Tensor {
    spatialRank(x, this.constructor.name, this.rank);
    return this.pool(x);
  }
}

abstract class MaxPool extends Pool {
  readonly options: PoolingOptions;

  constructor(kernel: PerAxis, options: MaxPoolOptions = {}) {
    super();
    this.options = { kernel, ...options };
  }

  protected override pool(x: Tensor): Tensor {
    return maxPool(x, this.options);
  }
}

abstract class AvgPool extends Pool {
  readonly options: AveragePoolingOptions;

  constructor(kernel: PerAxis, options: AvgPoolOptions = {}) {
    super();
    this.options = { kernel, ...options };
  }

  protected override pool(x: Tensor): Tensor {
    return avgPool(x, this.options);
  }
}

abstract class AdaptiveAvgPool extends Pool {
  readonly output: PerAxis;

  constructor(output: PerAxis) {
    super();
    this.output = output;
  }

  protected override pool(x: Tensor): Tensor {
    return adaptiveAvgPool(x, this.output);
  }
}

abstract class AdaptiveMaxPool extends Pool {
  readonly output: PerAxis;

  constructor(output: PerAxis) {
    super();
    this.output = output;
  }

  protected override pool(x: Tensor): Tensor {
    return adaptiveMaxPool(x, this.output);
  }
}

/** The largest element of each window of [N, C, L]. */
export class MaxPool1d extends MaxPool {
  protected override readonly rank = 1;
}

/** The largest element of each window of [N, C, H, W]. */
export class MaxPool2d extends MaxPool {
  protected override readonly rank = 2;
}

/** The largest element of each window of [N, C, D, H, W]. */
export class MaxPool3d extends MaxPool {
  protected override readonly rank = 3;
}

/** The mean of each window of [N, C, L]. */
export class AvgPool1d extends AvgPool {
  protected override readonly rank = 1;
}

/** The mean of each window of [N, C, H, W]. */
export class AvgPool2d extends AvgPool {
  protected override readonly rank = 2;
}

/** The mean of each window of [N, C, D, H, W]. */
export class AvgPool3d extends AvgPool {
  protected override readonly rank = 3;
}

/** Means over a grid of the given size of [N, C, L]. */
export class AdaptiveAvgPool1d extends AdaptiveAvgPool {
  protected override readonly rank = 1;
}

/** Means over a grid of the given size of [N, C, H, W]. */
export class AdaptiveAvgPool2d extends AdaptiveAvgPool {
  protected override readonly rank = 2;
}

/** Means over a grid of the given size of [N, C, D, H, W]. */
export class AdaptiveAvgPool3d extends AdaptiveAvgPool {
  protected override readonly rank = 3;
}

/** Maxima over a grid of the given size of [N, C, L]. */
export class AdaptiveMaxPool1d extends AdaptiveMaxPool {
  protected override readonly rank = 1;
}

/** Maxima over a grid of the given size of [N, C, H, W]. */
export class AdaptiveMaxPool2d extends AdaptiveMaxPool {
  protected override readonly rank = 2;
}

/** Maxima over a grid of the given size of [N, C, D, H, W]. */
export class AdaptiveMaxPool3d extends AdaptiveMaxPool {
  protected override readonly rank = 3;
}

/** The mean over all spatial axes: [N, C, …] → [N, C], or [N, C, 1, …] with `keepdim`. */
export class GlobalAvgPool extends Module {
  readonly keepdim: boolean;

  constructor(options: { readonly keepdim?: boolean } = {}) {
    super();
    this.keepdim = options.keepdim ?? false;
  }

  override forward(x: Tensor): Tensor {
    return globalAvgPool(x, { keepdim: this.keepdim });
  }
}

/** The maximum over all spatial axes: [N, C, …] → [N, C], or [N, C, 1, …] with `keepdim`. */
export class GlobalMaxPool extends Module {
  readonly keepdim: boolean;

  constructor(options: { readonly keepdim?: boolean } = {}) {
    super();
    this.keepdim = options.keepdim ?? false;
  }

  override forward(x: Tensor): Tensor {
    return globalMaxPool(x, { keepdim: this.keepdim });
  }
}
