// The curves of the runs that were looked at, kept in memory as far as their logs have been read.
import { join } from 'node:path';
import type { StageFolder } from '../report/curves.ts';
import { MetricTail } from './tail.ts';

/** Numbers that only grow in number. */
export class Series {
  #steps = new Int32Array(64);
  #values = new Float64Array(64);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  get steps(): Int32Array {
    return this.#steps.subarray(0, this.#length);
  }

  get values(): Float64Array {
    return this.#values.subarray(0, this.#length);
  }

  add(step: number, value: number): void {
    if (this.#length === this.#steps.length) {
      const room = Math.ceil(this.#length * 1.5);
      const [steps, values] = [this.#steps, this.#values];
      this.#steps = new Int32Array(room);
      this.#values = new Float64Array(room);
      this.#steps.set(steps);
      this.#values.set(values);
    }
    this.#steps[this.#length] = step;
    this.#values[this.#length] = value;
    this.#length++;
  }
}

/** All curves of a run: `metric`, behind `stage/` where it has several stages. */
export class RunSeries {
  readonly #parts: { readonly stage: string; readonly tail: MetricTail; series: Map<string, Series> }[];
  #rows = 0;

  constructor(stages: readonly StageFolder[]) {
    this.#parts = stages.map(({ name, folder }) => ({ stage: name, tail: new MetricTail(join(folder, 'metrics.arrow')), series: new Map() }));
  }

  /** Reads what has come; true if anything has. */
  read(): boolean {
    let changed = false;
    for (const part of this.#parts) {
      const { anew, batches } = part.tail.read();
      if (anew) {
        for (const { length } of part.series.values()) this.#rows -= length;
        part.series = new Map();
      }
      changed ||= anew || batches.length > 0;
      for (const { steps, metrics, values } of batches) {
        for (const [row, metric] of metrics.entries()) {
          const series = part.series.get(metric) ?? new Series();
          part.series.set(metric, series);
          series.add(steps[row] ?? 0, values[row] ?? NaN);
          this.#rows++;
        }
      }
    }
    return changed;
  }

  get series(): ReadonlyMap<string, Series> {
    const several = this.#parts.length > 1;
    return new Map(this.#parts.flatMap(({ stage, series }) => [...series].map(([metric, one]) => [several ? `${stage}/${metric}` : metric, one] as const)));
  }

  /** How many rows are kept. */
  get rows(): number {
    return this.#rows;
  }

  /** The greatest step of the last stage that has begun. */
  get lastStep(): number {
    const begun = this.#parts.findLast(({ series }) => series.size > 0);
    return Math.max(0, ...[...(begun?.series.values() ?? [])].map(({ steps }) => steps.at(-1) ?? 0));
  }
}

/** Curves by run; of those that were not looked at for the longest time, some are forgotten when there are too many rows. */
export class SeriesStore {
  readonly #limit: number;
  readonly #runs = new Map<number, RunSeries>();
  #rows = 0;

  constructor({ limit = 10_000_000 }: { readonly limit?: number } = {}) {
    this.#limit = limit;
  }

  /** A run's curves, read up to now. */
  open(id: number, stages: readonly StageFolder[]): RunSeries {
    const run = this.#runs.get(id) ?? new RunSeries(stages);
    this.#runs.delete(id);
    this.#runs.set(id, run);
    const before = run.rows;
    run.read();
    this.#rows += run.rows - before;
    for (const [old, { rows }] of this.#runs) {
      if (this.#rows <= this.#limit || old === id) break;
      this.#runs.delete(old);
      this.#rows -= rows;
    }
    return run;
  }

  /** Drops a run that is gone. */
  forget(id: number): void {
    this.#rows -= this.#runs.get(id)?.rows ?? 0;
    this.#runs.delete(id);
  }
}
