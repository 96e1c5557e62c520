// explain names the kernels of a computation.
import { expect, test } from 'vitest';
import { SGD } from '../nn/optim/sgd.ts';
import { ones } from '../tensor/create.ts';
import { explain } from './explain.ts';
import { flush } from './flush.ts';
import { variable } from './variable.ts';

test('a product is one contraction, and its sizes are shown', () => {
  const text = explain(ones([8, 4]).exp().matmul(ones([4, 16]).sin()));
  expect(text).toContain('m 8 n 16 k 4');
  expect(text).toMatch(/\d+ commands, \d+ kernels/);
});

test('what waits can be part of it', () => {
  const w = variable(new Float32Array([1, 2]), { shape: [2], dtype: 'float32' });
  const loss = w.value.square().sum();
  new SGD([w], { lr: 0.1 }).step(loss);
  expect(explain(loss, { waiting: true })).not.toBe(explain(loss));
  flush();
});
