// For tests: runs one kernel on given buffers, as a program of one command.
import { arrayOf, type Kernel, type Program, type TypedArray } from '@athanor/core/backend';
import type { WasmBackend } from '../backend.ts';

/** Buffers that the kernel writes are changed in place; the others are left alone. */
export function runKernel(backend: WasmBackend, kernel: Kernel, buffers: readonly TypedArray[]): void {
  const sizes = kernel.buffers.map(({ dtype }, i) => ({ dtype, elements: buffers[i]?.length ?? 0 }));
  const program: Program = {
    kernels: [kernel],
    commands: [{ kernel: 0, arguments: sizes.map((_, buffer) => ({ buffer, offset: 0 })), barrier: false }],
    buffers: sizes.map((size, index) => ({ ...size, place: { kind: 'variable', index } })),
    arenaBytes: 0,
    inputs: [],
    variables: sizes,
    outputs: [],
  };
  const memories = buffers.map((values) => {
    const memory = backend.allocate(values.byteLength);
    backend.write(memory, values);
    return memory;
  });
  backend.run(backend.load(program), { inputs: [], variables: memories, outputs: [] });
  kernel.buffers.forEach(({ dtype, access }, i) => {
    const [memory, values] = [memories[i], buffers[i]];
    if (memory === undefined || values === undefined) return;
    if (access !== 'read') values.set(backend.read(memory, dtype, values.length));
    backend.free(memory);
  });
}

/** Numbers whose sum depends on the order of additions. */
export function rough(length: number, seed = 1): Float32Array {
  return arrayOf('float32', length).map((_, i) => Math.sin((i + seed) * 12.9898) * 10 ** ((i * 7 + seed) % 6)) as Float32Array;
}

/** First element whose bits differ; −1 if none does. */
export function firstDifference(x: Float32Array, y: Float32Array): number {
  const [a, b] = [x, y].map((values) => new Int32Array(values.buffer, values.byteOffset, values.length));
  return a?.findIndex((bits, i) => bits !== b?.[i]) ?? -1;
}
