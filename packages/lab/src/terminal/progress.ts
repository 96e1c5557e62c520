// Progress of a study: lines that are redrawn in a terminal, one for each run at work; plain lines elsewhere.
import type { Observer } from '../run/observer.ts';
import type { StepReport } from '../run/stage.ts';
import type { Run } from '../run/study.ts';
import { formatDuration } from './format.ts';
import { RunLine } from './run-line.ts';

export interface ProgressStream {
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
  write(text: string): unknown;
}

export interface ProgressOptions {
  /** Milliseconds; for tests. */
  readonly clock?: () => number;
}

const redrawEvery = 100;
const plainLineEvery = 5000;

/** Shows rate, loss and time left of each run at work, and of all together when there are several at once. */
export class Progress implements Observer {
  readonly #stream: ProgressStream;
  readonly #clock: () => number;
  readonly #terminal: boolean;
  /** By run folder, in the order in which they began. */
  readonly #working = new Map<string, RunLine>();
  /** Milliseconds that each finished run took. */
  readonly #took: number[] = [];
  #failed = 0;
  #waiting = 0;
  #several = false;
  #drawnAt = -Infinity;
  #drawn: readonly string[] = [];

  constructor(stream: ProgressStream, { clock = () => performance.now() }: ProgressOptions = {}) {
    this.#stream = stream;
    this.#clock = clock;
    this.#terminal = stream.isTTY === true;
  }

  runStarted(run: Run, { index, of, waiting }: { index: number; of: number; waiting: number }): void {
    this.#working.set(run.folder, new RunLine(run, { index, of }, this.#clock()));
    this.#waiting = waiting;
    this.#several ||= this.#working.size > 1;
  }

  stageStarted(run: Run, name: string, { from, steps }: { from: number; steps: number }): void {
    const line = this.#working.get(run.folder);
    if (line === undefined) return;
    line.begin(name, { from, steps }, this.#clock());
    if (from > 0) this.note(`${line.title}: going on at step ${from} of ${steps}`);
    this.#drawnAt = -Infinity;
    if (this.#terminal) this.#redraw();
    else this.#stream.write(`${line.title} ${name}: ${steps} steps\n`);
  }

  stepDone(run: Run, step: number, report: StepReport): void {
    const line = this.#working.get(run.folder);
    if (line === undefined) return;
    const now = this.#clock();
    line.step(step, report, now);
    if (this.#terminal) {
      if (now - this.#drawnAt >= redrawEvery || line.complete) this.#redraw();
    } else if (now - line.printedAt >= plainLineEvery || line.complete) {
      line.printedAt = now;
      this.#stream.write(`${this.#describe(line)}\n`);
    }
  }

  runDone(run: Run, { failed }: { failed: boolean }): void {
    const line = this.#working.get(run.folder);
    if (line === undefined) return;
    const text = failed ? `${line.title}: failed` : this.#describe(line);
    this.#working.delete(run.folder);
    this.#took.push(this.#clock() - line.startedAt);
    if (failed) this.#failed++;
    if (!this.#terminal) {
      if (failed) this.#stream.write(`${text}\n`);
    } else if (this.#several || failed) {
      this.#clear();
      this.#stream.write(`${text}\n`);
      this.#redraw();
    } else if (this.#drawn.length > 0) {
      this.#stream.write('\n');
      this.#drawn = [];
    }
  }

  note(message: string): void {
    const before = this.#drawn;
    this.#clear();
    this.#stream.write(`${message}\n`);
    if (before.length > 0) this.#draw(before);
  }

  #describe(line: RunLine): string {
    return line.describe({ now: this.#clock(), bar: this.#terminal, waiting: this.#several ? 0 : this.#waiting });
  }

  /** `5 runs done, 1 failed, 18 to go  3:20 left`. */
  #summary(): string {
    const now = this.#clock();
    const working = [...this.#working.values()];
    const open = working.length + this.#waiting;
    const failed = this.#failed > 0 ? `, ${this.#failed} failed` : '';
    const text = `${this.#took.length - this.#failed} runs done${failed}, ${open} to go`;
    const known = this.#took.length > 0 ? this.#took : working.filter(({ share }) => share > 0.05).map((line) => (now - line.startedAt) / line.share);
    if (known.length === 0) return text;
    const each = known.reduce((sum, time) => sum + time, 0) / known.length;
    const work = working.reduce((sum, { share }) => sum + each * (1 - share), each * this.#waiting);
    return `${text}  ${formatDuration(work / working.length / 1000)} left`;
  }

  #redraw(): void {
    this.#drawnAt = this.#clock();
    const lines = [...this.#working.values()].map((line) => this.#describe(line));
    const most = Math.max(1, (this.#stream.rows ?? 24) - 3);
    const hidden = lines.length - most;
    const shown = hidden > 0 ? [...lines.slice(0, most), `and ${hidden} more`] : lines;
    if (this.#several && lines.length > 0) shown.push(this.#summary());
    const columns = this.#stream.columns ?? 80;
    const cut = shown.map((line) => (line.length < columns ? line : `${line.slice(0, columns - 2)}…`));
    this.#draw(cut, this.#upwards());
  }

  /** Puts lines where the last ones stand. */
  #draw(lines: readonly string[], before = ''): void {
    this.#drawn = lines;
    if (before !== '' || lines.length > 0) this.#stream.write(before + lines.join('\n'));
  }

  #clear(): void {
    if (this.#drawn.length > 0) this.#stream.write(this.#upwards());
    this.#drawn = [];
  }

  /** What takes the lines that are drawn away. */
  #upwards(): string {
    const count = this.#drawn.length;
    return count > 1 ? `\r\u001b[${count - 1}A\u001b[J` : '\r\u001b[2K';
  }
}
