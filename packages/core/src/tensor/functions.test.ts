// Composed pointwise methods: edges that goldens cannot hold, and dtypes.
import { expect, test } from 'vitest';
import { tensor } from './create.ts';
import type { Tensor } from './tensor.ts';

const values = async (x: Tensor): Promise<unknown> => await x.toArray();
const double = (...numbers: number[]): Tensor => tensor(Float64Array.from(numbers));

test('angles on the axes', async () => {
  const [y, x] = [double(0, 0, 2, -2, 0, NaN), double(3, -3, 0, 0, 0, 1)];
  expect(await values(y.atan2(x))).toEqual([0, Math.PI, Math.PI / 2, -Math.PI / 2, 0, NaN]);
  expect(await values(double(1, -1, 2).asin())).toEqual([Math.PI / 2, -Math.PI / 2, NaN]);
  expect(await values(double(1, -1, 2).acos())).toEqual([0, Math.PI, NaN]);
});

test('small arguments keep their digits in float32', async () => {
  const x = tensor([1e-6, -3e-5]);
  for (const method of ['sinh', 'asinh', 'asin', 'atanh', 'tan'] as const) {
    const [a = 0, b = 0] = await x[method]().data();
    expect([a / 1e-6, b / -3e-5]).toEqual([expect.closeTo(1, 5), expect.closeTo(1, 5)]);
  }
});

test('NaN and infinities', async () => {
  expect(await values(tensor([NaN, Infinity, -Infinity, 1]).nanToNum({ nan: 5 }))).toEqual([5, Math.fround(3.4028234663852886e38), Math.fround(-3.4028234663852886e38), 1]);
  expect(await values(double(NaN, 1, Infinity).isClose(double(NaN, 1 + 1e-7, -Infinity)))).toEqual([false, true, false]);
  expect(await values(double(NaN, 1).isClose(double(NaN, 2), { equalNan: true }))).toEqual([true, false]);
  expect(await values(double(-Infinity, Infinity).logaddexp(double(-Infinity, 3)))).toEqual([-Infinity, Infinity]);
  expect(await values(double(0, 0).xlogy(double(Infinity, NaN)))).toEqual([0, NaN]);
});

test('integers divide as integers or become float32', async () => {
  const x = tensor([7, -7, 6, 2147483647], { dtype: 'int32' });
  expect(await values(x.fmod(3))).toEqual([1, -1, 0, 1]);
  expect(await values(x.fmod(-4))).toEqual([3, -3, 2, 3]);
  expect(x.fmod(3).dtype).toBe('int32');
  expect(x.sinh().dtype).toBe('float32');
  expect(x.logaddexp(x).dtype).toBe('float32');
  expect(double(1).erfinv().dtype).toBe('float64');
});
