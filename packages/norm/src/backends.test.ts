// Every normalization on the backends that generate code: outputs, gradients and running statistics in float32 are those
// of the float64 interpreter.
import { cpuBackend } from '@athanor/backend-cpu';
import { wasmBackend } from '@athanor/backend-wasm';
import { currentBackend, grad, readAll, setBackend, type TypedArray } from '@athanor/core';
import type { Backend } from '@athanor/core/backend';
import { Registry } from '@athanor/core/plugin';
import { afterAll, expect, test } from 'vitest';
import plugin from './index.ts';
import { randomTensor, relativeError } from './testing/numbers.ts';

const registry = new Registry([plugin]);
const needed: Record<string, object> = { 'ghost-batch': { samples: 2 }, eval: { samples: 2 }, 'cross-mini-batch': { miniBatches: 2 } };
const reference = currentBackend();
const cpu = cpuBackend();
const wasm = await wasmBackend();
afterAll(() => setBackend(reference));

/** One training forward and backward on [6, 16, 7, 5]. */
async function results(name: string, backend: Backend): Promise<TypedArray[]> {
  setBackend(backend);
  const module = registry.make('norm', { name, ...needed[name] })(16);
  const x = randomTensor([6, 16, 7, 5], 1, { dtype: 'float32', shift: 0.3 });
  const y = module.forward(x);
  const gradients = grad(y, [x, ...module.parameters()], { cotangent: randomTensor(x.shape, 2, { dtype: 'float32' }) });
  return await readAll([y, ...gradients, ...module.buffers().map((buffer) => buffer.value)]);
}

test.each(registry.list('norm').map(({ component }) => component.name))('%s', async (name) => {
  const expected = await results(name, reference);
  for (const backend of [cpu, wasm]) {
    for (const [i, values] of (await results(name, backend)).entries()) expect(await relativeError(values, expected[i] ?? [])).toBeLessThan(2e-6);
  }
});
