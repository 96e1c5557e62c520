// Parameter groups by pattern, and weight decay that leaves biases and norms alone.
import { Linear, Sequential } from '@athanor/core/nn';
import { expect, test } from 'vitest';
import { parameterGroups } from './groups.ts';

const model = new Sequential(new Linear(2, 3), new Linear(3, 2));
const told = (config: Parameters<typeof parameterGroups>[1]) =>
  parameterGroups(model, config).map(({ parameters, ...settings }) => ({ ...settings, names: Array.from(parameters, ({ name }) => name) }));

test('without settings all parameters are one group', () => {
  expect(told({ decay: 'all', groups: [] })).toEqual([{ lrScale: 1, names: ['0.weight', '0.bias', '1.weight', '1.bias'] }]);
});

test('decay of weights leaves out what has one axis; the first pattern that matches counts', () => {
  const groups = [
    { match: '1.*', lrScale: 10 },
    { match: '*.bias', lrScale: 2, weightDecay: 0.5 },
  ];
  expect(told({ decay: 'weights', groups })).toEqual([
    { lrScale: 1, names: ['0.weight'] },
    { lrScale: 2, weightDecay: 0.5, names: ['0.bias'] },
    { lrScale: 10, names: ['1.weight'] },
    { lrScale: 10, weightDecay: 0, names: ['1.bias'] },
  ]);
});

test('a pattern that matches nothing is a mistake', () => {
  expect(() => told({ decay: 'all', groups: [{ match: '0.wieght', lrScale: 1 }] })).toThrowErrorMatchingInlineSnapshot(`[UserError: train.groups: no parameter's name is "0.wieght" — did you mean "0.weight" or "1.weight"? — * stands for anything]`);
  expect(() => told({ decay: 'all', groups: [{ match: 'head.*', lrScale: 1 }] })).toThrowErrorMatchingInlineSnapshot(`[UserError: train.groups: no parameter's name is "head.*" — names are 0.weight, 0.bias, 1.weight, 1.bias; * stands for anything]`);
});
