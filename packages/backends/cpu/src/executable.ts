// A program bound to compiled kernels: walks its commands over views of memory.
import {
  InternalError,
  arrayOf,
  indexOutOfRange,
  runRoutine,
  viewOf,
  type Binding,
  type Executable,
  type Program,
  type RoutineKernel,
  type TypedArray,
} from '@athanor/core/backend';
import type { KernelFunction, KernelStore } from './codegen/kernel.ts';
import { ownedMemory, type Arena } from './memory.ts';

interface Step {
  /** A generated kernel, or a routine. */
  readonly run: KernelFunction;
  readonly slots: readonly number[];
  readonly offsets: readonly number[];
}

export class CpuExecutable implements Executable {
  readonly program: Program;
  readonly #steps: readonly Step[];
  /** Views of all buffers of the program, in its order; empty ones for what is bound per run. */
  readonly #views: TypedArray[];
  readonly #empty: readonly TypedArray[];
  /** The arena that the views show. */
  #arena: ArrayBuffer | undefined;

  constructor(program: Program, kernels: KernelStore) {
    const functions = program.kernels.map((kernel) => (kernel.kind === 'routine' ? routineFunction(kernel) : kernels.get(kernel)));
    this.program = program;
    this.#empty = program.buffers.map(({ dtype }) => arrayOf(dtype, 0));
    this.#views = [...this.#empty];
    this.#steps = program.commands.map((command) => {
      const run = functions[command.kernel];
      if (run === undefined) throw new InternalError(`kernel ${command.kernel} does not exist`);
      return { run, slots: command.arguments.map(({ buffer }) => buffer), offsets: command.arguments.map(({ offset }) => offset) };
    });
  }

  /** Throws a UserError after the run if an index was out of range. */
  run(binding: Binding, arena: Arena): void {
    this.#bind(binding, arena);
    let flags = 0;
    for (const { run, slots, offsets } of this.#steps) flags |= run(this.#views, slots, offsets);
    this.#release();
    if (flags !== 0) throw indexOutOfRange();
  }

  /** The same, and the milliseconds that each command took. */
  profile(binding: Binding, arena: Arena): number[] {
    this.#bind(binding, arena);
    let flags = 0;
    const times = this.#steps.map(({ run, slots, offsets }) => {
      const began = performance.now();
      flags |= run(this.#views, slots, offsets);
      return performance.now() - began;
    });
    this.#release();
    if (flags !== 0) throw indexOutOfRange();
    return times;
  }

  #bind(binding: Binding, arena: Arena): void {
    const views = this.#views;
    arena.reserve(this.program.arenaBytes);
    const moved = this.#arena !== arena.buffer;
    this.#arena = arena.buffer;
    this.program.buffers.forEach(({ dtype, elements, place }, i) => {
      switch (place.kind) {
        case 'arena':
          if (moved) views[i] = viewOf(dtype, arena.buffer, place.offset, elements);
          break;
        case 'input':
          views[i] = plain(existing(binding.inputs[place.index], 'input', place.index));
          break;
        case 'variable':
          views[i] = ownedMemory(existing(binding.variables[place.index], 'variable', place.index)).view(dtype);
          break;
        case 'output':
          views[i] = ownedMemory(existing(binding.outputs[place.index], 'output', place.index)).view(dtype);
          break;
      }
    });
  }

  /** Host data and allocations may go once the run is over; the arena stays. */
  #release(): void {
    this.program.buffers.forEach(({ place }, i) => {
      const empty = this.#empty[i];
      if (place.kind !== 'arena' && empty !== undefined) this.#views[i] = empty;
    });
  }
}

function existing<T>(value: T | undefined, what: string, index: number): T {
  if (value === undefined) throw new InternalError(`${what} ${index} of the program is not bound`);
  return value;
}

/** Subclasses of typed arrays (Node's Buffer) make generated code slow: look at their memory plainly. */
function plain(values: TypedArray): TypedArray {
  return values instanceof Uint8Array && values.constructor !== Uint8Array
    ? new Uint8Array(values.buffer, values.byteOffset, values.length)
    : values;
}

function routineFunction(kernel: RoutineKernel): KernelFunction {
  const last = kernel.buffers.length - 1;
  return (buffers, slots, offsets) => {
    const shown = kernel.buffers.map((_, i) => {
      const view = existing(buffers[slots[i] ?? -1], 'buffer', i);
      return view.subarray(offsets[i] ?? 0);
    });
    runRoutine(kernel, shown.slice(0, last), existing(shown[last], 'buffer', last));
    return 0;
  };
}
