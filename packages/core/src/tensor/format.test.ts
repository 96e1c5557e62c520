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

test('special numbers, ranges, flags and empty axes', async () => {
  const rows = [tensor([1, NaN, -Infinity, 0.5]), tensor([1e-8, 1, 1000]), tensor([-1000, 2.5]), tensor([true, false]), tensor(3.5), zeros([0, 3]), zeros([2, 0])];
  expect((await Promise.all(rows.map((row) => row.print()))).join('\n')).toMatchInlineSnapshot(`
    "[   1.0000,       NaN, -Infinity,    0.5000] float32 [4]
    [1.0000e-8, 1.0000e+0, 1.0000e+3] float32 [3]
    [-1000.0000,     2.5000] float32 [2]
    [ true, false] bool [2]
    3.5000 float32 []
    [] float32 [0, 3]
    [[],
     []] float32 [2, 0]"
  `);
});
