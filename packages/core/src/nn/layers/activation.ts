// Activations as layers.
import type { Tensor } from '../../tensor/tensor.ts';
import * as functional from '../functional/activation.ts';
import { constant } from '../init.ts';
import { Module } from '../module.ts';
import { Parameter } from '../parameter.ts';

/** max(x, 0). */
export class ReLU extends Module {
  override forward(x: Tensor): Tensor {
    return functional.relu(x);
  }
}

/** min(max(x, 0), 6). */
export class ReLU6 extends Module {
  override forward(x: Tensor): Tensor {
    return functional.relu6(x);
  }
}

/** x where positive, else slope · x. */
export class LeakyReLU extends Module {
  readonly slope: number;

  constructor(slope = 0.01) {
    super();
    this.slope = slope;
  }

  override forward(x: Tensor): Tensor {
    return functional.leakyRelu(x, this.slope);
  }
}

/** x where positive, else α (eˣ − 1). */
export class ELU extends Module {
  readonly alpha: number;

  constructor(alpha = 1) {
    super();
    this.alpha = alpha;
  }

  override forward(x: Tensor): Tensor {
    return functional.elu(x, this.alpha);
  }
}

/** Self-normalising ELU. */
export class SELU extends Module {
  override forward(x: Tensor): Tensor {
    return functional.selu(x);
  }
}

/** Continuously differentiable ELU. */
export class CELU extends Module {
  readonly alpha: number;

  constructor(alpha = 1) {
    super();
    this.alpha = alpha;
  }

  override forward(x: Tensor): Tensor {
    return functional.celu(x, this.alpha);
  }
}

/** 1 / (1 + e⁻ˣ). */
export class Sigmoid extends Module {
  override forward(x: Tensor): Tensor {
    return functional.sigmoid(x);
  }
}

/** log sigmoid(x). */
export class LogSigmoid extends Module {
  override forward(x: Tensor): Tensor {
    return functional.logSigmoid(x);
  }
}

/** x sigmoid(x). */
export class SiLU extends Module {
  override forward(x: Tensor): Tensor {
    return functional.silu(x);
  }
}

/** x tanh(softplus(x)). */
export class Mish extends Module {
  override forward(x: Tensor): Tensor {
    return functional.mish(x);
  }
}

/** log(1 + e^(βx)) / β. */
export class Softplus extends Module {
  readonly beta: number;
  readonly threshold: number;

  constructor(beta = 1, threshold = 20) {
    super();
    this.beta = beta;
    this.threshold = threshold;
  }

  override forward(x: Tensor): Tensor {
    return functional.softplus(x, this.beta, this.threshold);
  }
}

/** x / (1 + |x|). */
export class Softsign extends Module {
  override forward(x: Tensor): Tensor {
    return functional.softsign(x);
  }
}

/** tanh(x). */
export class Tanh extends Module {
  override forward(x: Tensor): Tensor {
    return functional.tanh(x);
  }
}

/** x − tanh(x). */
export class Tanhshrink extends Module {
  override forward(x: Tensor): Tensor {
    return functional.tanhshrink(x);
  }
}

/** x clipped to [low, high]. */
export class Hardtanh extends Module {
  readonly low: number;
  readonly high: number;

  constructor(low = -1, high = 1) {
    super();
    this.low = low;
    this.high = high;
  }

  override forward(x: Tensor): Tensor {
    return functional.hardtanh(x, this.low, this.high);
  }
}

/** min(max(x + 3, 0), 6) / 6. */
export class Hardsigmoid extends Module {
  override forward(x: Tensor): Tensor {
    return functional.hardsigmoid(x);
  }
}

/** x hardsigmoid(x). */
export class Hardswish extends Module {
  override forward(x: Tensor): Tensor {
    return functional.hardswish(x);
  }
}

/** 0 within ±λ, else x. */
export class Hardshrink extends Module {
  readonly lambda: number;

  constructor(lambda = 0.5) {
    super();
    this.lambda = lambda;
  }

  override forward(x: Tensor): Tensor {
    return functional.hardshrink(x, this.lambda);
  }
}

/** x moved towards 0 by λ. */
export class Softshrink extends Module {
  readonly lambda: number;

  constructor(lambda = 0.5) {
    super();
    this.lambda = lambda;
  }

  override forward(x: Tensor): Tensor {
    return functional.softshrink(x, this.lambda);
  }
}

/** x where it exceeds the threshold, else `value`. */
export class Threshold extends Module {
  readonly limit: number;
  readonly value: number;

  constructor(limit: number, value: number) {
    super();
    this.limit = limit;
    this.value = value;
  }

  override forward(x: Tensor): Tensor {
    return functional.threshold(x, this.limit, this.value);
  }
}

/** eˣ / Σ eˣ along an axis. */
export class Softmax extends Module {
  readonly axis: number;

  constructor(axis = -1) {
    super();
    this.axis = axis;
  }

  override forward(x: Tensor): Tensor {
    return functional.softmax(x, this.axis);
  }
}

/** log of softmax. */
export class LogSoftmax extends Module {
  readonly axis: number;

  constructor(axis = -1) {
    super();
    this.axis = axis;
  }

  override forward(x: Tensor): Tensor {
    return functional.logSoftmax(x, this.axis);
  }
}

/** softmax of −x. */
export class Softmin extends Module {
  readonly axis: number;

  constructor(axis = -1) {
    super();
    this.axis = axis;
  }

  override forward(x: Tensor): Tensor {
    return functional.softmin(x, this.axis);
  }
}

/** The first half of an axis times the sigmoid of the second. */
export class GLU extends Module {
  readonly axis: number;

  constructor(axis = -1) {
    super();
    this.axis = axis;
  }

  override forward(x: Tensor): Tensor {
    return functional.glu(x, this.axis);
  }
}

/** x Φ(x), or its tanh approximation. */
export class GELU extends Module {
  readonly approximate: 'none' | 'tanh';

  constructor(options: { readonly approximate?: 'none' | 'tanh' } = {}) {
    super();
    this.approximate = options.approximate ?? 'none';
  }

  override forward(x: Tensor): Tensor {
    return functional.gelu(x, { approximate: this.approximate });
  }
}

/** LeakyReLU with learned slopes: one, or one per channel; 0.25 at the start. */
export class PReLU extends Module {
  readonly weight: Parameter;

  constructor(count = 1, initial = 0.25) {
    super();
    this.weight = new Parameter({ shape: [count], initial: constant(initial)([count]) });
  }

  override forward(x: Tensor): Tensor {
    return functional.prelu(x, this.weight.value);
  }
}
