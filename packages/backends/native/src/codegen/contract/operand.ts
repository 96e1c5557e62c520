// The two operands of a contraction: `rows` is broadcast, `columns` is what vectors run along.
import { loopCount, type ContractKernel } from '@athanor/core/backend';
import { at, call, memoryTypes } from '../text.ts';

/** Some loops of a contraction that an operand walks as one, with its strides. */
export interface Axis {
  readonly loops: readonly number[];
  readonly strides: readonly number[];
}

export interface Operand {
  readonly name: 'rows' | 'columns';
  /** Which operand of the kernel it is. */
  readonly side: 'a' | 'b';
  readonly buffer: number;
  /** Element type in memory, and suffix of load functions. */
  readonly element: string;
  readonly suffix: string;
  readonly offset: number;
  readonly batch: Axis;
  /** The operand's own loops: m or n. */
  readonly own: Axis;
  readonly depth: Axis;
}

/** Loops in which neighbours that one stride walks are merged; loops of one position are dropped. */
export function mergeAxis({ loops, strides }: Axis): Axis {
  const merged: { size: number; stride: number }[] = [];
  loops.forEach((size, i) => {
    if (size === 1) return;
    const stride = strides[i] ?? 0;
    const last = merged.at(-1);
    if (last !== undefined && last.stride === stride * size) {
      last.size *= size;
      last.stride = stride;
    } else merged.push({ size, stride });
  });
  return { loops: merged.map(({ size }) => size), strides: merged.map(({ stride }) => stride) };
}

export function operandOf(kernel: ContractKernel, side: 'a' | 'b', name: Operand['name']): Operand {
  const { batch, m, n, k } = kernel;
  const { buffer, index } = kernel[side];
  const { element, suffix } = memoryTypes[kernel.dtype];
  const axis = (loops: readonly number[], start: number): Axis => mergeAxis({ loops, strides: index.strides.slice(start, start + loops.length) });
  const own = side === 'a' ? axis(m, batch.length) : axis(n, batch.length + m.length);
  const depth = axis(k, batch.length + m.length + n.length);
  return { name, side, buffer, element, suffix, offset: index.offset, batch: axis(batch, 0), own, depth };
}

export function sizeOf({ loops }: Axis): number {
  return loopCount(loops);
}

/** Size and stride of the innermost loop. */
export function lastLoop({ loops, strides }: Axis): { size: number; stride: number } {
  return { size: loops.at(-1) ?? 1, stride: strides.at(-1) ?? 0 };
}

/** A C function from a position along an axis to an element offset. */
export function offsetFunction(name: string, { loops, strides }: Axis): string {
  const lines: string[] = [];
  for (let i = loops.length - 1; i > 0; i--) lines.push(`offset += position % ${at(loops, i)} * ${at(strides, i)}; position /= ${at(loops, i)};`);
  const first = loops.length === 0 ? '0' : `position * ${at(strides, 0)}`;
  return `INLINE int64_t KERNEL(${name})(int64_t position) {
int64_t offset = 0;
${lines.join('\n')}
return offset + ${first};
}
`;
}

/** How depth positions become element offsets. */
export interface Depth {
  /** C text of the table, and of the statements that fill it when the library is opened; empty where a stride is enough. */
  readonly declaration: string;
  readonly fill: string;
  readonly stride: number;
  /** C text of the table: `NULL` if there is none. */
  readonly table: string;
}

export function depthOf({ name, depth }: Operand): Depth {
  if (depth.loops.length <= 1) return { declaration: '', fill: '', stride: lastLoop(depth).stride, table: 'NULL' };
  const table = `KERNEL(depths_of_${name})`;
  const open = depth.loops.map((count, i) => `for (int64_t k${i} = 0; k${i} < ${count}; k${i}++)`);
  const sum = depth.strides.map((by, i) => `k${i} * ${by}`).join(' + ');
  return {
    declaration: `static int32_t ${table}[${sizeOf(depth)}];\n`,
    fill: `{ int32_t *next = ${table}; ${open.join(' ')} *next++ = (int32_t)(${sum}); }\n`,
    stride: 0,
    table,
  };
}

/** Shorter runs of neighbours are not worth vectors. */
const shortRun = 4;

export type Packing = 'neighbours' | 'seconds' | 'squares' | 'singles';

/** How an operand's panels are packed (see c/pack.h). */
export function packingOf({ own, depth }: Operand, lanes: number): Packing {
  const { size, stride } = lastLoop(own);
  const along = stride === 1 || stride === 2 ? size : 1;
  const run = runOf(depth);
  if (along >= shortRun && along >= Math.min(run, lanes)) return stride === 1 ? 'neighbours' : 'seconds';
  return run >= shortRun ? 'squares' : 'singles';
}

/** A call that packs depth positions start … stop − 1 of the elements at `offsets`. */
export function packCall(operand: Operand, depth: Depth, lanes: number, parameters: { to: string; from: string; width: number; stop: string }): string {
  const way = packingOf(operand, lanes);
  const run = way === 'squares' ? [String(runOf(operand.depth))] : [];
  const { to, from, width, stop } = parameters;
  return `${call(`pack_${way}_${operand.suffix}`, lanes, to, from, 'offsets', String(width), 'start', stop, String(depth.stride), depth.table, ...run)};`;
}

/** How many neighbouring positions lie side by side in memory, from each multiple of it on; 1 if none. */
function runOf(depth: Axis): number {
  const { size, stride } = lastLoop(depth);
  return stride === 1 ? size : 1;
}

/** Elements of memory that an operand reaches within one batch. */
export function distinctElements({ own, depth }: Operand): number {
  const loops = [...own.loops, ...depth.loops];
  const strides = [...own.strides, ...depth.strides];
  const reach = strides.reduce((sum, stride, i) => sum + Math.abs(stride) * (at(loops, i) - 1), 1);
  return Math.min(reach, loopCount(loops));
}

/**
 * Distances of `height` neighbours from the first one, where they are the same from every multiple of `height` on (the
 * end of the axis may cut the last ones off).
 */
export function pattern(axis: Axis, height: number): number[] | undefined {
  const { loops, strides } = axis;
  let inside = 1;
  let loop = loops.length - 1;
  // Whole inner loops, then a part of the next one that divides it, or any part of the outermost one.
  while (loop > 0 && height % (inside * at(loops, loop)) === 0) inside *= at(loops, loop--);
  if (loop > 0 && (height % inside !== 0 || at(loops, loop) % (height / inside) !== 0)) return undefined;
  if (loop === 0 && height % inside !== 0) return undefined;
  return Array.from({ length: height }, (_, i) => {
    let [rest, offset] = [i, 0];
    for (let j = loops.length - 1; j >= 0; j--) {
      const size = j === 0 ? Infinity : at(loops, j);
      offset += (size === Infinity ? rest : rest % size) * at(strides, j);
      rest = size === Infinity ? 0 : Math.floor(rest / size);
    }
    return offset;
  });
}
