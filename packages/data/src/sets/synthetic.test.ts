// Point sets: balanced classes, points where they should be, and sets that depend on the seed alone.
import { expect, test } from 'vitest';
import { makePoints, pointSets } from './synthetic.ts';
import type { PointSetName } from './synthetic.ts';

const names = Object.keys(pointSets) as PointSetName[];

test.each(names)('%s: repeatable, nested, balanced, small', (name) => {
  const { train, test: rest } = makePoints(name, { train: 100, test: 60, seed: 3 });
  expect(makePoints(name, { train: 40, test: 60, seed: 3 }).train.inputs).toEqual(train.inputs.slice(0, 80));
  expect(makePoints(name, { train: 100, seed: 4 }).train.inputs).not.toEqual(train.inputs);
  expect(rest.inputs).not.toEqual(train.inputs.slice(0, 120));
  const counts = train.classes.map((_, label) => train.labels.filter((value) => value === label).length);
  expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
  expect(train.inputs.every((value) => Math.abs(value) < 2)).toBe(true);
});

test('without noise, points lie on their curves', () => {
  const points = (name: PointSetName) => {
    const { train } = makePoints(name, { noise: 0, train: 200 });
    return Array.from(train.labels, (label, row) => ({
      label,
      x: train.inputs[2 * row] ?? 0,
      y: train.inputs[2 * row + 1] ?? 0,
    }));
  };
  for (const { label, x, y } of points('circles')) expect(Math.hypot(x, y)).toBeCloseTo((label + 1) / 2, 5);
  for (const { label, x, y } of points('moons')) {
    const side = label === 0 ? 1 : -1;
    expect(Math.hypot(side * x + 0.5, side * y + 0.25)).toBeCloseTo(1, 5);
  }
  for (const { label, x, y } of points('blobs')) {
    expect([x, y]).toEqual([
      expect.closeTo(Math.cos((label * Math.PI) / 4), 5),
      expect.closeTo(Math.sin((label * Math.PI) / 4), 5),
    ]);
  }
  for (const { label, x, y } of points('spirals')) {
    const angle = 2 * Math.PI * (1.5 * Math.hypot(x, y) + label / 2);
    expect(Math.cos(angle - Math.atan2(y, x))).toBeCloseTo(1, 4);
  }
  for (const { label, x, y } of points('swiss-roll')) {
    const angle = Math.hypot(x, y) * 4.5 * Math.PI;
    expect(Math.cos(angle - Math.atan2(y, x))).toBeCloseTo(1, 4);
    expect(angle < 3 * Math.PI ? 0 : 1).toBe(label);
  }
});

test('noise has the asked size; wrong options are named', () => {
  const clean = makePoints('moons', { noise: 0, train: 4000 }).train.inputs;
  const noisy = makePoints('moons', { noise: 0.3, train: 4000 }).train.inputs;
  const squares = Array.from(noisy, (value, index) => (value - (clean[index] ?? 0)) ** 2).reduce(
    (left, right) => left + right,
    0,
  );
  expect(Math.sqrt(squares / noisy.length)).toBeCloseTo(0.3, 2);
  expect(() => makePoints('blobs', { classes: 0 })).toThrow('blobs.classes: ');
});
