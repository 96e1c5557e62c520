// Threefry-2x32-20 against the known answers published with Random123 (kat_vectors).
import { expect, test } from 'vitest';
import { threefry2x32 } from './threefry.ts';

test.each([
  { counter: [0, 0], key: [0, 0], expected: [0x6b200159, 0x99ba4efe] },
  { counter: [0xffffffff, 0xffffffff], key: [0xffffffff, 0xffffffff], expected: [0x1cb996fc, 0xbb002be7] },
  { counter: [0x243f6a88, 0x85a308d3], key: [0x13198a2e, 0x03707344], expected: [0xc4923a9c, 0x483df7a0] },
] as const)('known answer for counter $counter and key $key', ({ counter, key, expected }) => {
  const out = new Uint32Array(2);
  threefry2x32(key[0], key[1], counter[0], counter[1], out);
  expect(Array.from(out)).toEqual(expected);
});
