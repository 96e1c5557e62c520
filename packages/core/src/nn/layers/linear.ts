// Dense layers, tables, and layers that only pass on.
import { UserError } from '../../errors.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { bilinear, embedding, linear } from '../functional/linear.ts';
import { fanInUniform, normal, uniform, type Initializer } from '../init.ts';
import { Module } from '../module.ts';
import { Parameter } from '../parameter.ts';

export interface LinearOptions {
  /** true unless given. */
  readonly bias?: boolean;
  /** U(±1 / √in) unless given. */
  readonly weightInit?: Initializer;
  readonly biasInit?: Initializer;
}

/** x Wᵀ + b: [..., in] → [..., out]. */
export class Linear extends Module {
  readonly weight: Parameter;
  readonly bias: Parameter | undefined;

  constructor(inputs: number, outputs: number, options: LinearOptions = {}) {
    super();
    const shape = [outputs, inputs];
    this.weight = new Parameter({ shape, initial: (options.weightInit ?? fanInUniform())(shape) });
    this.bias = options.bias === false ? undefined : new Parameter({ shape: [outputs], initial: (options.biasInit ?? fanInUniform(shape))([outputs]) });
  }

  override forward(x: Tensor): Tensor {
    return linear(x, this.weight.value, this.bias?.value);
  }
}

export interface EmbeddingOptions {
  /** The row that stands for nothing: zeros at the start, and no gradient. */
  readonly paddingIdx?: number;
  /** N(0, 1) unless given. */
  readonly weightInit?: Initializer;
}

/** Rows of a table: indices [...] → [..., width]. */
export class Embedding extends Module {
  readonly weight: Parameter;
  readonly paddingIdx: number | undefined;

  constructor(count: number, width: number, options: EmbeddingOptions = {}) {
    super();
    const { paddingIdx, weightInit = normal() } = options;
    if (paddingIdx !== undefined && !(Number.isInteger(paddingIdx) && paddingIdx >= 0 && paddingIdx < count)) {
      throw new UserError(`Embedding: paddingIdx ${paddingIdx} is none of ${count} rows`);
    }
    const shape = [count, width];
    const make = weightInit(shape);
    const initial = paddingIdx === undefined ? make : () => make().fill(0, paddingIdx * width, (paddingIdx + 1) * width);
    this.weight = new Parameter({ shape, initial });
    this.paddingIdx = paddingIdx;
  }

  override forward(indices: Tensor): Tensor {
    return embedding(indices, this.weight.value, { paddingIdx: this.paddingIdx });
  }
}

/** x1ᵀ W x2 + b: [..., in1] and [..., in2] → [..., out]. */
export class Bilinear extends Module {
  /** [out, in1, in2] */
  readonly weight: Parameter;
  readonly bias: Parameter | undefined;

  constructor(first: number, second: number, outputs: number, options: LinearOptions = {}) {
    super();
    const shape = [outputs, first, second];
    const bound = 1 / Math.sqrt(first);
    const spread = uniform(-bound, bound);
    this.weight = new Parameter({ shape, initial: (options.weightInit ?? spread)(shape) });
    this.bias = options.bias === false ? undefined : new Parameter({ shape: [outputs], initial: (options.biasInit ?? spread)([outputs]) });
  }

  override forward(x1: Tensor, x2: Tensor): Tensor {
    return bilinear(x1, x2, this.weight.value, this.bias?.value);
  }
}

/** The input. */
export class Identity extends Module {
  override forward(x: Tensor): Tensor {
    return x;
  }
}

/** Axes start … end joined; everything but the batch axis unless given. */
export class Flatten extends Module {
  readonly start: number;
  readonly end: number;

  constructor(start = 1, end = -1) {
    super();
    this.start = start;
    this.end = end;
  }

  override forward(x: Tensor): Tensor {
    return x.flatten(this.start, this.end);
  }
}

/** One axis split into several. */
export class Unflatten extends Module {
  readonly axis: number;
  readonly sizes: readonly number[];

  constructor(axis: number, sizes: readonly number[]) {
    super();
    this.axis = axis;
    this.sizes = sizes;
  }

  override forward(x: Tensor): Tensor {
    return x.unflatten(this.axis, this.sizes);
  }
}
