// Results have the same bits whatever the number of threads, the width of vectors and the delays between threads.
import { allCases, titleOf } from '@athanor/backend-conformance';
import { arrayOf, bytesOf, canonicalize, elementCount, type CanonicalGraph, type TypedArray } from '@athanor/core/backend';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { nativeBackend, type NativeBackend, type NativeOptions } from './backend.ts';

const graphs = allCases()
  .filter(({ op }) => /sum|prod|dot|conv|softmax|norm|network|product/.test(op))
  .filter(({ op }, i) => i % 12 === 0 || op === 'layer norm with parameters' || op === 'sums of columns')
  .map((item) => ({ title: titleOf(item), problem: item.build() }))
  .filter(({ problem }) => (problem.assignments ?? []).length === 0)
  .map(({ title, problem: { outputs } }) => ({ title, graph: canonicalize({ outputs, assignments: [] }) }));

function results(backend: NativeBackend, graph: CanonicalGraph): TypedArray[] {
  const inputs = graph.inputs.map((node) => (node.op === 'data' ? node.attributes.leaf.data : undefined) ?? arrayOf('uint8', 0));
  const outputs = graph.outputs.map(({ shape, dtype }) => backend.allocate(elementCount(shape) * bytesOf(dtype)));
  backend.run(backend.compile(graph), { inputs, variables: [], outputs });
  const values = graph.outputs.map(({ shape, dtype }, i) => backend.read(outputs[i] ?? { bytes: 0 }, dtype, elementCount(shape)));
  for (const memory of outputs) backend.free(memory);
  return values;
}

const others: Readonly<Record<string, NativeOptions>> = {
  'two threads': { threads: 2 },
  'three threads with delays': { threads: 3, delays: true },
  'seven threads': { threads: 7 },
  '256-bit vectors': { threads: 1, vectorBytes: 32 },
  '128-bit vectors': { threads: 2, vectorBytes: 16 },
};

let reference: NativeBackend;
beforeAll(() => {
  reference = nativeBackend({ threads: 1 });
  reference.prepare(graphs.map(({ graph }) => graph));
}, 300_000);
afterAll(() => reference.dispose());

describe.each(Object.entries(others))('%s', (_, options) => {
  it('gives the bits of one thread', { timeout: 300_000 }, () => {
    const backend = nativeBackend(options);
    backend.prepare(graphs.map(({ graph }) => graph));
    const different = graphs.filter(({ graph }) => {
      const [want, got] = [results(reference, graph), results(backend, graph)];
      return want.some((values, i) => !values.every((value, at) => Object.is(value, got[i]?.[at])));
    });
    backend.dispose();
    expect(different.map(({ title }) => title)).toEqual([]);
    expect(graphs.length).toBeGreaterThan(50);
  });
});
