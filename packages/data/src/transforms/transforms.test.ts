// Transforms on small pictures: what each one does at known draws, and what it never changes.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { RandomStream } from '../random.ts';
import { affine, crop, cutout, flip, transformByName } from './index.ts';
import type { Transform } from './index.ts';

const picture = (channels: number, height: number, width: number) =>
  Float32Array.from({ length: channels * height * width }, (_, index) => index + 1);

function run(transform: Transform, sample: Float32Array, shape: readonly number[], key = 1): Float32Array {
  const copy = sample.slice();
  transform.apply(copy, {
    shape,
    random: new RandomStream([key, 0]),
    mean: [0.25, 0.5],
    scratch: new Float32Array(sample.length),
  });
  return copy;
}

test('flip mirrors rows, or their order', () => {
  const sample = picture(2, 2, 3);
  expect([...run(flip({ probability: 1 }), sample, [2, 2, 3])]).toEqual([3, 2, 1, 6, 5, 4, 9, 8, 7, 12, 11, 10]);
  expect([...run(flip({ probability: 1, axis: 'vertical' }), sample, [2, 2, 3])]).toEqual([
    4, 5, 6, 1, 2, 3, 10, 11, 12, 7, 8, 9,
  ]);
  expect(run(flip({ probability: 0 }), sample, [2, 2, 3])).toEqual(sample);
});

test('crop shifts every channel alike, by at most the padding, each shift about equally often', () => {
  const sample = picture(2, 5, 4);
  const shifts = new Map<string, number>();
  for (let key = 0; key < 900; key++) {
    const out = run(crop({ padding: 1, fill: -1 }), sample, [2, 5, 4], key);
    const center = out[2 * 4 + 2] ?? 0;
    const index = center - 1;
    const shift = [Math.floor(index / 4) - 2, (index % 4) - 2];
    shifts.set(String(shift), (shifts.get(String(shift)) ?? 0) + 1);
    for (let at = 0; at < 40; at++) {
      const [row, column] = [(Math.floor(at / 4) % 5) + (shift[0] ?? 0), (at % 4) + (shift[1] ?? 0)];
      const inside = row >= 0 && row < 5 && column >= 0 && column < 4;
      expect(out[at]).toBe(inside ? sample[Math.floor(at / 20) * 20 + row * 4 + column] : -1);
    }
  }
  expect([...shifts.keys()].sort()).toEqual(['-1,-1', '-1,0', '-1,1', '0,-1', '0,0', '0,1', '1,-1', '1,0', '1,1']);
  for (const count of shifts.values()) expect(Math.abs(count - 100)).toBeLessThan(45);
});

test('crop with more padding than the picture is wide can show nothing but fill', () => {
  fc.assert(
    fc.property(fc.nat(), (key) => {
      const out = run(crop({ padding: 9 }), picture(1, 3, 3), [1, 3, 3], key);
      expect(out.every((value) => value >= 0 && value <= 9)).toBe(true);
    }),
  );
});

test('cutout hides one square with the mean of each channel', () => {
  const out = run(cutout({ size: 3 }), picture(2, 7, 7), [2, 7, 7]);
  const hidden = [...out.keys()].filter((at) => out[at] !== at + 1);
  const first = hidden.filter((at) => at < 49);
  expect(hidden.filter((at) => at >= 49).map((at) => at - 49)).toEqual(first);
  expect(new Set(first.map((at) => out[at]))).toEqual(new Set([0.25]));
  expect(new Set(hidden.slice(first.length).map((at) => out[at]))).toEqual(new Set([0.5]));
  const rows = new Set(first.map((at) => Math.floor(at / 7)));
  const columns = new Set(first.map((at) => at % 7));
  expect(first).toHaveLength(rows.size * columns.size);
  expect(run(cutout({ size: 1, fill: 9 }), new Float32Array(4), [1, 2, 2]).filter((value) => value === 9)).toHaveLength(
    1,
  );
});

test('affine: nothing asked changes nothing; a half turn reverses; the middle stays', () => {
  const sample = picture(1, 3, 3);
  expect(run(affine(), sample, [1, 3, 3])).toEqual(sample);
  const halfTurn: Transform = affine({ rotate: 180 });
  const turned = new Float32Array(9).map((_, at) => 9 - at);
  const copy = sample.slice();
  const random = new RandomStream([1, 0]);
  random.between = (_, high) => high;
  halfTurn.apply(copy, { shape: [1, 3, 3], random, mean: [0], scratch: new Float32Array(9) });
  copy.forEach((value, at) => expect(value).toBeCloseTo(turned[at] ?? 0, 4));
  for (let key = 0; key < 20; key++) {
    expect(run(affine({ rotate: 45, scale: [0.5, 2], shear: 20 }), sample, [1, 3, 3], key)[4]).toBeCloseTo(5, 4);
  }
});

test('tables cannot be flipped, wrong options are named, unknown names cannot be made again', () => {
  expect(() => run(flip(), new Float32Array(3), [3])).toThrowErrorMatchingInlineSnapshot(
    `[UserError: transform flip needs images of shape [C, H, W]; these samples have shape [3]]`,
  );
  expect(() => crop({ padding: 0 })).toThrow('crop.padding: ');
  expect(() => transformByName('cutout', {})).toThrow('cutout.size: ');
  expect(() => transformByName('blur', {})).toThrow('there is no transform blur');
  const made = transformByName('crop', { padding: 2 });
  expect(run(made, picture(1, 5, 5), [1, 5, 5])).toEqual(run(crop({ padding: 2 }), picture(1, 5, 5), [1, 5, 5]));
});
