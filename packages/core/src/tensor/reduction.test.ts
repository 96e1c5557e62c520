// Methods that summarise along axes.
import { expect, test } from 'vitest';
import { arange, tensor } from './create.ts';
import type { Tensor } from './tensor.ts';

const values = async (x: Tensor): Promise<unknown> => await x.toArray();
const matrix = (): Tensor => arange(6).reshape(2, 3).to('float32');

test('sums, means, variances', async () => {
  expect(await matrix().sum().item()).toBe(15);
  expect(await values(matrix().sum(1))).toEqual([3, 12]);
  expect(await values(matrix().mean(0, { keepdim: true }))).toEqual([[1.5, 2.5, 3.5]]);
  expect(await values(matrix().var(1))).toEqual([1, 1]);
  expect(await matrix().std(undefined, { correction: 0 }).item()).toBeCloseTo(Math.sqrt(35 / 12), 6);
  expect(await tensor([200, 100], { dtype: 'uint8' }).sum().item()).toBe(300);
});

test('extremes and their positions', async () => {
  const x = tensor([[1, 5, 5], [7, 2, NaN]]);
  expect(await values(x.argmax(1))).toEqual([1, 2]);
  expect(await x.argmin().item()).toBe(5);
  expect(await values(tensor([[3, 1], [2, 4]]).max(0))).toEqual([3, 4]);
  expect(await values(tensor([0, 2]).any())).toBe(true);
  expect(await values(tensor([0, 2]).all())).toBe(false);
});

test('soft maxima', async () => {
  const x = tensor([[1, 2, 3], [1000, 1000, 1000]]);
  const soft = [1, 2, 3].map((v) => expect.closeTo(Math.exp(v - 3) / (Math.exp(-2) + Math.exp(-1) + 1), 6));
  expect((await values(x.softmax(1)) as unknown[])[0]).toEqual(soft);
  expect(await values(x.logSoftmax(1).exp().sum(1))).toEqual([expect.closeTo(1, 6), expect.closeTo(1, 6)]);
  expect(await values(x.logsumexp(1))).toEqual([expect.closeTo(3.407606, 5), expect.closeTo(1000 + Math.log(3), 3)]);
  expect(await tensor([-Infinity, -Infinity]).logsumexp(0).item()).toBe(-Infinity);
});

test('norms and running sums', async () => {
  expect(await tensor([3, -4]).norm().item()).toBe(5);
  expect(await tensor([3, -4]).norm(1).item()).toBe(7);
  expect(await tensor([3, -4]).norm(Infinity).item()).toBe(4);
  expect(await values(matrix().cumsum(1))).toEqual([[0, 1, 3], [3, 7, 12]]);
});
