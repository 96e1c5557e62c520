// Tensor methods against answers written by hand.
import { describe, expect, test } from 'vitest';
import { arange, cat, eye, linspace, ones, stack, tensor, where, zeros } from './create.ts';
import { einsum } from './einsum.ts';
import type { Tensor } from './tensor.ts';

const values = async (x: Tensor): Promise<unknown> => await x.toArray();
const matrix = (): Tensor => arange(6).reshape(2, 3).to('float32');

describe('making', () => {
  test('from nested arrays, typed arrays and numbers', async () => {
    expect(await values(tensor([[1, 2], [3, 4]]))).toEqual([[1, 2], [3, 4]]);
    expect(tensor(new Uint8Array([1, 2])).dtype).toBe('uint8');
    expect(await values(tensor([[true], [false]]))).toEqual([[true], [false]]);
    expect(await tensor(3).item()).toBe(3);
    expect(await values(tensor([300, -1, NaN], { dtype: 'uint8' }))).toEqual([255, 0, 0]);
  });

  test('ranges and constants', async () => {
    expect(await values(arange(5))).toEqual([0, 1, 2, 3, 4]);
    expect(await values(arange(5, 1, -2))).toEqual([5, 3]);
    expect(await values(arange(0, 1, 0.25))).toEqual([0, 0.25, 0.5, 0.75]);
    expect(await values(linspace(0, 1, 5))).toEqual([0, 0.25, 0.5, 0.75, 1]);
    expect(await values(eye(2, 3))).toEqual([[1, 0, 0], [0, 1, 0]]);
    expect(await values(ones([2]).add(zeros([2, 1])))).toEqual([[1, 1], [1, 1]]);
  });

  test('ragged arrays and wrong lengths are errors', () => {
    expect(() => tensor([[1, 2], [3]])).toThrowErrorMatchingInlineSnapshot(`[ShapeError: tensor: the nested arrays are ragged: not every part has shape [2]]`);
    expect(() => tensor(new Float32Array(3), { shape: [2, 2] })).toThrowErrorMatchingInlineSnapshot(`[ShapeError: tensor: 3 values do not fill shape [2, 2] — give 4 values]`);
  });
});

describe('arithmetic', () => {
  test('broadcasts', async () => {
    expect(await values(tensor([[1], [2]]).add(tensor([10, 20])))).toEqual([[11, 21], [12, 22]]);
    expect(() => tensor([1, 2]).add(tensor([1, 2, 3]))).toThrowErrorMatchingInlineSnapshot(`[ShapeError: add: cannot broadcast [2] with [3] — sizes 2 and 3 of axis -1 must be equal, or one of them 1]`);
  });

  test('numbers take the dtype of the tensor unless they cannot', () => {
    const integers = tensor(new Int32Array([1, 2]));
    expect(integers.add(1).dtype).toBe('int32');
    expect(integers.add(0.5).dtype).toBe('float32');
    expect(integers.div(2).dtype).toBe('float32');
    expect(integers.gt(0).add(1).dtype).toBe('int32');
    expect(tensor(new Float64Array([1])).mul(0.1).dtype).toBe('float64');
    expect(tensor(new Uint8Array([1])).add(tensor(new Int8Array([1]))).dtype).toBe('int32');
    expect(integers.exp().dtype).toBe('float32');
    expect(integers.floor().dtype).toBe('int32');
  });

  test('division, remainder and powers', async () => {
    expect(await values(tensor([7, -7]).floorDivide(2))).toEqual([3, -4]);
    expect(await values(tensor([7, -7]).remainder(3))).toEqual([1, 2]);
    expect(await values(tensor([7, -7], { dtype: 'int32' }).remainder(3))).toEqual([1, 2]);
    expect(await values(tensor([2, 3], { dtype: 'int32' }).pow(5))).toEqual([32, 243]);
    expect(await values(tensor([2, -3]).pow(3))).toEqual([8, -27]);
    expect(await values(tensor([4, 9]).pow(-0.5))).toEqual([0.5, expect.closeTo(1 / 3, 6)]);
    expect(await values(tensor([5]).rsub(1))).toEqual([-4]);
  });

  test('comparison, logic and selection', async () => {
    const x = tensor([1, 2, 3]);
    expect(await values(x.ge(2).and(x.lt(3)))).toEqual([false, true, false]);
    expect(await values(where(x.gt(1), x, -1))).toEqual([-1, 2, 3]);
    expect(await values(x.maskedFill(x.eq(2), 0))).toEqual([1, 0, 3]);
    expect(await values(x.clamp(1.5, 2.5))).toEqual([1.5, 2, 2.5]);
    expect(await values(tensor([NaN, 1, Infinity]).isNaN())).toEqual([true, false, false]);
    expect(await values(tensor([NaN, 1, -Infinity]).isFinite())).toEqual([false, true, false]);
    expect(await values(tensor([-2, 0, 2]).sigmoid())).toEqual([-2, 0, 2].map((v) => expect.closeTo(1 / (1 + Math.exp(-v)), 6)));
  });
});

describe('shapes', () => {
  test('reshape, permute, expand', async () => {
    expect(await values(matrix().reshape(3, -1))).toEqual([[0, 1], [2, 3], [4, 5]]);
    expect(await values(matrix().T)).toEqual([[0, 3], [1, 4], [2, 5]]);
    expect(await values(tensor([1, 2]).unsqueeze(1).expand(-1, 2))).toEqual([[1, 1], [2, 2]]);
    expect(matrix().unsqueeze(0).squeeze().shape).toEqual([2, 3]);
    expect(zeros([2, 3, 4, 5]).flatten(1, 2).shape).toEqual([2, 12, 5]);
    expect(zeros([2, 12]).unflatten(1, [3, -1]).shape).toEqual([2, 3, 4]);
    expect(zeros([2, 3, 4]).movedim(0, -1).shape).toEqual([3, 4, 2]);
  });

  test('split, chunk, unbind', async () => {
    expect((await Promise.all(arange(5).split(2).map(values)))).toEqual([[0, 1], [2, 3], [4]]);
    expect(arange(7).chunk(3).map(({ size }) => size)).toEqual([3, 3, 1]);
    expect(await values(matrix().unbind(1)[2] as Tensor)).toEqual([2, 5]);
    expect(() => arange(5).split([2, 2])).toThrowErrorMatchingInlineSnapshot(`[ShapeError: split: parts [2, 2] do not add up to 5, axis 0 of [5]]`);
  });

  test('pad, flip, roll, repeat', async () => {
    expect(await values(tensor([1, 2, 3]).pad([1, -1], 9))).toEqual([9, 1, 2]);
    expect(await values(matrix().flip([0, 1]))).toEqual([[5, 4, 3], [2, 1, 0]]);
    expect(await values(arange(5).roll(2))).toEqual([3, 4, 0, 1, 2]);
    expect(await values(matrix().roll([-1, 1], [1, 0]))).toEqual([[4, 5, 3], [1, 2, 0]]);
    expect(await values(tensor([1, 2]).repeat(2, 2))).toEqual([[1, 2, 1, 2], [1, 2, 1, 2]]);
    expect(await values(tensor([1, 2]).repeatInterleave(2, 0))).toEqual([1, 1, 2, 2]);
    expect(await values(arange(5).unfold(0, 3, 2))).toEqual([[0, 1, 2], [2, 3, 4]]);
  });

  test('cat and stack', async () => {
    expect(await values(cat([arange(2), arange(3), arange(1)]))).toEqual([0, 1, 0, 1, 2, 0]);
    expect(await values(cat([matrix(), matrix()], 1))).toEqual([[0, 1, 2, 0, 1, 2], [3, 4, 5, 3, 4, 5]]);
    expect(await values(stack([arange(2), arange(2)], 1))).toEqual([[0, 0], [1, 1]]);
    expect(() => cat([zeros([2, 3]), zeros([3, 2])])).toThrowErrorMatchingInlineSnapshot(`[ShapeError: cat: [2, 3] and [3, 2] cannot be joined along axis 0 — all other sizes must be equal]`);
  });

  test('expect checks numbers and names', () => {
    expect(zeros([4, 1, 28, 28]).expect('B C 28 28').shape).toEqual([4, 1, 28, 28]);
    expect(() => zeros([4, 3]).expect('N N')).toThrowErrorMatchingInlineSnapshot(`[ShapeError: expect: shape [4, 3] is not "N N": N is 4, but axis 1 has size 3]`);
    expect(() => zeros([4, 3]).expect('N ... 4')).toThrowErrorMatchingInlineSnapshot(`[ShapeError: expect: shape [4, 3] is not "N ... 4": axis 1 has size 3]`);
  });
});

describe('reductions', () => {
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
});

describe('positions', () => {
  test('at', async () => {
    const x = arange(24).reshape(2, 3, 4);
    expect(await x.at(1, 2, 3).item()).toBe(23);
    expect(await values(x.at(0, [1, 3], -1))).toEqual([7, 11]);
    expect(await values(x.at('...', 0))).toEqual([[0, 4, 8], [12, 16, 20]]);
    expect(x.at(':', null, 0).shape).toEqual([2, 1, 4]);
    expect(await values(x.at(0, 0, [undefined, undefined, -1]))).toEqual([3, 2, 1, 0]);
    expect(await values(x.at(0, 0, [-2, undefined, -2]))).toEqual([2, 0]);
    expect(await values(x.at(0, tensor([[2, 0]], { dtype: 'int32' }), 0))).toEqual([[8, 0]]);
    expect(() => x.at(2)).toThrowErrorMatchingInlineSnapshot(`[ShapeError: at: position 2 is not in axis 0 of [2, 3, 4]]`);
    expect(() => x.at(x.gt(3))).toThrowErrorMatchingInlineSnapshot(`[DtypeError: at: an index of dtype bool — the result would have no fixed shape: use where or maskedFill]`);
  });

  test('gather, scatterAdd, oneHot', async () => {
    const index = tensor([[2, 0], [1, 1]], { dtype: 'int32' });
    expect(await values(matrix().gather(1, index))).toEqual([[2, 0], [4, 4]]);
    expect(await values(zeros([2, 3]).scatterAdd(1, index, ones([2, 2])))).toEqual([[1, 0, 1], [0, 2, 0]]);
    expect(await values(matrix().indexSelect(1, tensor([2, 2], { dtype: 'int32' })))).toEqual([[2, 2], [5, 5]]);
    expect(await values(tensor([1, 0], { dtype: 'int32' }).oneHot(3))).toEqual([[0, 1, 0], [1, 0, 0]]);
  });

  test('sorting and triangles', async () => {
    const x = tensor([3, 1, 2]);
    const { values: sorted, indices } = x.sort();
    expect(await values(sorted)).toEqual([1, 2, 3]);
    expect(await values(indices)).toEqual([1, 2, 0]);
    expect(await values(x.topk(2).values)).toEqual([3, 2]);
    expect(await values(ones([3, 3]).tril(-1))).toEqual([[0, 0, 0], [1, 0, 0], [1, 1, 0]]);
    expect(await values(ones([2, 3]).triu(1))).toEqual([[0, 1, 1], [0, 0, 1]]);
    expect(await values(matrix().diagonal())).toEqual([0, 4]);
  });
});

describe('products', () => {
  test('matmul in all its forms', async () => {
    const a = arange(6).reshape(2, 3).to('float32');
    const b = arange(12).reshape(3, 4).to('float32');
    expect(await values(a.matmul(b))).toEqual([[20, 23, 26, 29], [56, 68, 80, 92]]);
    expect(await values(a.matmul(tensor([1, 1, 1])))).toEqual([3, 12]);
    expect(await values(tensor([1, 1]).matmul(a))).toEqual([3, 5, 7]);
    expect(await tensor([1, 2]).dot(tensor([3, 4])).item()).toBe(11);
    expect(zeros([5, 2, 3]).matmul(b).shape).toEqual([5, 2, 4]);
    expect(a.matmul(zeros([5, 3, 4])).shape).toEqual([5, 2, 4]);
    expect(zeros([5, 1, 2, 3]).matmul(zeros([7, 3, 4])).shape).toEqual([5, 7, 2, 4]);
    expect(tensor([1, 2, 3]).matmul(zeros([5, 3, 4])).shape).toEqual([5, 4]);
    const stacked = stack([b, b.mul(2)]);
    expect(await values(a.matmul(stacked).at(1))).toEqual([[40, 46, 52, 58], [112, 136, 160, 184]]);
    expect(() => a.matmul(a)).toThrowErrorMatchingInlineSnapshot(`[ShapeError: matmul: [2, 3] times [2, 3] — the last axis of the first must equal the last but one of the second]`);
    expect(await values(tensor(new Int8Array([100, 100])).dot(tensor(new Int8Array([100, 100]))))).toBe(20000);
  });

  test('einsum', async () => {
    const a = arange(6).reshape(2, 3).to('float32');
    const b = arange(12).reshape(3, 4).to('float32');
    const square = arange(9).reshape(3, 3).to('float32');
    expect(await values(einsum('ij,jk->ik', a, b))).toEqual(await values(a.matmul(b)));
    expect(await values(einsum('ij,jk', a, b))).toEqual(await values(a.matmul(b)));
    expect(await values(einsum('ij->ji', a))).toEqual(await values(a.T));
    expect(await einsum('ii', square).item()).toBe(12);
    expect(await values(einsum('ii->i', square))).toEqual([0, 4, 8]);
    expect(await values(einsum('ij->j', a))).toEqual([3, 5, 7]);
    expect(await values(einsum('ij,ij->i', a, a))).toEqual([5, 50]);
    expect(await values(einsum('i,j->ij', tensor([1, 2]), tensor([3, 4])))).toEqual([[3, 4], [6, 8]]);
    expect(await values(einsum('ij,jk,kl->il', a, b, ones([4, 2])))).toEqual([[98, 98], [296, 296]]);
    expect(einsum('...ij,...jk->...ik', zeros([5, 1, 2, 3]), zeros([4, 3, 6])).shape).toEqual([5, 4, 2, 6]);
    expect(await values(einsum('b i , b -> i', a, tensor([1, 10])))).toEqual([30, 41, 52]);
    expect(() => einsum('ij,jk->ik', a, a)).toThrowErrorMatchingInlineSnapshot(`[ShapeError: einsum: axis "j" of "ij,jk->ik" has sizes 3 and 2 in [2, 3], [2, 3]]`);
    expect(() => einsum('ij->ik', a)).toThrowErrorMatchingInlineSnapshot(`[UserError: einsum: the output of "ij->ik" has an axis "k" of no operand]`);
  });
});

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
