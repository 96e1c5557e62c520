// Large inputs arrive while a program runs already: the main thread copies them piece by piece, and the other threads
// begin with the units that need no more than what is there.
import { bytesOf, type Program, type TypedArray } from '@athanor/core/backend';
import type { Reach } from '../codegen/reach.ts';
import type { LinearMemory } from './allocator.ts';
import { control } from './control.ts';

/** Bytes that are copied at once: they stay in a second-level cache until they are read. */
const pieceBytes = 2 ** 17;
/** Inputs below this size are copied before anything runs. */
const largeBytes = 2 ** 20;

/** A command that waits for inputs. */
export interface Waiting {
  /** The word of the command table that counts the units that may run. */
  readonly word: number;
  readonly units: number;
  /** What the kernel reads of each input, and the element that its indices start from. */
  readonly reads: readonly { readonly input: number; readonly buffer: number; readonly offset: number }[];
  /** Absent where the kernel needs all of its inputs from the start. */
  readonly reach: Reach | undefined;
}

export class Arrivals {
  private readonly inputs: Program['inputs'];
  private readonly waiting: readonly Waiting[];
  private readonly large: readonly number[];

  constructor(inputs: Program['inputs'], waiting: readonly Waiting[]) {
    this.inputs = inputs;
    this.large = inputs.flatMap((input, i) => (bytes(input) >= largeBytes ? [i] : []));
    this.waiting = waiting.filter(({ reads }) => reads.some(({ input }) => this.large.includes(input)));
  }

  /** Whether an input is copied while the program runs. */
  isLarge(input: number): boolean {
    return this.large.includes(input);
  }

  /** No unit of a waiting command may run; undefined where there is nothing to wait for. Else what copies the inputs. */
  begin(words: Int32Array, memory: LinearMemory, inputs: readonly { readonly values: TypedArray; readonly target: TypedArray }[]): (() => void) | undefined {
    if (this.large.length === 0) return undefined;
    for (const { word } of this.waiting) words[word] = 0;
    return () => this.copy(words, memory.words(control.arrival, 2), inputs);
  }

  private copy(words: Int32Array, arrival: Int32Array, inputs: readonly { readonly values: TypedArray; readonly target: TypedArray }[]): void {
    const pieces = Math.ceil(Math.max(...this.large.map((i) => bytes(this.inputs[i]))) / pieceBytes);
    const copied = inputs.map(({ target }) => target.length);
    for (const input of this.large) copied[input] = 0;
    for (let piece = 1; piece <= pieces; piece++) {
      for (const input of this.large) {
        const { values, target } = inputs[input] ?? {};
        if (values === undefined || target === undefined) continue;
        const [from, to] = [copied[input] ?? 0, Math.ceil((target.length * piece) / pieces)];
        target.set(values.subarray(from, to), from);
        copied[input] = to;
      }
      for (const command of this.waiting) Atomics.store(words, command.word, this.unitsWith(command, copied));
      Atomics.add(arrival, 0, 1);
      if (Atomics.load(arrival, 1) > 0) Atomics.notify(arrival, 0);
    }
  }

  /** Units of a command that need no more than the elements that have been copied. */
  private unitsWith({ units, reads, reach }: Waiting, copied: readonly number[]): number {
    const part = reads.reduce((least, { input, buffer, offset }) => {
      const elements = copied[input] ?? 0;
      if (elements === this.inputs[input]?.elements) return least;
      return Math.min(least, reach === undefined ? 0 : reach.stepsWith(buffer, elements - offset) / reach.steps);
    }, 1);
    return Math.round(part * units);
  }
}

const bytes = (input: Program['inputs'][number] | undefined): number => (input === undefined ? 0 : input.elements * bytesOf(input.dtype));
