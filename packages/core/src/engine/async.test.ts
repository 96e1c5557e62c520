// Asynchronous backends: runs queue in order, values on their way can be passed on, errors surface at the next read.
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Backend, Binding, Executable, Memory } from '../backend/backend.ts';
import type { Dtype, TypedArray } from '../dtype.ts';
import { UserError } from '../errors.ts';
import { SGD } from '../nn/optim/sgd.ts';
import { referenceBackend } from '../reference/backend.ts';
import { random } from '../random/stream.ts';
import { full, tensor } from '../tensor/create.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { compile } from './compile.ts';
import { memory } from './scope.ts';
import { currentBackend, setBackend } from './state.ts';
import { variable } from './variable.ts';

const log: string[] = [];

/** The reference, with every run and read finishing later. */
function slowBackend(): Backend {
  const inner = referenceBackend();
  const later = async (): Promise<void> => await new Promise((done) => setTimeout(done, 1));
  const slow = {
    async run(executable: Executable, binding: Binding): Promise<void> {
      log.push('start');
      await later();
      inner.run(executable, binding);
      log.push('end');
    },
    async read(from: Memory, dtype: Dtype, elements: number): Promise<TypedArray> {
      await later();
      return await inner.read(from, dtype, elements);
    },
  };
  return Object.assign(Object.create(inner) as Backend, {
    ...slow,
    allocate: inner.allocate.bind(inner),
    free: inner.free.bind(inner),
    write: inner.write.bind(inner),
    compile: inner.compile.bind(inner),
    memory: inner.memory.bind(inner),
    dispose: inner.dispose.bind(inner),
  });
}

const before = currentBackend();
beforeAll(() => setBackend(slowBackend()));
afterAll(() => setBackend(before));

test('steps queue in order without being awaited', async () => {
  log.length = 0;
  const w = variable(Float64Array.of(1), { shape: [1], dtype: 'float64', name: 'w' });
  const optimizer = new SGD([w], { lr: 0.1 });
  const step = compile(() => {
    const loss = w.value.square().sum();
    optimizer.step(loss);
    return loss;
  });
  const losses = Array.from({ length: 4 }, (_, i) => {
    optimizer.lr = i < 2 ? 0.1 : 0.2;
    return step();
  });
  const rates = [0.1, 0.1, 0.2].map(Math.fround);
  const expected = rates.reduce((values, rate) => [...values, (values.at(-1) ?? 1) * (1 - 2 * rate)], [1]);
  const values = await Promise.all(losses.map(async (loss) => await loss.item()));
  expect(values).toEqual(expected.map((v) => expect.closeTo(v * v, 10)));
  expect(log.join(' ')).toBe(Array.from({ length: 4 }, () => 'start end').join(' '));
});

test('results on their way can be arguments, operands and captured values', async () => {
  const increment = compile((x: Tensor) => x.add(1));
  const twice = increment(increment(tensor([1, 2])));
  expect(await twice.mul(10).toArray()).toEqual([30, 40]);
  const captured = increment(tensor([5, 5]));
  const addCaptured = compile((x: Tensor) => x.add(captured));
  expect(await addCaptured(tensor([1, 1])).toArray()).toEqual([7, 7]);
});

test('random draws, realized tensors and memory behave as elsewhere', async () => {
  const { owned } = memory();
  const large = await random.stream('slow').uniform([20_000]).realize();
  expect(memory().owned).toBeGreaterThan(owned);
  expect((await large.add(1).max().item())).toBeLessThan(2);
  large.dispose();
  await full([1], 1).item();
  expect(memory().owned).toBeLessThan(owned + 1000);
});

test('a failure surfaces at the next read, once', async () => {
  const bad = tensor([1, 2]).gather(0, tensor([7], { dtype: 'int32' }));
  await expect(bad.data()).rejects.toBeInstanceOf(UserError);
  await expect(tensor([1]).add(1).item()).resolves.toBe(2);
});

test('a Variable cannot leave a backend that cannot be read at once', async () => {
  const v = variable(Float32Array.of(1), { shape: [], dtype: 'float32', name: 'v' });
  await v.value.add(1).item();
  const slow = currentBackend();
  setBackend(before);
  await expect(v.value.add(1).item()).rejects.toThrowErrorMatchingInlineSnapshot(`[UserError: v lives on backend reference, which cannot be read at once — choose the backend before making the model]`);
  setBackend(slow);
  expect(await v.value.add(1).item()).toBe(2);
});
