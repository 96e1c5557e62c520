// A program bound to compiled kernels: its command table, and one run of it.
import {
  InternalError,
  arrayOf,
  bytesOf,
  indexOutOfRange,
  runRoutine,
  type Binding,
  type Executable,
  type Kernel,
  type Program,
  type RoutineKernel,
  type TypedArray,
} from '@athanor/core/backend';
import type { Runtime } from './compiler/library.ts';
import { generatedKernels, type LoadedProgram } from './compiler/programs.ts';
import type { LoadedPhase } from './compiler/store.ts';
import { ownedMemory, type Region } from './memory.ts';

/** The memory that all programs share, and how they run. */
export interface Machine {
  readonly runtime: Runtime;
  readonly arena: Region;
  /** Copies of host inputs. */
  readonly staging: Region;
  /** What threads work on, `threads` equal parts. */
  readonly scratch: Region;
  /** What the phases of a kernel hand on. */
  readonly shared: Region;
  readonly threads: number;
  readonly delays: boolean;
  readonly spinNanoseconds: number;
}

/** Commands one after the other in one foreign call, or a routine in JavaScript. */
type Segment =
  | { readonly kind: 'commands'; readonly table: BigInt64Array; readonly count: number; readonly commands: readonly number[] }
  | { readonly kind: 'routine'; readonly kernel: RoutineKernel; readonly command: number; readonly arguments: readonly { readonly buffer: number; readonly offset: number }[] };

const commandWords = 5;
const flags = { barrier: 1, parallel: 2 } as const;
/** Kernels that take less on one thread are not worth a second one. */
const shortNanoseconds = 4000;
const alignment = 64;
const mostArguments = 64;

const aligned = (bytes: number): number => Math.ceil(bytes / alignment) * alignment;

export class NativeExecutable implements Executable {
  readonly program: Program;
  readonly #segments: readonly Segment[];
  readonly #arguments: BigInt64Array;
  /** Addresses of the program's buffers. */
  readonly #buffers: Float64Array;
  /** Where each input lies in the staging region. */
  readonly #inputOffsets: readonly number[];
  readonly #stagingBytes: number;
  readonly #scratchBytes: number;
  readonly #sharedBytes: number;
  #arena = -1;

  constructor({ program, kernels }: LoadedProgram) {
    this.program = program;
    const generated = generatedKernels(program);
    for (const kernel of generated) {
      if (kernel.buffers.length > mostArguments) throw new InternalError(`${kernel.name} has ${kernel.buffers.length} buffers`);
    }
    const phases = new Map<Kernel, readonly LoadedPhase[]>(generated.map((kernel, i) => [kernel, kernels[i]?.phases ?? []]));
    const all = kernels.flatMap((kernel) => kernel.phases);
    this.#scratchBytes = aligned(Math.max(0, ...all.map(({ scratch }) => scratch)));
    this.#sharedBytes = Math.max(0, ...all.map(({ shared }) => shared));
    this.#buffers = new Float64Array(program.buffers.length);
    const words: number[] = [];
    this.#segments = segmentsOf(program, phases, words);
    this.#arguments = BigInt64Array.from(words, BigInt);
    let staged = 0;
    this.#inputOffsets = program.inputs.map(({ dtype, elements }) => {
      const start = staged;
      staged += aligned(elements * bytesOf(dtype));
      return start;
    });
    this.#stagingBytes = staged;
  }

  /** Throws a UserError after the run if an index was out of range. */
  run(binding: Binding, machine: Machine): void {
    const { runtime, scratch, shared, threads, delays, spinNanoseconds } = machine;
    this.#bind(binding, machine);
    scratch.reserve(this.#scratchBytes * threads);
    shared.reserve(this.#sharedBytes);
    let raised = 0;
    for (const segment of this.#segments) {
      if (segment.kind === 'routine') this.#routine(segment.kernel, segment.arguments, runtime);
      else {
        raised |= runtime.run(
          segment.table, segment.count, this.#arguments, this.#buffers, scratch.address, this.#scratchBytes, shared.address,
          threads, Number(delays), spinNanoseconds,
        );
      }
    }
    if (raised !== 0) throw indexOutOfRange();
  }

  /** Runs each command by itself; the milliseconds that each took. */
  profile(binding: Binding, machine: Machine): number[] {
    const { runtime, scratch, shared, threads, spinNanoseconds } = machine;
    this.#bind(binding, machine);
    scratch.reserve(this.#scratchBytes * threads);
    shared.reserve(this.#sharedBytes);
    const times = this.program.commands.map(() => 0);
    const measure = (command: number, work: () => void): void => {
      const began = performance.now();
      work();
      times[command] = (times[command] ?? 0) + performance.now() - began;
    };
    let raised = 0;
    for (const segment of this.#segments) {
      if (segment.kind === 'routine') measure(segment.command, () => this.#routine(segment.kernel, segment.arguments, runtime));
      else {
        segment.commands.forEach((command, i) => {
          const phase = segment.table.subarray(i * commandWords, (i + 1) * commandWords);
          measure(command, () => {
            raised |= runtime.run(phase, 1, this.#arguments, this.#buffers, scratch.address, this.#scratchBytes, shared.address, threads, 0, spinNanoseconds);
          });
        });
      }
    }
    if (raised !== 0) throw indexOutOfRange();
    return times;
  }

  #bind(binding: Binding, { runtime, arena, staging, threads, spinNanoseconds }: Machine): void {
    const buffers = this.#buffers;
    arena.reserve(this.program.arenaBytes);
    staging.reserve(this.#stagingBytes);
    const moved = this.#arena !== arena.address;
    this.#arena = arena.address;
    this.program.inputs.forEach((_, i) => {
      const values = existing(binding.inputs[i], 'input', i);
      runtime.bring(staging.address + (this.#inputOffsets[i] ?? 0), values, values.byteLength, threads, spinNanoseconds);
    });
    this.program.buffers.forEach(({ place }, i) => {
      switch (place.kind) {
        case 'arena':
          if (moved) buffers[i] = arena.address + place.offset;
          break;
        case 'input':
          buffers[i] = staging.address + (this.#inputOffsets[place.index] ?? 0);
          break;
        case 'variable':
          buffers[i] = ownedMemory(existing(binding.variables[place.index], 'variable', place.index)).address;
          break;
        case 'output':
          buffers[i] = ownedMemory(existing(binding.outputs[place.index], 'output', place.index)).address;
          break;
      }
    });
  }

  /** Runs a routine on copies of its operands. */
  #routine(kernel: RoutineKernel, places: Extract<Segment, { kind: 'routine' }>['arguments'], runtime: Runtime): void {
    const arrays = places.map(({ buffer, offset }, i): { values: TypedArray; address: number } => {
      const { dtype, elements } = existing(this.program.buffers[buffer], 'buffer', buffer);
      const values = arrayOf(dtype, elements - offset);
      const address = (this.#buffers[buffer] ?? 0) + offset * bytesOf(dtype);
      if (i < places.length - 1) runtime.read(values, address, values.byteLength);
      return { values, address };
    });
    const output = existing(arrays.at(-1), 'buffer', arrays.length - 1);
    runRoutine(kernel, arrays.slice(0, -1).map(({ values }) => values), output.values);
    runtime.write(output.address, output.values, output.values.byteLength);
  }
}

/** Cuts the commands at routines and appends their arguments, pairs of buffer and byte offset, to `words`. */
function segmentsOf(program: Program, phases: ReadonlyMap<Kernel, readonly LoadedPhase[]>, words: number[]): Segment[] {
  const segments: Segment[] = [];
  let open: number[] = [];
  let commands: number[] = [];
  const close = (): void => {
    if (open.length > 0) segments.push({ kind: 'commands', table: BigInt64Array.from(open, BigInt), count: open.length / commandWords, commands });
    open = [];
    commands = [];
  };
  program.commands.forEach((command, number) => {
    const kernel = existing(program.kernels[command.kernel], 'kernel', command.kernel);
    if (kernel.kind === 'routine') {
      close();
      segments.push({ kind: 'routine', kernel, command: number, arguments: command.arguments });
      return;
    }
    const first = words.length / 2;
    command.arguments.forEach(({ buffer, offset }) => {
      words.push(buffer, offset * bytesOf(existing(program.buffers[buffer], 'buffer', buffer).dtype));
    });
    const list = phases.get(kernel) ?? [];
    const long = list.reduce((sum, { nanoseconds }) => sum + nanoseconds, 0) > shortNanoseconds;
    // Phases hand on memory that all kernels share.
    const barrier = command.barrier || list.length > 1 ? flags.barrier : 0;
    for (const phase of list) {
      const parallel = phase.units > 1 && long ? flags.parallel : 0;
      commands.push(number);
      open.push(phase.function, barrier | parallel, phase.units, first, command.arguments.length);
    }
  });
  close();
  return segments;
}

function existing<T>(value: T | undefined, what: string, index: number): T {
  if (value === undefined) throw new InternalError(`${what} ${index} of the program is not bound`);
  return value;
}
