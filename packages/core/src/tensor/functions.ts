// Pointwise methods that are composed of others: angles, hyperbolic functions, logarithms, erfinv, repairs.
import { erfinv } from '../composition/erfinv.ts';
import { isFloat } from '../dtype.ts';
import { withGradient } from '../gradient/gradient.ts';
import { add, div, like, mul, neg } from '../gradient/helpers.ts';
import { apply, cast } from '../graph/build.ts';
import type { Node } from '../graph/node.ts';
import type { Operand, TensorBase } from './base.ts';
import { TensorElementwise } from './elementwise.ts';
import { commonDtype, meetPair } from './promotion.ts';
import type { Tensor } from './tensor.ts';

const square = (x: Node): Node => mul(x, x);

export interface CloseOptions {
  /** Relative tolerance: 1e-5 unless given. */
  readonly rtol?: number;
  /** Absolute tolerance: 1e-8 unless given. */
  readonly atol?: number;
  /** NaN equals NaN. */
  readonly equalNan?: boolean;
}

export interface NanToNumOptions {
  /** In place of NaN: 0 unless given. */
  readonly nan?: number;
  /** In place of ±∞: the largest and lowest numbers of the dtype unless given. */
  readonly posinf?: number;
  readonly neginf?: number;
}

export class TensorFunctions extends TensorElementwise {
  /** 2ˣ. */
  exp2(): Tensor {
    return this.mul(Math.LN2).exp();
  }

  /** Logarithm to base 2. */
  log2(): Tensor {
    return this.log().mul(Math.LOG2E);
  }

  /** Logarithm to base 10. */
  log10(): Tensor {
    return this.log().mul(Math.LOG10E);
  }

  /** log(eˣ + e^other), without overflow. */
  logaddexp(other: TensorBase): Tensor {
    const [x, y] = this.#pair(other, 'logaddexp');
    const [a, b] = [this.wrap(x), this.wrap(y)];
    const largest = a.maximum(b);
    const value = largest.add(a.sub(b).abs().neg().exp().log1p()).where(a.ne(b), a.add(Math.LN2));
    return this.wrap(withGradient(value.node, [x, y], (dy) => [mul(dy, a.sub(b).sigmoid().node), mul(dy, b.sub(a).sigmoid().node)]));
  }

  /** x log(other), and 0 where x is 0. */
  xlogy(other: Operand): Tensor {
    const [left, right] = this.#pair(other, 'xlogy');
    const [x, y] = [this.wrap(left), this.wrap(right)];
    const undetermined = x.eq(0).and(y.le(0).or(y.eq(Infinity)));
    return x.mul(y.maskedFill(undetermined, 1).log());
  }

  /** log(x / (1 − x)); with `eps`, of x brought into [eps, 1 − eps]. */
  logit(eps?: number): Tensor {
    const x = eps === undefined ? this.#float() : this.#float().clamp(eps, 1 - eps);
    return x.div(x.rsub(1)).log();
  }

  /** sin x / cos x. */
  tan(): Tensor {
    return this.sin().div(this.cos());
  }

  /** The angle in [−π/2, π/2] whose sine is x. */
  asin(): Tensor {
    const x = this.#float();
    return x.div(x.rsub(1).mul(x.add(1)).sqrt()).atan();
  }

  /** The angle in [0, π] whose cosine is x. */
  acos(): Tensor {
    const x = this.#float();
    return x.rsub(1).div(x.add(1)).sqrt().atan().mul(2);
  }

  /** The angle in (−π, π] of the point (other, this). */
  atan2(other: TensorBase): Tensor {
    const [sine, cosine] = this.#pair(other, 'atan2');
    const [y, x] = [this.wrap(sine), this.wrap(cosine)];
    const half = y.div(x).atan();
    const turned = half.add(y.ge(0).to(y.dtype).mul(2 * Math.PI).sub(Math.PI));
    const angle = half.where(x.gt(0), turned.where(x.lt(0), y.sign().mul(Math.PI / 2)));
    return this.wrap(
      withGradient(angle.node, [sine, cosine], (dy) => {
        const share = div(dy, add(square(sine), square(cosine)));
        return [mul(share, cosine), neg(mul(share, sine))];
      }),
    );
  }

  /** (eˣ − e⁻ˣ) / 2. */
  sinh(): Tensor {
    const x = this.#float();
    return x.expm1().sub(x.neg().expm1()).mul(0.5);
  }

  /** (eˣ + e⁻ˣ) / 2. */
  cosh(): Tensor {
    const x = this.#float();
    return x.exp().add(x.neg().exp()).mul(0.5);
  }

  /** The inverse of sinh. */
  asinh(): Tensor {
    const x = this.#float();
    const size = x.abs();
    const value = size.add(x.square().div(x.square().add(1).sqrt().add(1))).log1p().mul(x.sign());
    return this.wrap(withGradient(value.node, [x.node], (dy) => [div(dy, apply('sqrt', add(square(x.node), like(x.node, 1))))]));
  }

  /** The inverse of cosh, from 1 on. */
  acosh(): Tensor {
    const beyond = this.#float().sub(1);
    return beyond.add(beyond.mul(beyond.add(2)).sqrt()).log1p();
  }

  /** The inverse of tanh. */
  atanh(): Tensor {
    const x = this.#float();
    return x.log1p().sub(x.neg().log1p()).mul(0.5);
  }

  /** y with erf(y) = x: ±∞ at ±1, NaN beyond. */
  erfinv(): Tensor {
    return this.wrap(erfinv(this.#float().node));
  }

  /** √(x² + other²). */
  hypot(other: TensorBase): Tensor {
    const [x, y] = this.#pair(other, 'hypot');
    return this.wrap(x).square().add(this.wrap(y).square()).sqrt();
  }

  /** this + weight · (end − this). */
  lerp(end: TensorBase, weight: Operand): Tensor {
    const [x, y] = meetPair(this, end, 'lerp');
    return this.add(this.wrap(y).sub(this.wrap(x)).mul(weight));
  }

  /** The rest of a division that truncates: the sign is this tensor's (`remainder` has the divisor's). */
  fmod(other: Operand): Tensor {
    const [a, b] = meetPair(this, other, 'fmod');
    const [x, divisor] = [this.wrap(a), this.wrap(b)];
    if (isFloat(x.dtype)) return x.sub(x.div(divisor).trunc().mul(divisor));
    const rest = x.remainder(divisor);
    return rest.sub(divisor).where(rest.ne(0).and(x.lt(0).ne(divisor.lt(0))), rest);
  }

  /** x − trunc(x). */
  frac(): Tensor {
    return this.sub(this.trunc());
  }

  /** Whether elements are NaN. */
  isNaN(): Tensor {
    return this.wrap(apply('ne', this.node, this.node));
  }

  /** Whether elements are neither infinite nor NaN. */
  isFinite(): Tensor {
    return this.abs().lt(Infinity);
  }

  /** Whether elements are ∞ or −∞. */
  isInf(): Tensor {
    return this.abs().eq(Infinity);
  }

  /** Numbers in place of NaN and infinities. */
  nanToNum({ nan = 0, posinf, neginf }: NanToNumOptions = {}): Tensor {
    const largest = this.dtype === 'float64' ? Number.MAX_VALUE : 3.4028234663852886e38;
    const finite = this.maskedFill(this.isNaN(), nan);
    return finite.maskedFill(this.eq(Infinity), posinf ?? largest).maskedFill(this.eq(-Infinity), neginf ?? -largest);
  }

  /** |this − other| ≤ atol + rtol |other|, element by element. */
  isClose(other: TensorBase, { rtol = 1e-5, atol = 1e-8, equalNan = false }: CloseOptions = {}): Tensor {
    const [x, y] = this.#pair(other, 'isClose');
    const [a, b] = [this.wrap(x), this.wrap(y)];
    const close = a.eq(b).or(a.sub(b).abs().le(b.abs().mul(rtol).add(atol)).and(b.isFinite()));
    return equalNan ? close.or(a.isNaN().and(b.isNaN())) : close;
  }

  #float(): Tensor {
    return this.wrap(cast(this.node, isFloat(this.dtype) ? this.dtype : 'float32'));
  }

  #pair(other: Operand, what: string): [Node, Node] {
    const dtype = commonDtype([this, other]);
    return meetPair(this, other, what, isFloat(dtype) ? dtype : 'float32');
  }
}
