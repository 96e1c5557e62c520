// Variables that the host sets and therefore knows: learning rates, random keys and counters.
import { arrayOf, castNumber, type TypedArray } from '../dtype.ts';
import { UserError } from '../errors.ts';
import { Tensor } from '../tensor/tensor.ts';
import { isReplaying } from './replay.ts';
import { engine } from './state.ts';
import { Variable, type Assignable, type VariableOptions } from './variable.ts';

export interface HostVariableOptions extends VariableOptions {
  readonly values: readonly number[];
}

export class HostVariable extends Variable {
  #host: TypedArray;

  constructor({ values, ...options }: HostVariableOptions) {
    const host = arrayOf(options.dtype ?? 'float32', values.length);
    values.forEach((value, i) => {
      host[i] = castNumber(value, options.dtype ?? 'float32');
    });
    super({ ...options, initial: () => host.slice() });
    this.#host = host;
  }

  /** The values, as they were last set. */
  get host(): TypedArray {
    return this.#host;
  }

  /** Sets the values; they cannot be computed, because then the host would not know them. */
  override assign(value: Assignable, writer?: string): void {
    if (value instanceof Tensor) {
      throw new UserError(`${this.name} is set from the host: a computed tensor cannot be assigned`, { remedy: 'assign numbers' });
    }
    if (engine.trace !== undefined && !engine.trace.mayCreate) {
      throw new UserError(`${this.name} is set inside ${engine.trace.name}, where it would be set once and for all`, { remedy: 'set it before the call' });
    }
    if (isReplaying()) return;
    super.assign(value, writer);
    if (typeof value === 'number') this.#host = arrayOf(this.dtype, this.elements).fill(castNumber(value, this.dtype));
    else this.#host = value.slice();
  }

  /** Lets a trace assign a computed value, whose effect on the host's copy `advance` then repeats. */
  protected assignComputed(value: Tensor, writer: string): void {
    super.assign(value, writer);
  }

  /** Notes what a run has done to the values. */
  protected noteHost(values: TypedArray): void {
    this.#host = values;
  }
}
