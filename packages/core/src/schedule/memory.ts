// The memory plan of a program: arena offsets by lifetime, and which commands must wait for earlier ones.
import { bytesOf } from '../dtype.ts';
import type { Command, Kernel, Place, ProgramBuffer } from '../kernel/ir.ts';

const alignment = 64;

export interface ArenaBuffer {
  readonly bytes: number;
  /** First and last command that touches it. */
  first: number;
  last: number;
}

/** Offsets such that buffers whose lifetimes meet never overlap: biggest first, each at the lowest free place. */
export function planArena(buffers: readonly ArenaBuffer[]): { offsets: number[]; bytes: number } {
  const offsets = new Array<number>(buffers.length).fill(0);
  const order = buffers.map((_, i) => i).sort((x, y) => (buffers[y]?.bytes ?? 0) - (buffers[x]?.bytes ?? 0) || x - y);
  const placed: { start: number; end: number; first: number; last: number }[] = [];
  let total = 0;
  for (const i of order) {
    const buffer = buffers[i];
    if (buffer === undefined) continue;
    const size = Math.max(alignment, Math.ceil(buffer.bytes / alignment) * alignment);
    let start = 0;
    let at = 0;
    for (const other of placed) {
      if (other.last < buffer.first || other.first > buffer.last) continue;
      if (other.start >= start + size) break;
      start = Math.max(start, other.end);
    }
    offsets[i] = start;
    const entry = { start, end: start + size, first: buffer.first, last: buffer.last };
    while (at < placed.length && (placed[at]?.start ?? 0) <= start) at++;
    placed.splice(at, 0, entry);
    total = Math.max(total, start + size);
  }
  return { offsets, bytes: total };
}

interface Touch {
  /** Buffers of different spaces never meet: the arena is one, every other buffer has its own. */
  readonly space: number;
  readonly start: number;
  readonly end: number;
  readonly writes: boolean;
}

function touchOf(number: number, { place, elements, dtype }: ProgramBuffer, writes: boolean): Touch {
  if (place.kind === 'arena') return { space: -1, start: place.offset, end: place.offset + elements * bytesOf(dtype), writes };
  return { space: number, start: 0, end: 1, writes };
}

function meet(x: Touch, others: readonly Touch[]): boolean {
  for (let i = 0; i < others.length; i++) {
    const y = others[i] as Touch;
    if ((x.writes || y.writes) && x.space === y.space && x.start < y.end && y.start < x.end) return true;
  }
  return false;
}

const longestUnbarred = 32;

/** Sets the barrier bit of each command that touches what an earlier one since the last barrier writes, or the reverse. */
export function placeBarriers(commands: readonly Omit<Command, 'barrier'>[], kernels: readonly Kernel[], buffers: readonly ProgramBuffer[]): Command[] {
  let open: Touch[] = [];
  let since = 0;
  return commands.map((command): Command => {
    const parameters = kernels[command.kernel]?.buffers ?? [];
    const touches = command.arguments.flatMap((argument, i) => {
      const buffer = buffers[argument.buffer];
      return buffer === undefined ? [] : [touchOf(argument.buffer, buffer, parameters[i]?.access !== 'read')];
    });
    const barrier = touches.some((touch) => meet(touch, open)) || since >= longestUnbarred;
    if (barrier) {
      open = [];
      since = 0;
    }
    since++;
    open.push(...touches);
    return { ...command, barrier };
  });
}

export function isArena(place: Place): place is Extract<Place, { kind: 'arena' }> {
  return place.kind === 'arena';
}
