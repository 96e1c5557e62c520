// Activations: functions of one element (or of one axis), with PyTorch's names and defaults.
import { withGradient } from '../../engine/differentiate.ts';
import { ShapeError, formatShape } from '../../errors.ts';
import { describe } from '../../graph/create.ts';
import { normalizeAxis } from '../../shape.ts';
import type { Tensor } from '../../tensor/tensor.ts';

/** max(x, 0); the gradient at 0 is 0. */
export function relu(x: Tensor): Tensor {
  return x.relu();
}

/** min(max(x, 0), 6). */
export function relu6(x: Tensor): Tensor {
  return x.relu().minimum(6);
}

/** x where positive, else slope · x (0.01). */
export function leakyRelu(x: Tensor, slope = 0.01): Tensor {
  return x.where(x.gt(0), x.mul(slope));
}

/** `leakyRelu` with learned slopes: one, or one per channel (axis 1). */
export function prelu(x: Tensor, slope: Tensor): Tensor {
  if (slope.size === 1) return x.where(x.gt(0), x.mul(slope.reshape([])));
  if (x.ndim < 2 || slope.size !== x.shape[1]) {
    throw new ShapeError(`${describe('prelu')}: ${slope.size} slopes for input ${formatShape(x.shape)}`, { remedy: 'give one, or one per channel (axis 1)' });
  }
  return x.where(x.gt(0), x.mul(slope.reshape(-1, ...x.shape.slice(2).map(() => 1))));
}

/** x where positive, else α (eˣ − 1); α is 1. */
export function elu(x: Tensor, alpha = 1): Tensor {
  return x.where(x.gt(0), x.minimum(0).expm1().mul(alpha));
}

/** λ elu(x, α) with the constants that keep mean 0 and variance 1 (Klambauer et al. 2017). */
export function selu(x: Tensor): Tensor {
  return elu(x, 1.6732632423543772).mul(1.0507009873554805);
}

/** x where positive, else α (e^(x/α) − 1): continuously differentiable. */
export function celu(x: Tensor, alpha = 1): Tensor {
  return x.where(x.gt(0), x.minimum(0).mul(1 / alpha).expm1().mul(alpha));
}

/** x Φ(x), or its tanh approximation (Hendrycks & Gimpel 2016). */
export function gelu(x: Tensor, options: { readonly approximate?: 'none' | 'tanh' } = {}): Tensor {
  const gate =
    options.approximate === 'tanh'
      ? x.square().mul(0.044715).add(1).mul(x).mul(Math.sqrt(2 / Math.PI)).tanh()
      : x.mul(Math.SQRT1_2).erf();
  return x.mul(0.5).mul(gate.add(1));
}

/** 1 / (1 + e⁻ˣ). */
export function sigmoid(x: Tensor): Tensor {
  return x.sigmoid();
}

/** log(1 + eˣ) without overflow; the gradient is sigmoid(x), also at 0. */
function logOnePlusExp(x: Tensor): Tensor {
  return withGradient(x.maximum(0).add(x.abs().neg().exp().log1p()), [x], (dy) => [dy.mul(x.sigmoid())]);
}

/** log sigmoid(x), without overflow. */
export function logSigmoid(x: Tensor): Tensor {
  return logOnePlusExp(x.neg()).neg();
}

/** x sigmoid(x), also called swish. */
export function silu(x: Tensor): Tensor {
  return x.mul(x.sigmoid());
}

/** log(1 + e^(βx)) / β; x itself where βx exceeds the threshold. */
export function softplus(x: Tensor, beta = 1, threshold = 20): Tensor {
  const scaled = x.mul(beta);
  return x.where(scaled.gt(threshold), logOnePlusExp(scaled).mul(1 / beta));
}

/** x tanh(softplus(x)). */
export function mish(x: Tensor): Tensor {
  return x.mul(softplus(x).tanh());
}

/** x / (1 + |x|). */
export function softsign(x: Tensor): Tensor {
  return x.div(x.abs().add(1));
}

/** tanh x. */
export function tanh(x: Tensor): Tensor {
  return x.tanh();
}

/** x − tanh(x). */
export function tanhshrink(x: Tensor): Tensor {
  return x.sub(x.tanh());
}

/** x clipped to [low, high] (−1, 1). */
export function hardtanh(x: Tensor, low = -1, high = 1): Tensor {
  return x.clamp(low, high);
}

/** min(max(x + 3, 0), 6) / 6. */
export function hardsigmoid(x: Tensor): Tensor {
  return relu6(x.add(3)).mul(1 / 6);
}

/** x hardsigmoid(x). */
export function hardswish(x: Tensor): Tensor {
  return x.mul(hardsigmoid(x));
}

/** 0 within ±λ (0.5), else x. */
export function hardshrink(x: Tensor, lambda = 0.5): Tensor {
  return x.where(x.abs().gt(lambda), 0);
}

/** x moved towards 0 by λ (0.5), 0 within ±λ. */
export function softshrink(x: Tensor, lambda = 0.5): Tensor {
  return x.sub(lambda).maximum(0).add(x.add(lambda).minimum(0));
}

/** x where it exceeds the threshold, else `value`. */
export function threshold(x: Tensor, limit: number, value: number): Tensor {
  return x.where(x.gt(limit), value);
}

/** The first half of an axis times the sigmoid of the second. */
export function glu(x: Tensor, axis = -1): Tensor {
  const at = normalizeAxis(axis, x.ndim, describe('glu'));
  const size = x.shape[at] ?? 0;
  if (size % 2 !== 0) throw new ShapeError(`${describe('glu')}: axis ${axis} of ${formatShape(x.shape)} has an odd size`);
  return x.narrow(at, 0, size / 2).mul(x.narrow(at, size / 2, size / 2).sigmoid());
}

/** eˣ / Σ eˣ along an axis. */
export function softmax(x: Tensor, axis: number): Tensor {
  return x.softmax(axis);
}

/** softmax of −x. */
export function softmin(x: Tensor, axis: number): Tensor {
  return x.neg().softmax(axis);
}

/** log softmax(x), without overflow. */
export function logSoftmax(x: Tensor, axis: number): Tensor {
  return x.logSoftmax(axis);
}
