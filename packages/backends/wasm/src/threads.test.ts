// Threads: same bits as one thread, an error instead of a hang when one dies, and no thread that keeps a process alive.
import { agreement } from '@athanor/backend-conformance';
import { build, canonicalize, combine, elementCount, move, type Node, type VariableSlot } from '@athanor/core/backend';
import { describe, expect, it } from 'vitest';
import { WasmBackend, wasmBackend } from './backend.ts';
import { firstDifference } from './testing/run-kernel.ts';
import './testing/engine-features.ts';

agreement('wasm threads', {
  '1 thread': () => wasmBackend({ threads: 1 }),
  '2 threads': () => wasmBackend({ threads: 2, delays: true, poison: true }),
  '3 threads': () => wasmBackend({ threads: 3, delays: true, poison: true }),
});

/** A step that several threads share: y = x · x + x, twice. */
function makeStep(backend: WasmBackend): () => Float32Array {
  const slot: VariableSlot = { id: 1, name: 'x', shape: [256, 256], dtype: 'float32' };
  const x = build.read(slot, 0);
  const times = (a: Node, b: Node) => combine.dot(a, b, { batch: [], contract: [[1, 0]], combine: 'multiply-add' });
  const y = build.apply('add', times(times(x, x), x), x);
  const graph = canonicalize({ outputs: [y], assignments: [] });
  const executable = backend.compile(graph);
  const [variable, output] = [backend.allocate(256 * 256 * 4), backend.allocate(256 * 256 * 4)];
  backend.write(variable, Float32Array.from({ length: 256 * 256 }, (_, i) => Math.sin(i) / 100));
  return () => {
    backend.run(executable, { inputs: [], variables: [variable], outputs: [output] });
    return backend.read(output, 'float32', elementCount(y.shape)) as Float32Array;
  };
}

/** Programs of one large input, which arrives while they run, and how they read it. */
const readings: { name: string; make: (x: Node) => Node }[] = [
  { name: 'element by element', make: (x) => build.apply('mul', x, x) },
  { name: 'row by row', make: (x) => build.apply('sub', x, move.expand(build.reduce('maxReduce', x, [1]), x.shape)) },
  { name: 'column by column', make: (x) => build.reduce('sum', x, [0]) },
  { name: 'transposed', make: (x) => build.apply('add', move.permute(x, [1, 0]), move.permute(x, [1, 0])) },
  { name: 'from the end', make: (x) => build.apply('add', x, move.flip(x, [0])) },
  { name: 'shifted, with padding', make: (x) => build.apply('add', x, move.pad(move.slice(x, [0, 0], [500, 1000], [1, 1]), [[100, 0], [0, 0]], 1)) },
  { name: 'in a matrix product', make: (x) => combine.dot(x, x, { batch: [], contract: [[1, 1]], combine: 'multiply-add' }) },
];

describe('large inputs', () => {
  it.each(readings)('arrive while they are read $name', ({ make }) => {
    const shape = [600, 1000];
    const x = build.data(undefined, shape, 'float32');
    const graph = canonicalize({ outputs: [make(x)], assignments: [] });
    const results = [1, 2, 3].map((threads) => {
      const backend = new WasmBackend({ threads, delays: true, poison: true });
      const executable = backend.compile(graph);
      const elements = executable.program?.outputs[0]?.elements ?? 0;
      const output = backend.allocate(elements * 4);
      const runs = [1, 2, 3].map((run) => {
        backend.run(executable, { inputs: [Float32Array.from({ length: 600_000 }, (_, i) => Math.sin(i * run))], variables: [], outputs: [output] });
        return backend.read(output, 'float32', elements) as Float32Array;
      });
      backend.dispose();
      return runs;
    });
    const differences = results.slice(1).flatMap((runs) => runs.map((values, i) => firstDifference(values, results[0]?.[i] ?? new Float32Array())));
    expect(differences).toEqual([-1, -1, -1, -1, -1, -1]);
  });
});

describe('threads of the wasm backend', () => {
  it.each([2, 7])('%i threads give the same result in every run', (threads) => {
    const single = new WasmBackend({ threads: 1 });
    const expected = makeStep(single)();
    const backend = new WasmBackend({ threads, delays: true });
    const step = makeStep(backend);
    for (let i = 0; i < 20; i++) expect(step()).toEqual(expected);
    backend.dispose();
    single.dispose();
  });

  it('fails when a worker is killed in the middle of a step, and goes on failing', async () => {
    const backend = await wasmBackend({ threads: 2, patience: 1 });
    const step = makeStep(backend);
    step();
    await backend.loseThread(1);
    expect(step).toThrow(/worker thread .* ended in the middle of a step/);
    expect(step).toThrow(/make a new backend/);
    backend.dispose();
  });

  it('refuses thread counts that make no sense', () => {
    expect(() => new WasmBackend({ threads: 0 })).toThrowErrorMatchingInlineSnapshot(`[UserError: wasm: 0 threads — threads is a whole number from 1]`);
  });
});
