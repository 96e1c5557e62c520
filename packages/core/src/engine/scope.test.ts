// Scopes and device memory: what is freed when, and what using it afterwards says.
import { expect, test } from 'vitest';
import { full } from '../tensor/create.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { compile } from './compile.ts';
import { memory, scope } from './scope.ts';
import { variable } from './variable.ts';

const large = (): Tensor => full([200, 200], 1).exp();

test('a scope frees what was realized in it, but for its result', async () => {
  const before = memory().owned;
  let inner: Tensor | undefined;
  const kept = await scope(async () => {
    inner = await large().realize();
    return await large().add(1).realize();
  });
  expect(memory().owned - before).toBe(160_000);
  expect((await kept.data())[0]).toBeCloseTo(Math.E + 1, 5);
  await expect(inner?.data()).rejects.toThrowErrorMatchingInlineSnapshot(`[UserError: a tensor made by exp float32 [200, 200] is used after it was disposed of — return it from its scope, or dispose of it later]`);
  kept.dispose();
  expect(memory().owned).toBe(before);
});

test('using disposes at the end of a block', async () => {
  const before = memory().owned;
  {
    using x = await large().realize();
    expect(memory().owned - before).toBe(160_000);
    expect(x.shape).toEqual([200, 200]);
  }
  expect(memory().owned).toBe(before);
});

test('results of compiled functions belong to the scope', () => {
  const grow = compile((x: Tensor) => x.add(1), { name: 'grow' });
  grow(large()).dispose();
  const before = memory().owned;
  let last: Tensor | undefined;
  scope(() => {
    for (let i = 0; i < 5; i++) last = grow(full([200, 200], i));
  });
  expect(memory().owned).toBe(before);
  expect(() => last?.add(1).add(grow(full([200, 200], 0)))).not.toThrow();
  expect(() => grow(last as Tensor)).toThrowErrorMatchingInlineSnapshot(`[UserError: a result of compiled function grow float32 [200, 200] is used after it was disposed of — return it from its scope, or dispose of it later]`);
});

test('a scope computes waiting assignments, also after an error frees what it made', async () => {
  const v = variable(Float32Array.of(1), { shape: [], dtype: 'float32' });
  scope(() => v.assign(v.value.add(1)));
  expect(memory().waiting).toBe(0);
  expect(await v.item()).toBe(2);
  const before = memory().owned;
  await expect(
    scope(async () => {
      await large().realize();
      throw new Error('stop');
    }),
  ).rejects.toThrow('stop');
  expect(memory().owned).toBe(before);
});

test('small values live on the host', async () => {
  const before = memory().owned;
  const x = await full([10], 2).exp().realize();
  expect(memory().owned).toBe(before);
  expect(x.node.op).toBe('data');
});
