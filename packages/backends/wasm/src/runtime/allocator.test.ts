// The allocator: blocks never overlap, freed ones are merged and used again.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LinearMemory } from './allocator.ts';

describe('LinearMemory', () => {
  it('gives blocks that do not overlap, whatever is freed in between', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.integer({ min: 0, max: 5000 }), fc.boolean(), fc.nat()), { maxLength: 60 }), (steps) => {
        const memory = new LinearMemory(false);
        const live: { start: number; end: number }[] = [];
        for (const [bytes, release, which] of steps) {
          if (release && live.length > 0) {
            const [block] = live.splice(which % live.length, 1);
            if (block !== undefined) memory.release(block.start);
            continue;
          }
          const start = memory.allocate(bytes);
          expect(start % 64).toBe(0);
          const end = start + Math.max(bytes, 1);
          for (const other of live) expect(start >= other.end || end <= other.start).toBe(true);
          expect(end).toBeLessThanOrEqual(memory.buffer.byteLength);
          live.push({ start, end });
        }
      }),
      { numRuns: 50, seed: 7 },
    );
  });

  it('merges freed neighbours and gives them again', () => {
    const memory = new LinearMemory(false);
    const [a, b, c] = [memory.allocate(1000), memory.allocate(1000), memory.allocate(1000)];
    const last = memory.allocate(64);
    memory.release(a);
    memory.release(c);
    memory.release(b);
    expect(memory.allocate(3000)).toBe(a);
    expect(last).toBeGreaterThan(c);
  });

  it('begins large blocks at different distances from a page, and finds their place again', () => {
    const memory = new LinearMemory(false);
    const blocks = Array.from({ length: 8 }, () => memory.allocate(2 ** 20));
    const last = memory.allocate(64);
    expect(new Set(blocks.map((address) => address % 4096)).size).toBe(8);
    for (const address of blocks) memory.release(address);
    expect(blocks.map(() => memory.allocate(2 ** 20))).toEqual(blocks);
    expect(last).toBeGreaterThan(Math.max(...blocks));
  });

  it('grows and keeps what was written', () => {
    const memory = new LinearMemory(false);
    const first = memory.allocate(100);
    memory.bytes(first, 100).fill(42);
    const large = memory.allocate(50 * 2 ** 20);
    memory.bytes(large, 50 * 2 ** 20).fill(1);
    expect(memory.bytes(first, 100).every((byte) => byte === 42)).toBe(true);
  });

  it('says how much was wanted when memory is at its end', () => {
    const memory = new LinearMemory(false);
    expect(() => memory.allocate(5 * 2 ** 30)).toThrowErrorMatchingInlineSnapshot(`[UserError: the wasm backend is out of memory: 5121 MB needed, at most 4096 MB possible — use smaller batches, or release what is not needed]`);
  });
});
