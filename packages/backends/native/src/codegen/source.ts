// What code generation is told about the processor, and what it gives back.
import type { BufferParameter } from '@athanor/core/backend';
import { memoryTypes } from './text.ts';

export interface Target {
  /** Bytes of a vector register: 16, 32 or 64. */
  readonly vectorBytes: number;
}

/** One C function of a kernel; phases run one after the other, with a barrier between them. */
export interface Phase {
  /** The function is `KERNEL(name)`. */
  readonly name: string;
  /** Independent pieces of work: the function runs any range of them. */
  readonly units: number;
  /** Scratch bytes that each thread needs. */
  readonly scratch: number;
  /** Scratch bytes that all threads share, from one phase of a kernel to the next. */
  readonly shared: number;
  /** Rough time of all units on one thread. */
  readonly nanoseconds: number;
}

/** A function that kernels of one file share. */
export interface Helper {
  readonly name: string;
  readonly text: string;
}

export interface Source {
  /** The functions in C. */
  readonly text: string;
  /** What the functions call besides what the headers have. */
  readonly helpers: readonly Helper[];
  readonly phases: readonly Phase[];
  /** Numbers of lanes whose types and functions the text uses. */
  readonly lanes: readonly number[];
}

/** Declares the buffer arguments `b0`, `b1`, … */
export function pointersText(buffers: readonly BufferParameter[]): string {
  const lines = buffers.map(({ dtype, access }, i) => {
    const type = `${access === 'read' ? 'const ' : ''}${memoryTypes[dtype].element} *`;
    return `${type}const b${i} = (${type})arguments[${i}];`;
  });
  return lines.join('\n');
}

/** A kernel's function around its body. */
export function functionText(name: string, buffers: readonly BufferParameter[], body: string): string {
  return `void KERNEL(${name})(char *const *arguments, int64_t first, int64_t end, char *scratch, char *shared, int32_t *flags) {
${pointersText(buffers)}
${body}
}
`;
}
