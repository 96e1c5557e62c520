// A program in linear memory: its command table, and the addresses that change between runs.
import { InternalError, bytesOf, runRoutine, type Binding, type Executable, type Kernel, type Place, type Program, type RoutineKernel } from '@athanor/core/backend';
import type { GeneratedKernel } from '../codegen/kernels.ts';
import type { LinearMemory } from './allocator.ts';
import type { Arena } from './arena.ts';
import { Arrivals, type Waiting } from './arrival.ts';
import { barrierFlag, commandHeader, readyWord } from './control.ts';
import { Allocation } from './allocation.ts';
import type { Pool } from './pool.ts';
import type { KernelStore, StoredKernel } from './store.ts';

/** Work below this many nanoseconds is not worth another thread. */
const workPerThread = 4000;

/** A run of commands between routines, or a routine. */
type Segment =
  | { readonly kind: 'commands'; readonly start: number; readonly end: number; readonly threads: number; readonly starts: readonly number[] }
  | { readonly kind: 'routine'; readonly kernel: RoutineKernel; readonly slots: readonly Slot[] };

interface Slot {
  readonly buffer: number;
  readonly offset: number; // bytes
}

const isGenerated = (kernel: Kernel): kernel is GeneratedKernel => kernel.kind !== 'routine';

export class WasmExecutable implements Executable {
  readonly program: Program;
  /** Scratch bytes that each thread needs. */
  readonly scratch: number;
  private readonly memory: LinearMemory;
  private readonly pool: Pool;
  private readonly segments: Segment[] = [];
  /** Address of the command table. */
  readonly table: number;
  private readonly tableWords: number;
  /** For each program buffer: the table words that hold its address, and the byte offsets to add. */
  private readonly uses: { readonly word: number; readonly offset: number }[][];
  private readonly addresses: number[];
  /** Bytes from the start of the arena to each input's copy. */
  private readonly inputOffsets: readonly number[];
  readonly arenaBytes: number;
  private readonly arrivals: Arrivals;

  constructor(program: Program, store: KernelStore, memory: LinearMemory, pool: Pool) {
    this.program = program;
    this.memory = memory;
    this.pool = pool;
    this.uses = program.buffers.map(() => []);
    this.addresses = program.buffers.map(() => -1);
    const compiled = new Map<Kernel, StoredKernel>();
    const generated = program.kernels.filter(isGenerated);
    store.compile(generated).forEach((stored, i) => {
      const kernel = generated[i];
      if (kernel !== undefined) compiled.set(kernel, stored);
    });
    this.scratch = Math.max(0, ...[...compiled.values()].map((kernel) => kernel.scratch));
    const waiting: Waiting[] = [];
    const words = this.build(compiled, waiting);
    this.arrivals = new Arrivals(program.inputs, waiting);
    this.table = memory.allocate(words.length * 4);
    this.tableWords = words.length;
    memory.words(this.table, words.length).set(words);
    let end = program.arenaBytes;
    this.inputOffsets = program.inputs.map(({ dtype, elements }) => {
      const start = Math.ceil(end / 64) * 64;
      end = start + elements * bytesOf(dtype);
      return start;
    });
    this.arenaBytes = end;
  }

  /** The command table; notes the commands of the first segment that inputs may keep waiting. */
  private build(compiled: ReadonlyMap<Kernel, StoredKernel>, waiting: Waiting[]): number[] {
    const words: number[] = [];
    let open: { start: number; threads: number; starts: number[] } | undefined;
    const close = () => {
      if (open !== undefined) this.segments.push({ kind: 'commands', start: open.start * 4, end: words.length * 4, threads: open.threads, starts: open.starts });
      open = undefined;
    };
    // A barrier counts only between commands that different threads may have run.
    let spread = false;
    let owed = false;
    for (const command of this.program.commands) {
      const kernel = existing(this.program.kernels[command.kernel], 'kernel', command.kernel);
      const slots = command.arguments.map(({ buffer, offset }) => ({ buffer, offset: offset * bytesOf(existing(this.program.buffers[buffer], 'buffer', buffer).dtype) }));
      if (kernel.kind === 'routine') {
        close();
        this.segments.push({ kind: 'routine', kernel, slots });
        continue;
      }
      const stored = compiled.get(kernel);
      if (stored === undefined) throw new InternalError(`kernel ${kernel.name} was not compiled`);
      if (open === undefined) {
        open = { start: words.length, threads: 1, starts: [] };
        [spread, owed] = [false, false];
      }
      const parts = Math.max(1, Math.min(this.pool.threads, stored.units, Math.round(stored.cost / workPerThread)));
      if (command.barrier) owed = true;
      const barrier = owed && (spread || parts > 1);
      if (barrier) [spread, owed] = [false, false];
      if (parts > 1) spread = true;
      open.threads = Math.max(open.threads, parts);
      open.starts.push(words.length * 4);
      const reads = slots.flatMap(({ buffer: from }, buffer) => {
        const { place } = existing(this.program.buffers[from], 'buffer', from);
        return place.kind === 'input' ? [{ input: place.index, buffer, offset: existing(command.arguments[buffer], 'argument', buffer).offset }] : [];
      });
      if (parts > 1 && this.segments.length === 0) waiting.push({ word: words.length + readyWord, units: stored.units, reads, reach: stored.reach });
      words.push(stored.entry, barrier ? barrierFlag : 0, stored.units, parts, (commandHeader + slots.length) * 4, 0, stored.units);
      for (const { buffer, offset } of slots) {
        existing(this.uses[buffer], 'buffer', buffer).push({ word: words.length, offset });
        words.push(0);
      }
    }
    close();
    return words;
  }

  /** Copies inputs in and runs all commands; the arena and the scratch are large enough. */
  run(binding: Binding, arena: Arena): void {
    const [first] = this.segments;
    const copying = this.bind(binding, arena, first?.kind === 'commands' && first.threads > 1);
    for (const segment of this.segments) {
      if (segment.kind === 'commands') {
        const threads = segment.threads > 1 ? this.pool.threads : 1;
        this.pool.step(this.table + segment.start, this.table + segment.end, threads, segment === first ? copying : undefined);
      } else this.runRoutine(segment.kernel, segment.slots);
    }
  }

  /** Runs each command by itself; the milliseconds that each took. */
  profile(binding: Binding, arena: Arena): number[] {
    this.bind(binding, arena, false);
    const times: number[] = [];
    const measure = (work: () => void) => {
      const began = performance.now();
      work();
      times.push(performance.now() - began);
    };
    for (const segment of this.segments) {
      if (segment.kind === 'routine') measure(() => this.runRoutine(segment.kernel, segment.slots));
      else {
        const threads = segment.threads > 1 ? this.pool.threads : 1;
        segment.starts.forEach((start, i) => measure(() => this.pool.step(this.table + start, this.table + (segment.starts[i + 1] ?? segment.end), threads)));
      }
    }
    return times;
  }

  /** Copies inputs and writes addresses into the command table. With `later`, what copies large inputs is left to the caller. */
  private bind(binding: Binding, arena: Arena, later: boolean): (() => void) | undefined {
    const words = this.memory.words(this.table, this.tableWords);
    const inputs = this.program.inputs.map(({ dtype, elements }, i) => ({
      values: existing(binding.inputs[i], 'input', i),
      target: this.memory.view(dtype, arena.address + existing(this.inputOffsets[i], 'input', i), elements),
    }));
    inputs.forEach(({ values, target }, i) => {
      if (!later || !this.arrivals.isLarge(i)) target.set(values);
    });
    this.program.buffers.forEach(({ place }, i) => {
      const address = this.addressOf(place, binding, arena);
      if (address === this.addresses[i]) return;
      this.addresses[i] = address;
      for (const { word, offset } of existing(this.uses[i], 'buffer', i)) words[word] = address + offset;
    });
    return later ? this.arrivals.begin(words, this.memory, inputs) : undefined;
  }

  private addressOf(place: Place, binding: Binding, arena: Arena): number {
    switch (place.kind) {
      case 'arena':
        return arena.address + place.offset;
      case 'input':
        return arena.address + existing(this.inputOffsets[place.index], 'input', place.index);
      case 'variable':
        return Allocation.of(existing(binding.variables[place.index], 'variable', place.index)).address;
      case 'output':
        return Allocation.of(existing(binding.outputs[place.index], 'output', place.index)).address;
    }
  }

  private runRoutine(kernel: RoutineKernel, slots: readonly Slot[]): void {
    const views = slots.map(({ buffer, offset }, i) => {
      const { dtype } = existing(kernel.buffers[i], 'buffer', i);
      const { elements, dtype: stored } = existing(this.program.buffers[buffer], 'buffer', buffer);
      return this.memory.view(dtype, existing(this.addresses[buffer], 'buffer', buffer) + offset, elements - offset / bytesOf(stored));
    });
    const last = views.length - 1;
    runRoutine(kernel, views.slice(0, last), existing(views[last], 'buffer', last));
  }
}

function existing<T>(value: T | undefined, what: string, index: number): T {
  if (value === undefined) throw new InternalError(`${what} ${index} of the program does not exist or is not bound`);
  return value;
}
