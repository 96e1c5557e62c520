// Checks a program: every access lies in its buffer, nothing is read before it is written, live buffers never overlap,
// and commands that touch the same memory are separated by a barrier.
import { bytesOf } from '../dtype.ts';
import { InternalError } from '../errors.ts';
import { accumulations, independentLoops, summedLoops } from '../kernel/accumulate.ts';
import type { Affine, Guard, Instruction, Kernel, Program } from '../kernel/ir.ts';
import { loopCount } from '../kernel/ir.ts';
import { bounds } from './affine.ts';

/** Throws an InternalError that names the command and the buffer. */
export function verify(program: Program): void {
  program.kernels.forEach(checkAccumulations);
  checkAccesses(program);
  checkLifetimes(program);
  checkBarriers(program);
}

interface Range {
  readonly low: number;
  readonly high: number;
}

interface Access extends Range {
  readonly buffer: number;
  /** The range where the guards hold, position by position: for guards that cut it in another way than by loops. */
  readonly exactly?: () => Range;
}

/** Smallest and largest element of each buffer argument that a kernel may touch. */
function accessesOf(kernel: Kernel): Access[] {
  if (kernel.kind === 'routine') return [];
  const loops = kernel.kind === 'loop' ? kernel.loops : [...kernel.batch, ...kernel.m, ...kernel.n, ...kernel.k];
  if (loopCount(loops) === 0) return [];
  const list = kernel.kind === 'loop' ? kernel.instructions : kernel.epilogue;
  const accesses = list.flatMap((instruction) => accessOf(instruction, loops));
  if (kernel.kind === 'loop') return accesses;
  return [...accesses, ...[kernel.a, kernel.b].map(({ buffer, index }) => ({ buffer, ...bounds(index, loops) }))];
}

function accessOf(instruction: Instruction, loops: readonly number[]): Access[] {
  switch (instruction.op) {
    case 'load':
      return guardedAccess(instruction, loops, 0);
    case 'gather':
      return guardedAccess(instruction, loops, (instruction.size - 1) * instruction.stride);
    case 'store':
    case 'accumulate':
      return [{ buffer: instruction.buffer, ...bounds(instruction.index, loops) }];
    case 'scatter': {
      const { low, high } = bounds(instruction.index, loops);
      return [{ buffer: instruction.buffer, low, high: high + (instruction.size - 1) * instruction.stride }];
    }
    default:
      return [];
  }
}

interface Guarded {
  readonly buffer: number;
  readonly index: Affine;
  readonly guards: readonly Guard[];
}

/** `reach` is how far beyond the index a gather may read. */
function guardedAccess({ buffer, index, guards }: Guarded, loops: readonly number[], reach: number): Access[] {
  if (guards.some((guard) => neverInside(guard, loops))) return [];
  const { low, high } = guardedBounds(index, guards, loops);
  const exactly = (): Range => {
    const range = enumeratedBounds(index, guards, loops);
    return { low: range.low, high: range.high + reach };
  };
  return [{ buffer, low, high: high + reach, exactly }];
}

function enumeratedBounds(index: Affine, guards: readonly Guard[], loops: readonly number[]): Range {
  let [low, high] = [Infinity, -Infinity];
  const at = loops.map(() => 0);
  const value = ({ offset, strides }: Affine): number => strides.reduce((sum, stride, i) => sum + stride * (at[i] ?? 0), offset);
  const count = loopCount(loops);
  for (let turn = 0; turn < count; turn++) {
    if (guards.every((guard) => value(guard.index) >= 0 && value(guard.index) < guard.size)) {
      low = Math.min(low, value(index));
      high = Math.max(high, value(index));
    }
    for (let i = loops.length - 1; i >= 0; i--) {
      at[i] = ((at[i] ?? 0) + 1) % (loops[i] ?? 1);
      if (at[i] !== 0) break;
    }
  }
  return { low, high };
}

/** Padding around nothing is padding everywhere. */
function neverInside(guard: Guard, loops: readonly number[]): boolean {
  const { low, high } = bounds(guard.index, loops);
  return high < 0 || low >= guard.size;
}

/** Bounds where guards on single loops cut the loops short; a guard on several loops bounds the index only if it is part of it. */
function guardedBounds(index: Affine, guards: readonly Guard[], loops: readonly number[]): Range {
  const full = bounds(index, loops);
  let { low, high } = full;
  for (const guard of guards) {
    // Where the guard's index is a part of the access (scaled), it limits that part to [0, size).
    const first = guard.index.strides.findIndex((stride) => stride !== 0);
    if (first < 0) continue;
    const scale = (index.strides[first] ?? 0) / (guard.index.strides[first] ?? 1);
    if (!guard.index.strides.every((stride, i) => stride === 0 || (index.strides[i] ?? 0) === stride * scale)) continue;
    const range = bounds(guard.index, loops);
    const cutLow = Math.max(0, -range.low);
    const cutHigh = Math.max(0, range.high - (guard.size - 1));
    low += scale >= 0 ? cutLow * scale : -cutHigh * scale;
    high -= scale >= 0 ? cutHigh * scale : -cutLow * scale;
  }
  return { low, high };
}

function checkAccesses(program: Program): void {
  program.commands.forEach((command, i) => {
    const kernel = program.kernels[command.kernel];
    if (kernel === undefined) throw new InternalError(`command ${i} has no kernel`);
    for (const access of accessesOf(kernel)) {
      const argument = command.arguments[access.buffer];
      const elements = program.buffers[argument?.buffer ?? -1]?.elements ?? 0;
      const offset = argument?.offset ?? 0;
      const lies = ({ low, high }: Range): boolean => offset + low >= 0 && offset + high < elements;
      if (!lies(access) && !(access.exactly !== undefined && lies(access.exactly()))) {
        const { low, high } = access;
        throw new InternalError(`command ${i} (${kernel.name}) touches elements ${offset + low} … ${offset + high} of a buffer of ${elements}`);
      }
    }
  });
}

/** Sums over outer loops: each position of the leading loops has elements of its own, which nothing else touches. */
function checkAccumulations(kernel: Kernel): void {
  if (kernel.kind !== 'loop') return;
  const { loops, outer, vector, stages, instructions, buffers, scatters } = kernel;
  const leading = independentLoops(kernel);
  for (const sum of accumulations(kernel)) {
    const { buffer, index } = sum;
    const fail = (what: string): never => {
      throw new InternalError(`kernel ${kernel.name} accumulates ${what}`);
    };
    const { first, behind } = summedLoops(sum, kernel);
    const hasInner = outer < loops.length;
    if ((stages[instructions.indexOf(sum)] ?? 0) % 2 !== Number(hasInner)) fail('once for all inner positions');
    if (scatters || vector < behind) fail('beside its vector loop');
    if (instructions.some((other) => other !== sum && 'buffer' in other && other.buffer === buffer) || buffers[buffer]?.access !== 'write') fail('in memory that it also uses otherwise');
    const moving = index.strides.map((stride, loop) => ({ stride, size: loops[loop] ?? 1, loop })).filter(({ size }) => size > 1);
    const wrongLoops = first !== leading || (hasInner && behind !== outer) || behind === loops.length;
    if (wrongLoops || moving.some(({ stride, loop }) => (stride === 0) !== (loop >= first && loop < behind))) fail('over other loops than those before the last');
    let dense = 1;
    for (const { stride, size, loop } of moving.filter(({ stride }) => stride !== 0).sort((x, y) => x.stride - y.stride)) {
      if (loop < first ? stride < dense : stride !== dense) fail('elements that overlap or lie apart');
      dense = stride * size;
    }
  }
}

function checkLifetimes(program: Program): void {
  const written = new Set<number>();
  const first = new Map<number, number>();
  const last = new Map<number, number>();
  program.commands.forEach((command, i) => {
    const parameters = program.kernels[command.kernel]?.buffers ?? [];
    command.arguments.forEach(({ buffer }, position) => {
      if (!first.has(buffer)) first.set(buffer, i);
      last.set(buffer, i);
      const place = program.buffers[buffer]?.place.kind;
      if ((place === 'arena' || place === 'output') && parameters[position]?.access !== 'write' && !written.has(buffer)) {
        throw new InternalError(`command ${i} reads buffer ${buffer} before anything wrote it`);
      }
    });
    command.arguments.forEach(({ buffer }, position) => parameters[position]?.access !== 'read' && written.add(buffer));
  });
  const arena = program.buffers.flatMap((buffer, i) =>
    buffer.place.kind === 'arena' && first.has(i)
      ? [{ i, start: buffer.place.offset, end: buffer.place.offset + buffer.elements * bytesOf(buffer.dtype), first: first.get(i) ?? 0, last: last.get(i) ?? 0 }]
      : [],
  );
  arena.sort((x, y) => x.first - y.first);
  arena.forEach((x, at) => {
    for (const y of arena.slice(at + 1)) {
      if (y.first > x.last) break;
      if (x.start < y.end && y.start < x.end) throw new InternalError(`buffers ${x.i} and ${y.i} live at the same time in the same memory`);
    }
  });
}

function checkBarriers(program: Program): void {
  const bytes = (buffer: number): { key: string; start: number; end: number } => {
    const entry = program.buffers[buffer];
    if (entry === undefined) return { key: 'none', start: 0, end: 0 };
    const start = entry.place.kind === 'arena' ? entry.place.offset : 0;
    const key = entry.place.kind === 'arena' ? 'arena' : `${entry.place.kind}${entry.place.index}`;
    return { key, start, end: start + entry.elements * bytesOf(entry.dtype) };
  };
  let since: { key: string; start: number; end: number; writes: boolean }[] = [];
  program.commands.forEach((command, i) => {
    if (command.barrier) since = [];
    const parameters = program.kernels[command.kernel]?.buffers ?? [];
    const touches = command.arguments.map(({ buffer }, position) => ({ ...bytes(buffer), writes: parameters[position]?.access !== 'read' }));
    for (const x of touches) {
      const clash = since.some((y) => (x.writes || y.writes) && x.key === y.key && x.start < y.end && y.start < x.end);
      if (clash) throw new InternalError(`command ${i} does not wait for the memory that it touches`);
    }
    since.push(...touches);
  });
}
