// Whether the engine computes correctly with experimental features on: an optimised micro-kernel and an optimised loop
// kernel against JavaScript, on numbers that every rounding leaves alone.
import type { LoopKernel } from '@athanor/core/backend';
import { chunk, columnsOf, microIndex, microModule, microName, panelRows, type Tile } from '../codegen/contract/micro.ts';
import { generateModule, kernelName } from '../codegen/kernels.ts';
import { exactFunctions } from './exact.ts';

/** Long enough for the engine to replace its quick first code by optimised code. */
const warmMilliseconds = 25;
const limits = { minimum: 8, maximum: 8, shared: false };

export function computesCorrectly(tile: Tile): boolean {
  return checkMicro(tile) && checkLoop(tile);
}

function repeat(run: () => void): void {
  const end = performance.now() + warmMilliseconds;
  do run();
  while (performance.now() < end);
}

function exported(bytes: Uint8Array<ArrayBuffer>, name: string, imports: WebAssembly.Imports): (...values: number[]) => void {
  const found = new WebAssembly.Instance(new WebAssembly.Module(bytes), imports).exports[name];
  if (typeof found !== 'function') throw new TypeError(`the module does not export ${name}`);
  return found as (...values: number[]) => void;
}

function checkMicro(tile: Tile): boolean {
  const memory = new WebAssembly.Memory({ initial: limits.minimum, maximum: limits.maximum });
  const multiply = exported(microModule(tile, limits), microName(microIndex(tile, tile.rows, false)), { env: { memory } });
  const [rows, columns] = [panelRows, columnsOf(tile)];
  const [a, b, out] = [new Float32Array(memory.buffer, 1024, rows * chunk), new Float32Array(memory.buffer, 65536, columns * chunk), new Float32Array(memory.buffer, 131072, tile.rows * columns)];
  a.forEach((_, i) => (a[i] = ((i * 7) % 15) - 7));
  b.forEach((_, i) => (b[i] = ((i * 11) % 13) - 6));
  repeat(() => multiply(1024, 65536, 131072, chunk, 1, 1, columns * 4, 0));
  return out.every((value, i) => {
    let sum = 0;
    for (let k = 0; k < chunk; k++) sum += (a[k * rows + Math.floor(i / columns)] ?? 0) * (b[k * columns + (i % columns)] ?? 0);
    return value === sum;
  });
}

/** y = max(x · 3 − 5, 0) + x, with a sum of y. */
function checkLoop(tile: Tile): boolean {
  const size = 4099;
  const position = { offset: 0, strides: [0, 1] };
  const kernel: LoopKernel = {
    kind: 'loop', name: 'check', loops: [1, size], outer: 1, vector: 1, rows: [], scatters: false,
    buffers: [{ dtype: 'float32', access: 'read' }, { dtype: 'float32', access: 'write' }, { dtype: 'float32', access: 'write' }],
    instructions: [
      { op: 'constant', value: 3, dtype: 'float32' },
      { op: 'constant', value: -5, dtype: 'float32' },
      { op: 'constant', value: 0, dtype: 'float32' },
      { op: 'load', buffer: 0, index: position, guards: [], fill: 0, dtype: 'float32' },
      { op: 'elementwise', name: 'mul', inputs: [3, 0], dtype: 'float32' },
      { op: 'elementwise', name: 'add', inputs: [4, 1], dtype: 'float32' },
      { op: 'elementwise', name: 'max', inputs: [5, 2], dtype: 'float32' },
      { op: 'elementwise', name: 'add', inputs: [6, 3], dtype: 'float32' },
      { op: 'reduce', combine: 'sum', input: 7, dtype: 'float32' },
      { op: 'store', buffer: 1, index: position, input: 7, dtype: 'float32' },
      { op: 'store', buffer: 2, index: { offset: 0, strides: [1, 0] }, input: 8, dtype: 'float32' },
    ],
    stages: [0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 2],
  };
  const memory = new WebAssembly.Memory({ initial: limits.minimum, maximum: limits.maximum });
  const { bytes } = generateModule([kernel], { memory: limits, tile });
  const run = exported(bytes, kernelName(0), { env: { memory }, math: exactFunctions.imports });
  const [from, to, sum] = [65536, 131072, 196608];
  new Int32Array(memory.buffer, 1024, 3).set([from, to, sum]);
  const [x, y] = [new Float32Array(memory.buffer, from, size), new Float32Array(memory.buffer, to, size)];
  x.forEach((_, i) => (x[i] = ((i * 7) % 31) - 9));
  repeat(() => run(1024, 0, 1, 0));
  const expected = x.map((value) => Math.max(value * 3 - 5, 0) + value);
  return y.every((value, i) => value === expected[i]) && new Float32Array(memory.buffer, sum, 1)[0] === expected.reduce((total, value) => total + value, 0);
}
