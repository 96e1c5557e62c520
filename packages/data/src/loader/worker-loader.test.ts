// The worker-backed loader gives the plain loader's batches, in order, with the same states. Needs a build.
import { afterEach, expect, test } from 'vitest';
import { createDataset } from '../dataset.ts';
import { crop, flip } from '../transforms/index.ts';
import { Loader } from './loader.ts';
import { WorkerLoader } from './worker-loader.ts';
import type { WorkerLoaderOptions } from './worker-loader.ts';

const length = 23;
const dataset = createDataset({
  name: 'toy',
  inputShape: [1, 4, 4],
  inputs: Uint8Array.from({ length: length * 16 }, (_, index) => (index * 37) % 256),
  labels: Int32Array.from({ length }, (_, index) => index),
  classes: Array.from({ length }, (_, index) => `class ${index}`),
});
const options = { batch: 5, seed: 4, transforms: [crop({ padding: 1 }), flip()], mixup: { alpha: 0.3 } };

const started: WorkerLoader[] = [];
const start = (extra: Partial<WorkerLoaderOptions>) => {
  const loader = new WorkerLoader(dataset, { ...options, ...extra });
  started.push(loader);
  return loader;
};
afterEach(async () => {
  await Promise.all(started.splice(0).map((loader) => loader.close()));
});

test.each([
  { workers: 1, ahead: 1 },
  { workers: 3, ahead: 7 },
])('same batches and states with $workers workers, $ahead ahead', async (extra) => {
  const plain = new Loader(dataset, options);
  const loader = start(extra);
  for (let step = 0; step < 12; step++) {
    expect(await loader.next()).toEqual(plain.next());
    expect(loader.state()).toEqual(plain.state());
  }
});

test('a state of either loader resumes the other', async () => {
  const plain = new Loader(dataset, options);
  const loader = start({ workers: 2 });
  await loader.next();
  await loader.next();
  plain.restore(loader.state());
  const expected = [plain.next(), plain.next()];
  loader.restore({ ...loader.state(), epoch: 3, position: 10 });
  plain.restore(loader.state());
  expect(await loader.next()).toEqual(plain.next());
  const again = start({ workers: 1 });
  again.restore({ ...plain.state(), epoch: 0, position: 10 });
  expect([await again.next(), await again.next()]).toEqual(expected);
});

test('calls that do not wait for each other still come in order; an epoch can be walked', async () => {
  const plain = new Loader(dataset, options);
  const loader = start({ workers: 2, ahead: 2 });
  expect(await Promise.all([loader.next(), loader.next(), loader.next()])).toEqual([
    plain.next(),
    plain.next(),
    plain.next(),
  ]);
  const rest: number[] = [];
  for await (const batch of loader.rest()) rest.push(batch.size);
  expect(rest).toEqual([5, 3]);
});

test('what cannot work is told', async () => {
  const own = { name: 'own', apply: () => undefined };
  expect(() => start({ transforms: [own] })).toThrowErrorMatchingInlineSnapshot(
    `[UserError: transform own is not one of this package's, so workers cannot make it — use the plain Loader]`,
  );
  expect(() => start({ workers: 0 })).toThrow('workers must be a whole number of at least 1, got 0');
  expect(() => start({ ahead: 0.5 })).toThrow('ahead must be a whole number of at least 1, got 0.5');
  const points = createDataset({
    name: 'points',
    inputShape: [2],
    inputs: new Float32Array(4),
    labels: new Int32Array(2),
    classes: ['a'],
  });
  const loader = new WorkerLoader(points, { batch: 1, transforms: [flip()] });
  await expect(loader.next()).rejects.toThrowErrorMatchingInlineSnapshot(
    `[UserError: transform flip needs images of shape [C, H, W]; these samples have shape [2]]`,
  );
  await loader.close();
  await expect(loader.next()).rejects.toThrow('the loader is closed');
});
