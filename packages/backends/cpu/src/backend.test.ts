// What only this backend promises: shared kernels, subclasses of typed arrays, its plugin, words for a strict page.
import { Registry } from '@athanor/core/plugin';
import { build, canonicalize, elementCount, type Node } from '@athanor/core/backend';
import { describe, expect, it } from 'vitest';
import { CpuBackend, cpuBackend } from './backend.ts';
import { KernelStore } from './codegen/kernel.ts';
import plugin from './plugin.ts';

const leaf = (values: Uint8Array | Float32Array): Node =>
  build.data(values, [values.length], values instanceof Float32Array ? 'float32' : 'uint8');

function compute(backend: CpuBackend, node: Node): Iterable<number> {
  const graph = canonicalize({ outputs: [node], assignments: [] });
  const output = backend.allocate(elementCount(node.shape) * 8);
  const inputs = graph.inputs.map((input) => (input.op === 'data' ? input.attributes.leaf.data : undefined) ?? new Float32Array(0));
  backend.run(backend.compile(graph), { inputs, variables: [], outputs: [output] });
  return backend.read(output, node.dtype, elementCount(node.shape));
}

describe('cpu backend', () => {
  it('compiles equal kernels once', () => {
    const store = new KernelStore();
    const backend = cpuBackend();
    const kernels = [1, 2].map((seed) => {
      const graph = canonicalize({ outputs: [build.apply('exp', leaf(Float32Array.of(seed, 2, 3)))], assignments: [] });
      return backend.compile(graph).program?.kernels[0];
    });
    const functions = kernels.flatMap((kernel) => (kernel === undefined || kernel.kind === 'routine' ? [] : [store.get(kernel)]));
    expect(functions).toHaveLength(2);
    expect(new Set(functions).size).toBe(1);
    expect(store.size).toBe(1);
  });

  it('reads Buffers as the bytes that they are', () => {
    const bytes = Buffer.from([9, 8, 250]);
    expect([...compute(cpuBackend(), build.apply('add', leaf(bytes), leaf(Uint8Array.of(1, 2, 10))))]).toEqual([10, 10, 4]);
  });

  it('refuses to free twice', () => {
    const backend = cpuBackend();
    const memory = backend.allocate(64);
    backend.free(memory);
    expect(() => backend.free(memory)).toThrow('freed twice');
  });

  it('frees everything when it is disposed of; what outlives it may still be freed, but not read', () => {
    const backend = cpuBackend();
    const memory = backend.allocate(64);
    compute(backend, build.apply('exp', leaf(Float32Array.of(1))));
    backend.dispose();
    expect(backend.memory()).toEqual({ arena: 0, owned: 0, allocations: 0 });
    expect(() => backend.read(memory, 'float32', 1)).toThrow('after it was freed');
    backend.free(memory);
  });

  it('says which engine its last bits depend on', () => {
    expect(cpuBackend().numerics).toBe(`cpu-javascript-${process.versions.v8}`);
  });

  it('is a component', async () => {
    const registry = new Registry();
    registry.add(plugin);
    expect(await registry.make('backend', 'cpu')).toBeInstanceOf(CpuBackend);
  });
});
