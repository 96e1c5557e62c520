// A learning rate that falls when a metric stops improving: the one schedule that needs to be told how training goes.
import { UserError } from '../../errors.ts';

export interface PlateauOptions {
  /** Whether the metric should fall (`min`, the default) or rise. */
  readonly mode?: 'min' | 'max';
  /** What the rate is multiplied by: 0.1 unless given. */
  readonly factor?: number;
  /** How many values in a row may fail to improve: 10 unless given. */
  readonly patience?: number;
  /** Smaller improvements count as none: 1e-4 unless given. */
  readonly threshold?: number;
  /** Whether the threshold is a share of the best value (`rel`, the default) or a difference. */
  readonly thresholdMode?: 'rel' | 'abs';
  /** Values that are not judged after a fall: 0 unless given. */
  readonly cooldown?: number;
  /** Where the product of factors ends: 0 unless given. */
  readonly floor?: number;
}

/** What a checkpoint keeps. */
export interface PlateauState {
  readonly factor: number;
  readonly best: number;
  readonly bad: number;
  readonly resting: number;
}

/** `optimizer.lr = base * plateau.step(metric)` after each evaluation, as ReduceLROnPlateau does. */
export class Plateau {
  readonly #options: Required<PlateauOptions>;
  #state: PlateauState;

  constructor(options: PlateauOptions = {}) {
    this.#options = { mode: 'min', factor: 0.1, patience: 10, threshold: 1e-4, thresholdMode: 'rel', cooldown: 0, floor: 0, ...options };
    const { factor, mode } = this.#options;
    if (!(factor > 0 && factor < 1)) throw new UserError(`Plateau: a factor of ${factor}`, { remedy: 'give a number between 0 and 1' });
    this.#state = { factor: 1, best: mode === 'min' ? Infinity : -Infinity, bad: 0, resting: 0 };
  }

  /** The product of all factors so far. */
  get factor(): number {
    return this.#state.factor;
  }

  /** Notes a value of the metric and returns the factor on the learning rate from now on. */
  step(metric: number): number {
    const { factor, patience, cooldown, floor } = this.#options;
    let { best, bad, resting, factor: product } = this.#state;
    if (this.#improves(metric, best)) [best, bad] = [metric, 0];
    else bad += 1;
    if (resting > 0) [resting, bad] = [resting - 1, 0];
    if (bad > patience) {
      // As PyTorch does, falls of less than 1e-8 are left out.
      const lower = Math.max(product * factor, floor);
      if (product - lower > 1e-8) product = lower;
      [resting, bad] = [cooldown, 0];
    }
    this.#state = { factor: product, best, bad, resting };
    return product;
  }

  /** What it has seen, for a checkpoint. */
  state(): PlateauState {
    return this.#state;
  }

  /** Goes on from what `state` gave. */
  loadState(state: PlateauState): void {
    this.#state = { ...state };
  }

  #improves(metric: number, best: number): boolean {
    const { mode, threshold, thresholdMode } = this.#options;
    const sign = mode === 'min' ? -1 : 1;
    const target = thresholdMode === 'abs' ? best + sign * threshold : best * (1 + sign * threshold);
    return mode === 'min' ? metric < target : metric > target;
  }
}
