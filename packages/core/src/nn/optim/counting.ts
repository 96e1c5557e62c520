// Optimisers whose update depends on the number of the step, which is part of their state.
import { Variable } from '../../engine/variable.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import type { StateDict } from '../../engine/statedict.ts';
import { Optimizer } from './optimizer.ts';

export abstract class CountingOptimizer extends Optimizer {
  readonly #count = new Variable({ name: 'step', shape: [], dtype: 'int32' });
  #t: Tensor | undefined;

  /** The number of the step that is being made, from 1, in the dtype of a parameter. */
  protected t(dtype: Tensor['dtype']): Tensor {
    return (this.#t ?? this.#count.value).to(dtype);
  }

  protected override begin(): void {
    this.#t = this.#count.value.add(1);
    this.#count.assign(this.#t, `${this.constructor.name}.step`);
  }

  protected override globals(): StateDict {
    return { step: this.#count };
  }

  /** 1 − βᵗ, exact for small t too. */
  protected correction(beta: number, like: Tensor): Tensor {
    return this.t(like.dtype).mul(Math.log(beta)).expm1().neg();
  }
}
