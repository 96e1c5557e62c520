// Progress of a study: one line that is redrawn in a terminal, plain lines elsewhere.
import type { Observer } from '../run/observer.ts';
import type { StepReport } from '../run/stage.ts';
import type { Run } from '../run/study.ts';
import { formatDuration, formatNumber, formatValues } from './format.ts';

export interface ProgressStream {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

export interface ProgressOptions {
  /** Milliseconds; for tests. */
  readonly clock?: () => number;
}

const redrawEvery = 100;
const plainLineEvery = 5000;

/** Shows rate, loss and time left. The time left counts the runs that are still to come. */
export class Progress implements Observer {
  readonly #stream: ProgressStream;
  readonly #clock: () => number;
  #title = '';
  #stage = '';
  #runsLeft = 0;
  #steps = 0;
  #from = 0;
  #samples = 0;
  #shown: Readonly<Record<string, number>> = {};
  #beganAt = 0;
  #firstStepAt = 0;
  #drawnAt = -Infinity;
  #line = '';

  constructor(stream: ProgressStream, { clock = () => performance.now() }: ProgressOptions = {}) {
    this.#stream = stream;
    this.#clock = clock;
  }

  runStarted(run: Run, { index, of }: { index: number; of: number }): void {
    const seed = `seed=${run.config.seed}`;
    const values = formatValues(run.values);
    this.#title = `[${index + 1}/${of}] ${values === '' ? seed : `${values} ${seed}`}`;
    this.#runsLeft = of - index - 1;
  }

  stageStarted(_run: Run, name: string, { from, steps }: { from: number; steps: number }): void {
    this.#stage = name;
    this.#steps = steps;
    this.#from = from;
    this.#samples = 0;
    this.#shown = {};
    this.#drawnAt = -Infinity;
    this.#beganAt = this.#clock();
    this.#firstStepAt = this.#beganAt;
    if (from > 0) this.note(`${this.#title}: going on at step ${from} of ${steps}`);
    if (this.#stream.isTTY === true) this.#redraw(this.#describe(from, 0));
    else this.#print(`${this.#title} ${name}: ${steps} steps\n`);
  }

  stepDone(_run: Run, step: number, report: StepReport): void {
    const now = this.#clock();
    this.#shown = { ...this.#shown, ...report.show };
    // The first step compiles; the rate begins after it.
    if (step === this.#from + 1) this.#firstStepAt = now;
    else this.#samples += report.samples ?? 0;
    const every = this.#stream.isTTY === true ? redrawEvery : plainLineEvery;
    if (now - this.#drawnAt < every && step < this.#steps) return;
    this.#drawnAt = now;
    const line = this.#describe(step, (now - this.#firstStepAt) / 1000);
    if (this.#stream.isTTY === true) this.#redraw(line);
    else this.#print(`${line}\n`);
  }

  runDone(): void {
    if (this.#stream.isTTY === true && this.#line !== '') this.#print('\n');
    this.#line = '';
  }

  note(message: string): void {
    if (this.#stream.isTTY === true && this.#line !== '') this.#print('\r\u001b[2K');
    this.#print(`${message}\n`);
    if (this.#stream.isTTY === true && this.#line !== '') this.#print(this.#line);
  }

  #describe(step: number, seconds: number): string {
    const done = step - this.#from - 1;
    const parts = [`${this.#title} ${this.#stage}`];
    if (this.#stream.isTTY === true) parts.push(bar(step / this.#steps));
    parts.push(`${step}/${this.#steps}`);
    if (this.#samples > 0 && seconds > 0) parts.push(`${formatNumber(Math.round(this.#samples / seconds))} samples/s`);
    parts.push(...Object.entries(this.#shown).map(([name, value]) => `${name} ${formatNumber(value)}`));
    if (step === this.#steps) {
      parts.push(`in ${formatDuration((this.#clock() - this.#beganAt) / 1000)}`);
    } else if (done > 0) {
      const left = (seconds / done) * (this.#steps - step + this.#runsLeft * this.#steps);
      parts.push(`${formatDuration(left)} left`);
    }
    return parts.join('  ');
  }

  #redraw(line: string): void {
    const columns = this.#stream.columns ?? 80;
    this.#line = line.length < columns ? line : `${line.slice(0, columns - 2)}…`;
    this.#print(`\r\u001b[2K${this.#line}`);
  }

  #print(text: string): void {
    this.#stream.write(text);
  }
}

function bar(share: number): string {
  const width = 20;
  const full = Math.round(Math.min(1, Math.max(0, share)) * width);
  return `${'█'.repeat(full)}${'░'.repeat(width - full)}`;
}
