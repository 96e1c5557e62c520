// How a step is timed: warm until its time is steady, then take samples long enough for the clock.
import type { Step } from './problem.ts';

/** Samples of very short steps run it several times, so that one takes about this long. */
const shortestSample = 0.2;

const now = (): number => performance.now();

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? NaN) + upper) / 2;
}

/** Whether the last `window` times are as fast as the `window` before them, within 3 %. */
export function isSteady(times: readonly number[], window = 5): boolean {
  if (times.length < 2 * window) return false;
  const last = median(times.slice(-window));
  const before = median(times.slice(-2 * window, -window));
  return Math.abs(last - before) <= 0.03 * before;
}

/** Runs one step again and again; batches alternate. */
export class Stopwatch {
  readonly #step: Step;
  #count = 0;
  #repeats = 1;
  #estimate = 0;

  constructor(step: Step) {
    this.#step = step;
  }

  /** The numbers that the next `count` steps read. */
  async values(count: number): Promise<number[]> {
    const values: number[] = [];
    for (let i = 0; i < count; i++) values.push(await this.#step(this.#count++));
    return values;
  }

  /** Steps until the time of a step is steady, at most for `seconds`; returns milliseconds of a step. */
  async warm(seconds: number): Promise<number> {
    const start = now();
    const times: number[] = [];
    do {
      times.push(await this.#time(this.#repeats));
      const recent = median(times.slice(-5));
      this.#repeats = Math.max(1, Math.ceil(shortestSample / Math.max(recent, 1e-6)));
    } while (now() - start < seconds * 1000 && !(isSteady(times) && now() - start > seconds * 500));
    this.#estimate = median(times.slice(-5));
    return this.#estimate;
  }

  /** Milliseconds of a step, sampled for `seconds`: at least once. The first step after a pause does not count where there is time for more. */
  async sample(seconds: number): Promise<number[]> {
    if (this.#estimate * 4 < seconds * 1000) await this.#time(this.#repeats);
    const start = now();
    const times: number[] = [];
    do times.push(await this.#time(this.#repeats));
    while (now() - start < seconds * 1000);
    return times;
  }

  async #time(repeats: number): Promise<number> {
    const start = now();
    for (let i = 0; i < repeats; i++) await this.#step(this.#count++);
    return (now() - start) / repeats;
  }
}
