// The plugin through the registry, the way that experiments use it.
import { Registry } from '@athanor/core/plugin';
import { expect, test } from 'vitest';
import plugin from './index.ts';

const registry = new Registry([plugin]);
const notify = () => undefined;

test('fashion-mnist is a dataset component with defaults', async () => {
  const splits = await registry.make('dataset', { name: 'fashion-mnist', train: 30 }, { notify });
  expect([splits.train.length, splits.test.length]).toEqual([30, 1000]);
});

test('wrong keys are named with the nearest one', () => {
  const { issues } = registry.resolve('dataset', { name: 'fashion-mnist', trian: 30 });
  expect(issues.map((issue) => issue.path)).toEqual([['trian']]);
  expect(issues[0]?.message).toMatch(/"trian".*"train"/);
});

test('transforms are components', () => {
  expect(registry.list('transform').map(({ component }) => component.name)).toEqual([
    'affine',
    'crop',
    'cutout',
    'flip',
  ]);
  expect(registry.make('transform', { name: 'crop', padding: 2 }).config).toEqual({ padding: 2, fill: 0 });
});
