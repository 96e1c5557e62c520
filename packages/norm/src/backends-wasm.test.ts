// The same as backends.test.ts on wasm.
import { wasmBackend } from '@athanor/backend-wasm';
import { currentBackend } from '@athanor/core';
import { expect, test } from 'vitest';
import { backendError } from './testing/backends.ts';
import { methodNames } from './testing/methods.ts';

const reference = currentBackend();

const wasm = await wasmBackend();

test.each(methodNames)('%s', async (name) => {
  expect(await backendError(name, wasm, reference)).toBeLessThan(5e-6);
});
