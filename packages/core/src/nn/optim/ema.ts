// Exponential moving averages of Variables (Polyak & Juditsky 1992): smoother weights for evaluation and sampling.
import { holdFlushes } from '../../engine/state.ts';
import { Variable } from '../../engine/variable.ts';
import { UserError } from '../../errors.ts';
import { loadState, type LoadOptions, type Loadable, type StateDict } from '../../engine/statedict.ts';

export interface EMAOptions {
  /** Weight of the old average: 0.999 unless given. */
  readonly decay?: number;
  /** Use min(decay, (1 + t) / (10 + t)) at update t, so that the first values are soon forgotten. */
  readonly warmup?: boolean;
}

/** Averages of Variables, for instance of a model's parameters. */
export class EMA {
  readonly #pairs: readonly { readonly variable: Variable; readonly average: Variable }[];
  readonly #decay: number;
  readonly #warmup: boolean;
  readonly #count = new Variable({ name: 'ema.updates', shape: [] });
  #swapped = false;

  /** The averages start at the values that the Variables have now. */
  constructor(variables: Iterable<Variable>, options: EMAOptions = {}) {
    const { decay = 0.999, warmup = false } = options;
    if (!(decay >= 0 && decay < 1)) throw new UserError(`an EMA with decay ${decay}`, { remedy: 'give a number from 0 to below 1' });
    this.#decay = decay;
    this.#warmup = warmup;
    this.#pairs = Array.from(variables, (variable) => {
      const average = new Variable({ name: `ema.${variable.name}`, shape: variable.shape, dtype: variable.dtype });
      average.assign(variable.value, 'EMA');
      return { variable, average };
    });
  }

  /** Moves every average towards its Variable: a ← d·a + (1 − d)·v. */
  update(): void {
    if (this.#swapped) throw new UserError('an EMA is updated while its averages stand in the model', { remedy: 'call swap() again first' });
    holdFlushes(() => this.#update());
  }

  /** Exchanges averages and Variables: once to evaluate with the averages, once more to go on training. */
  swap(): void {
    holdFlushes(() => {
      for (const { variable, average } of this.#pairs) {
        const [value, mean] = [variable.value, average.value];
        variable.assign(mean, 'EMA.swap');
        average.assign(value, 'EMA.swap');
      }
    });
    this.#swapped = !this.#swapped;
  }

  /** The averages by the names of their Variables, and the number of updates. */
  stateDict(): StateDict {
    return { updates: this.#count, ...Object.fromEntries(this.#pairs.map(({ variable, average }) => [variable.name, average])) };
  }

  /** Sets averages and count to saved values. */
  loadStateDict(state: Readonly<Record<string, Loadable>>, options: LoadOptions = {}): void {
    loadState(this.stateDict(), state, options);
  }

  #update(): void {
    const t = this.#count.value.add(1);
    this.#count.assign(t, 'EMA.update');
    for (const { variable, average } of this.#pairs) {
      const old = average.value;
      const step = variable.value.sub(old);
      if (!this.#warmup) {
        average.assign(old.add(step.mul(1 - this.#decay)), 'EMA.update');
        continue;
      }
      const decay = t.add(1).div(t.add(10)).minimum(this.#decay).to(old.dtype);
      average.assign(old.add(step.mul(decay.rsub(1))), 'EMA.update');
    }
  }
}
