// Layers that change the resolution without parameters: resizing, columns of windows, shuffles, Lp pooling, unpooling.
import type { Tensor } from '../../tensor/tensor.ts';
import { channelShuffle, fold, pixelShuffle, pixelUnshuffle, unfold, type FoldOptions, type UnfoldOptions } from '../functional/folding.ts';
import { interpolate, type InterpolateOptions } from '../functional/interpolate.ts';
import { lpPool, type LpPoolingOptions } from '../functional/pooling.ts';
import { spatialRank, type PerAxis } from '../functional/spatial.ts';
import { maxUnpool, type UnpoolingOptions } from '../functional/unpooling.ts';
import { Module } from '../module.ts';

/** `functional.interpolate` with settings that do not change. */
export class Upsample extends Module {
  readonly options: InterpolateOptions;

  constructor(options: InterpolateOptions) {
    super();
    this.options = options;
  }

  override forward(x: Tensor): Tensor {
    return interpolate(x, this.options);
  }
}

/** Windows as columns: [N, C, …S] → [N, C · ∏K, L]. */
export class Unfold extends Module {
  readonly options: UnfoldOptions;

  constructor(kernel: PerAxis, options: Omit<UnfoldOptions, 'kernel'> = {}) {
    super();
    this.options = { kernel, ...options };
  }

  override forward(x: Tensor): Tensor {
    return unfold(x, this.options);
  }
}

/** Columns of windows summed where they came from: [N, C · ∏K, L] → [N, C, …outputSize]. */
export class Fold extends Module {
  readonly options: FoldOptions;

  constructor(outputSize: readonly number[], kernel: PerAxis, options: Omit<UnfoldOptions, 'kernel'> = {}) {
    super();
    this.options = { outputSize, kernel, ...options };
  }

  override forward(x: Tensor): Tensor {
    return fold(x, this.options);
  }
}

/** [N, C · r², H, W] → [N, C, H · r, W · r]. */
export class PixelShuffle extends Module {
  readonly factor: number;

  constructor(factor: number) {
    super();
    this.factor = factor;
  }

  override forward(x: Tensor): Tensor {
    return pixelShuffle(x, this.factor);
  }
}

/** [N, C, H · r, W · r] → [N, C · r², H, W]. */
export class PixelUnshuffle extends Module {
  readonly factor: number;

  constructor(factor: number) {
    super();
    this.factor = factor;
  }

  override forward(x: Tensor): Tensor {
    return pixelUnshuffle(x, this.factor);
  }
}

/** Channels dealt out: those of each group come to stand `groups` apart. */
export class ChannelShuffle extends Module {
  readonly groups: number;

  constructor(groups: number) {
    super();
    this.groups = groups;
  }

  override forward(x: Tensor): Tensor {
    return channelShuffle(x, this.groups);
  }
}

/** (Σ xᵖ)^(1/p) over windows of [N, C, …] with a fixed number of spatial axes. */
abstract class LPPool extends Module {
  protected abstract readonly rank: number;
  readonly options: LpPoolingOptions;

  constructor(p: number, kernel: PerAxis, options: Omit<LpPoolingOptions, 'p' | 'kernel'> = {}) {
    super();
    this.options = { p, kernel, ...options };
  }

  override forward(x: Tensor): Tensor {
    spatialRank(x, this.constructor.name, this.rank);
    return lpPool(x, this.options);
  }
}

/** p-norms of windows of [N, C, L]. */
/** (Σ xᵖ)^(1/p) over each window of [N, C, L]. */
export class LPPool1d extends LPPool {
  protected override readonly rank = 1;
}

/** p-norms of windows of [N, C, H, W]. */
/** (Σ xᵖ)^(1/p) over each window of [N, C, H, W]. */
export class LPPool2d extends LPPool {
  protected override readonly rank = 2;
}

/** p-norms of windows of [N, C, D, H, W]. */
/** (Σ xᵖ)^(1/p) over each window of [N, C, D, H, W]. */
export class LPPool3d extends LPPool {
  protected override readonly rank = 3;
}

/** Puts maxima back to where `functional.maxPoolWithIndices` found them, among zeros. */
abstract class MaxUnpool extends Module {
  protected abstract readonly rank: number;
  readonly options: Omit<UnpoolingOptions, 'outputSize'>;

  constructor(kernel: PerAxis, options: Omit<UnpoolingOptions, 'kernel' | 'outputSize'> = {}) {
    super();
    this.options = { kernel, ...options };
  }

  /** `outputSize` holds the spatial sizes of what was pooled, where pooling dropped a border. */
  override forward(x: Tensor, indices: Tensor, outputSize?: PerAxis): Tensor {
    spatialRank(x, this.constructor.name, this.rank);
    return maxUnpool(x, indices, { ...this.options, outputSize });
  }
}

/** Values put back where max pooling of [N, C, L] found them, among zeros. */
/** Puts the maxima of windows of [N, C, L] back to where they stood. */
export class MaxUnpool1d extends MaxUnpool {
  protected override readonly rank = 1;
}

/** Values put back where max pooling of [N, C, H, W] found them, among zeros. */
/** Puts the maxima of windows of [N, C, H, W] back to where they stood. */
export class MaxUnpool2d extends MaxUnpool {
  protected override readonly rank = 2;
}

/** Values put back where max pooling of [N, C, D, H, W] found them, among zeros. */
/** Puts the maxima of windows of [N, C, D, H, W] back to where they stood. */
export class MaxUnpool3d extends MaxUnpool {
  protected override readonly rank = 3;
}
