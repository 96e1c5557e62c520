// One run's progress as a line of text.
import type { StepReport } from '../run/stage.ts';
import type { Run } from '../run/study.ts';
import { formatDuration, formatNumber, formatValues } from './format.ts';

export class RunLine {
  /** `[2/3] norm=batch seed=0`. */
  readonly title: string;
  readonly startedAt: number;
  /** When it was last written as a plain line. */
  printedAt = -Infinity;
  #stage = '';
  #steps = 0;
  #from = 0;
  #step = 0;
  #samples = 0;
  #shown: Readonly<Record<string, number>> = {};
  #beganAt = 0;
  #firstStep = 0;
  #firstStepAt = 0;
  #lastStepAt = 0;

  constructor(run: Run, { index, of }: { readonly index: number; readonly of: number }, now: number) {
    const values = formatValues(run.values);
    const seed = `seed=${run.config.seed}`;
    this.title = `[${index + 1}/${of}] ${values === '' ? seed : `${values} ${seed}`}`;
    this.startedAt = now;
  }

  begin(stage: string, { from, steps }: { readonly from: number; readonly steps: number }, now: number): void {
    this.#stage = stage;
    this.#from = from;
    this.#step = from;
    this.#steps = steps;
    this.#samples = 0;
    this.#shown = {};
    this.printedAt = -Infinity;
    this.#beganAt = now;
    this.#firstStep = from;
    this.#firstStepAt = now;
    this.#lastStepAt = now;
  }

  step(step: number, report: StepReport, now: number): void {
    this.#shown = { ...this.#shown, ...report.show };
    // The first step compiles; the rate begins after it.
    if (this.#step === this.#from) {
      this.#firstStep = step;
      this.#firstStepAt = now;
    } else {
      this.#samples += report.samples ?? 0;
    }
    this.#step = step;
    this.#lastStepAt = now;
  }

  get complete(): boolean {
    return this.#step === this.#steps;
  }

  /** Share of the stage's steps that is done. */
  get share(): number {
    return this.#steps === 0 ? 0 : this.#step / this.#steps;
  }

  /** `waiting` runs after this one count towards the time left. */
  describe({ now, bar, waiting }: { readonly now: number; readonly bar: boolean; readonly waiting: number }): string {
    const seconds = (this.#lastStepAt - this.#firstStepAt) / 1000;
    const done = this.#step - this.#firstStep;
    const parts = [this.#stage === '' ? this.title : `${this.title} ${this.#stage}`];
    if (this.#steps === 0) return `${this.title}  starting`;
    if (bar) parts.push(barOf(this.share));
    parts.push(`${this.#step}/${this.#steps}`);
    if (this.#samples > 0 && seconds > 0) parts.push(`${formatNumber(Math.round(this.#samples / seconds))} samples/s`);
    parts.push(...Object.entries(this.#shown).map(([name, value]) => `${name} ${formatNumber(value)}`));
    if (this.complete) {
      parts.push(`in ${formatDuration((now - this.#beganAt) / 1000)}`);
    } else if (done > 0) {
      parts.push(`${formatDuration((seconds / done) * (this.#steps - this.#step + waiting * this.#steps))} left`);
    }
    return parts.join('  ');
  }
}

function barOf(share: number): string {
  const width = 20;
  const full = Math.round(Math.min(1, Math.max(0, share)) * width);
  return `${'█'.repeat(full)}${'░'.repeat(width - full)}`;
}
