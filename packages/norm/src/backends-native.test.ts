// The same as backends.test.ts on native; skipped where there is no C compiler.
import { nativeBackend } from '@athanor/backend-native';
import { currentBackend } from '@athanor/core';
import type { Backend } from '@athanor/core/backend';
import { describe, expect, test } from 'vitest';
import { backendError } from './testing/backends.ts';
import { methodNames } from './testing/methods.ts';

function available(): Backend | undefined {
  try {
    return nativeBackend();
  } catch {
    return undefined;
  }
}

/** Compiling a method's kernels takes seconds, once: libraries stay in the cache. */
const patience = 60_000;
const reference = currentBackend();
const native = available();

describe.skipIf(native === undefined)('native', () => {
  test.each(methodNames)('%s', async (name) => {
    expect(await backendError(name, native ?? reference, reference)).toBeLessThan(5e-6);
  }, patience);
});
