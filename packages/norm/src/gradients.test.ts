// The gradient of every method on each layout: finite differences in float64, and float32 beside float64.
import { cpuBackend } from '@athanor/backend-cpu';
import { currentBackend, setBackend } from '@athanor/core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { doubleGradientError, singleGradientError } from './testing/checks.ts';
import { methodNames } from './testing/methods.ts';

const reference = currentBackend();
beforeAll(() => setBackend(cpuBackend()));
afterAll(() => setBackend(reference));

it.each(methodNames)('%s', async (name) => {
  expect(await doubleGradientError(name)).toBeLessThan(1e-7);
  expect(await singleGradientError(name)).toBeLessThan(1e-6);
});
