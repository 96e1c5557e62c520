// Dense layers, tables, and layers that only pass on.
import type { Tensor } from '../../tensor/tensor.ts';
import { embedding, linear } from '../functional/linear.ts';
import { fanInUniform, normal, type Initializer } from '../init.ts';
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

/** Rows of a table, N(0, 1) at the start: indices [...] → [..., width]. */
export class Embedding extends Module {
  readonly weight: Parameter;

  constructor(count: number, width: number, options: { readonly weightInit?: Initializer } = {}) {
    super();
    const shape = [count, width];
    this.weight = new Parameter({ shape, initial: (options.weightInit ?? normal())(shape) });
  }

  override forward(indices: Tensor): Tensor {
    return embedding(indices, this.weight.value);
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
