// Tensors as text.
import { expect, test } from 'vitest';
import { arange, tensor, zeros } from './create.ts';
import type { Tensor } from './tensor.ts';

const matrix = (): Tensor => arange(6).reshape(2, 3).to('float32');

test('text', async () => {
  expect(await matrix().div(4).print()).toMatchInlineSnapshot(`
    "[[0.0000, 0.2500, 0.5000],
     [0.7500, 1.0000, 1.2500]] float32 [2, 3]"
  `);
  expect(String(tensor([1, 2]))).toMatchInlineSnapshot(`"Tensor [1, 2] float32 [2]"`);
  expect(String(matrix().exp())).toMatchInlineSnapshot(`"Tensor float32 [2, 3] (exp, not computed)"`);
  expect(await zeros([30, 30]).print()).toMatchInlineSnapshot(`
    "[[0, 0, 0, …, 0, 0, 0],
     [0, 0, 0, …, 0, 0, 0],
     [0, 0, 0, …, 0, 0, 0],
     …,
     [0, 0, 0, …, 0, 0, 0],
     [0, 0, 0, …, 0, 0, 0],
     [0, 0, 0, …, 0, 0, 0]] float32 [30, 30]"
  `);
});
