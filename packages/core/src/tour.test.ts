// A tour of the system: read it from top to bottom.
import { afterAll, expect, test } from 'vitest';
import { checkpoint, compile, currentBackend, grad, memory, random, scope, setBackend, tensor, variable, zeros, type Tensor } from './index.ts';
import { referenceBackend } from './backend/index.ts';
import * as nn from './nn/index.ts';

const before = currentBackend();
afterAll(() => setBackend(before));

test('1. tensors are values that are computed when somebody looks', async () => {
  const x = tensor([[1, 2], [3, 4]]);
  const y = x.mul(2).add(tensor([10, 20])).T; // nothing has been computed yet
  expect(y.shape).toEqual([2, 2]);
  expect(await y.toArray()).toEqual([[12, 16], [24, 28]]);
  expect(await x.sum().item()).toBe(10);
});

test('2. Variables are what changes; reads keep what they saw', async () => {
  const v = variable(Float32Array.of(1), { shape: [], dtype: 'float32', name: 'v' });
  const old = v.value;
  v.assign(old.add(1)); // waits for the next flush
  expect(await old.mul(10).add(v.value).item()).toBe(12); // one program: computes the sum, then writes v
  expect(await v.item()).toBe(2);
});

test('3. gradients are tensors, so they have gradients', async () => {
  const x = tensor(3);
  const [first = x] = grad(x.pow(3), [x]);
  const [second = x] = grad(first, [x]);
  expect([await first.item(), await second.item()]).toEqual([27, 18]);
});

test('4. random numbers come from named streams and depend on seed, name and count only', async () => {
  random.manualSeed(42);
  const noise = await random.stream('noise').normal([3]).data();
  random.manualSeed(42);
  expect(await random.stream('noise').normal([3]).data()).toEqual(noise);
});

/** A spiral is no line: two classes that only a nonlinear network tells apart. */
function spiral(count: number): { x: Tensor; y: Tensor } {
  const label = random.stream('data').integers(0, 2, [count]);
  const turn = random.stream('data').uniform([count]).mul(4);
  const angle = turn.add(label.mul(Math.PI));
  const points = [angle.cos().mul(turn), angle.sin().mul(turn)].map((part) => part.unsqueeze(1));
  return { x: points[0]?.matmul(tensor([[1, 0]])).add(points[1]?.matmul(tensor([[0, 1]])) ?? 0) ?? zeros([count, 2]), y: label };
}

class Classifier extends nn.Module {
  readonly body = new nn.Sequential(new nn.Linear(2, 24), new nn.Tanh(), new nn.Linear(24, 24), new nn.Tanh());
  readonly head = new nn.Linear(24, 2);

  override forward(x: Tensor): Tensor {
    return this.head.forward(this.body.forward(x));
  }
}

test('5. models are classes; a compiled step is one program per call', async () => {
  random.manualSeed(1);
  const model = new Classifier();
  expect(model.namedParameters().map(([path]) => path)).toEqual(['body.0.weight', 'body.0.bias', 'body.2.weight', 'body.2.bias', 'head.weight', 'head.bias']);

  const optimizer = new nn.Adam(model.parameters(), { lr: 0.02 });
  const step = compile((x: Tensor, y: Tensor) => {
    const logits = model.forward(x);
    const loss = nn.functional.crossEntropy(logits, y);
    optimizer.step(loss);
    return { loss, accuracy: logits.argmax(1).eq(y).to('float32').mean() };
  });

  const losses: number[] = [];
  let accuracy = 0;
  for (let i = 0; i < 60; i++) {
    const { x, y } = spiral(64);
    optimizer.lr = i < 40 ? 0.02 : 0.005; // changes no program
    const result = step(x, y);
    losses.push(await result.loss.item());
    accuracy = await result.accuracy.item();
  }
  expect(losses[0]).toBeGreaterThan(0.5);
  expect(losses.at(-1)).toBeLessThan(0.25);
  expect(accuracy).toBeGreaterThan(0.9);
});

test('6. a model knows its layers, their shapes and costs, before anything is computed', () => {
  expect(nn.summary(new Classifier(), [64, 2])).toMatchInlineSnapshot(`
    "layer   kind    output    parameters    MACs
    body.0  Linear  [64, 24]          72   3,072
    body.1  Tanh    [64, 24]           0       0
    body.2  Linear  [64, 24]         600  36,864
    body.3  Tanh    [64, 24]           0       0
    head    Linear  [64, 2]           50   3,072
    total                            722  43,008"
  `);
});

test('7. state is Variables by name; a saved one restores exactly', async () => {
  random.manualSeed(2);
  const model = new Classifier();
  const saved = await nn.snapshot(model.stateDict());
  random.manualSeed(3);
  const other = new Classifier();
  other.loadStateDict(saved);
  const x = tensor([[0.5, -0.5]]);
  expect(await other.forward(x).toArray()).toEqual(await model.forward(x).toArray());
});

test('8. intermediate values can be recomputed instead of kept', async () => {
  const block = (x: Tensor): Tensor => x.sin().exp().tanh();
  const slope = async (fn: (x: Tensor) => Tensor): Promise<unknown> => {
    const x = tensor([0.1, 0.2]);
    const [dx = x] = grad(fn(x).sum(), [x]);
    return await dx.toArray();
  };
  expect(await slope(checkpoint(block))).toEqual(await slope(block));
});

test('9. device memory belongs to modules, scopes and `using`', async () => {
  const { owned } = memory();
  await scope(async () => {
    await zeros([300, 300]).add(1).realize();
    expect(memory().owned).toBe(owned + 360_000);
  });
  expect(memory().owned).toBe(owned);
});

test('10. backends are exchangeable; Variables move along', async () => {
  const v = variable(Float32Array.of(5), { shape: [], dtype: 'float32' });
  expect(await v.value.mul(2).item()).toBe(10);
  setBackend(referenceBackend());
  expect(await v.value.mul(2).item()).toBe(10);
});
