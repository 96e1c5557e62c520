// The check of the engine accepts what computes correctly.
import { describe, expect, it } from 'vitest';
import { hasFusedMultiplyAdd, registerTile } from './features.ts';
import { computesCorrectly } from './self-check.ts';

describe('computesCorrectly', () => {
  it('accepts every tile on this engine', () => {
    const fused = hasFusedMultiplyAdd();
    expect(computesCorrectly(registerTile())).toBe(true);
    for (const split of [true, false]) {
      expect(computesCorrectly({ rows: 6, vectors: 4, fused, split })).toBe(true);
      expect(computesCorrectly({ rows: 4, vectors: 2, fused: false, split })).toBe(true);
    }
  });
});
