// The backend as a whole: memory, mistakes, and its component.
import { referenceBackend } from '@athanor/core/backend';
import { Registry } from '@athanor/core/plugin';
import { describe, expect, it } from 'vitest';
import { WasmBackend } from './backend.ts';
import plugin from './plugin.ts';

describe('WasmBackend', () => {
  it('copies what it is given and what it gives', () => {
    const backend = new WasmBackend({ threads: 1 });
    const memory = backend.allocate(12);
    const values = Float32Array.of(1, 2, 3);
    backend.write(memory, values);
    values.fill(0);
    const read = backend.read(memory, 'float32', 3);
    expect([...read]).toEqual([1, 2, 3]);
    read.fill(0);
    expect([...backend.read(memory, 'float32', 3)]).toEqual([1, 2, 3]);
  });

  it('counts what it holds', () => {
    const backend = new WasmBackend({ threads: 1 });
    const memory = backend.allocate(1000);
    expect(backend.memory()).toEqual({ arena: 0, owned: 1000, allocations: 1 });
    backend.free(memory);
    expect(backend.memory()).toEqual({ arena: 0, owned: 0, allocations: 0 });
  });

  it('names mistakes', () => {
    const backend = new WasmBackend({ threads: 1 });
    const memory = backend.allocate(4);
    backend.free(memory);
    expect(() => backend.read(memory, 'float32', 1)).toThrowErrorMatchingInlineSnapshot(`[UserError: memory was used after it was freed]`);
    const foreign = referenceBackend().allocate(4);
    expect(() => backend.write(foreign, Float32Array.of(1))).toThrowErrorMatchingInlineSnapshot(`[UserError: memory of another backend was given to the wasm backend — copy the values through the host]`);
  });

  it('is a component', async () => {
    const registry = new Registry();
    registry.add(plugin);
    const backend = await registry.make('backend', { name: 'wasm', threads: 2 });
    expect(backend).toMatchObject({ name: 'wasm', threads: 2 });
    await backend.dispose();
    expect(() => registry.make('backend', { name: 'wasm', threads: 0 })).toThrow(/wasm\.threads/);
  });
});
