// Long runs: deep graphs, many flushes, changing shapes and thrown errors leave nothing behind.
import { expect, test } from 'vitest';
import { SGD } from '../nn/optim/sgd.ts';
import { random } from '../random/stream.ts';
import { fromBuffer, tensor } from '../tensor/create.ts';
import { readAll, type Tensor } from '../tensor/tensor.ts';
import { compile } from './compile.ts';
import { flush, nodeLimit, onWarning } from './flush.ts';
import { grad } from './differentiate.ts';
import { planLimit } from './plans.ts';
import { memory, scope } from './scope.ts';
import { variable } from './variable.ts';

test('a chain of 100,000 operations runs, and its gradient too', async () => {
  const x = tensor(1, { dtype: 'float64' });
  let y = x;
  for (let i = 0; i < 50_000; i++) y = y.mul(0.9999).add(0.0001);
  const [slope = x] = grad(y, [x]);
  const [value, derivative] = await readAll([y, slope]);
  expect(value?.[0]).toBeCloseTo(1, 10);
  expect(derivative?.[0]).toBeCloseTo(0.9999 ** 50_000, 12);
}, 20_000);

test('assignments that nobody looks at are computed when too many nodes wait, with one warning', () => {
  const warnings: string[] = [];
  onWarning((message) => warnings.push(message));
  const v = variable(Float32Array.of(0), { shape: [], dtype: 'float32' });
  for (let i = 0; i < nodeLimit; i++) v.assign(v.value.add(1));
  expect(warnings).toHaveLength(1);
  flush();
});

test('10,000 compiled steps with changing shapes, large results and thrown errors keep memory flat', async () => {
  const w = variable(new Float32Array([1, 1, 1]), { shape: [3], dtype: 'float32', name: 'w' });
  const optimizer = new SGD([w], { lr: 0.001, momentum: 0.5 });
  let fail = false;
  const step = compile((x: Tensor) => {
    const noise = random.stream('noise').uniform(x.shape);
    const loss = x.mul(w.value).add(noise.mul(0.01)).square().mean();
    optimizer.step(loss);
    if (fail) throw new Error('unlucky');
    return { loss, large: loss.to('float64').expand(8200) };
  });
  const run = (i: number): void => {
    optimizer.lr = 0.001 / (1 + i);
    scope(() => {
      step(fromBuffer(new Float32Array(3 * (1 + (i % 2))).fill(0.5), [1 + (i % 2), 3]));
    });
  };
  for (let i = 0; i < 100; i++) run(i);
  const before = memory();
  const heap = heapUsed();
  for (let i = 0; i < 10_000; i++) {
    run(i);
    if (i % 100 !== 0) continue;
    fail = true;
    const odd = fromBuffer(new Float32Array(9).fill(i), [3, 3]);
    expect(() => step(odd)).toThrow('unlucky');
    fail = false;
  }
  expect(memory()).toEqual(before);
  expect(heapUsed() - heap).toBeLessThan(30e6);
  expect(await w.data()).not.toContain(NaN);
}, 20_000);

test('plain steps keep memory and plans flat', async () => {
  const w = variable(new Float32Array([1, 1, 1]), { shape: [3], dtype: 'float32', name: 'w' });
  const optimizer = new SGD([w], { lr: 0.01 });
  const run = async (i: number): Promise<number> => {
    const loss = tensor([i % 5, 1, 2]).mul(w.value).square().sum();
    optimizer.step(loss);
    return await loss.item();
  };
  for (let i = 0; i < 10; i++) await run(i);
  const before = memory();
  for (let i = 0; i < 500; i++) await run(i);
  expect(memory()).toEqual(before);
});

test('plans are bounded', async () => {
  for (let i = 0; i < planLimit + 20; i++) await tensor([1]).mul(i + 0.5).sum().item();
  expect(memory().plans).toBe(planLimit);
});

function heapUsed(): number {
  const { process } = globalThis as unknown as { process?: { memoryUsage(): { heapUsed: number } } };
  return process?.memoryUsage().heapUsed ?? 0;
}
