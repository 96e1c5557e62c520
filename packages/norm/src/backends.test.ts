// Every method on cpu, on each layout, in training and evaluation, compiled: outputs, gradients and what is kept,
// in float32, are those of the float64 interpreter.
import { cpuBackend } from '@athanor/backend-cpu';
import { currentBackend } from '@athanor/core';
import { expect, test } from 'vitest';
import { backendError } from './testing/backends.ts';
import { methodNames } from './testing/methods.ts';

const reference = currentBackend();

const cpu = cpuBackend();

test.each(methodNames)('%s', async (name) => {
  expect(await backendError(name, cpu, reference)).toBeLessThan(5e-6);
});
