// Optimisers against their formulas written out, and their bookkeeping.
import { expect, test } from 'vitest';
import { variable, type Variable } from '../../engine/variable.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { snapshot } from '../../engine/statedict.ts';
import { Adam, AdamW } from './adam.ts';
import { EMA } from './ema.ts';
import type { Optimizer } from './optimizer.ts';
import { SGD } from './sgd.ts';

const weights = (name = 'w'): Variable => variable(new Float64Array([1, -2]), { shape: [2], dtype: 'float64', name });
const lossOf = (w: Variable): Tensor => w.value.square().sum();

async function run(make: (w: Variable) => Optimizer, steps = 4): Promise<number> {
  const w = weights();
  const optimizer = make(w);
  for (let i = 0; i < steps; i++) optimizer.step(lossOf(w));
  return (await w.data())[0] ?? NaN;
}

/** The same on one number. */
function byHand(update: (θ: number, g: number, t: number) => number, steps = 4): number {
  let θ = 1;
  for (let t = 1; t <= steps; t++) θ = update(θ, 2 * θ, t);
  return θ;
}

const lr = Math.fround(0.1);

test('SGD', async () => {
  expect(await run((w) => new SGD([w], { lr: 0.1 }))).toBeCloseTo(byHand((θ, g) => θ - lr * g), 12);
  let b = 0;
  const momentum = byHand((θ, g) => θ - lr * (b = 0.9 * b + g + 0.01 * θ));
  expect(await run((w) => new SGD([w], { lr: 0.1, momentum: 0.9, weightDecay: 0.01 }))).toBeCloseTo(momentum, 12);
  b = 0;
  const nesterov = byHand((θ, g) => {
    b = 0.9 * b + g;
    return θ - lr * (g + 0.9 * b);
  });
  expect(await run((w) => new SGD([w], { lr: 0.1, momentum: 0.9, nesterov: true }))).toBeCloseTo(nesterov, 12);
});

test('Adam and AdamW', async () => {
  const adam = (decoupled: number): number => {
    let [m, v] = [0, 0];
    return byHand((θ, g, t) => {
      m = 0.9 * m + 0.1 * g;
      v = 0.999 * v + 0.001 * g * g;
      return θ * (1 - lr * decoupled) - (lr * (m / (1 - 0.9 ** t))) / (Math.sqrt(v / (1 - 0.999 ** t)) + 1e-8);
    });
  };
  expect(await run((w) => new Adam([w], { lr: 0.1 }))).toBeCloseTo(adam(0), 10);
  expect(await run((w) => new AdamW([w], { lr: 0.1 }))).toBeCloseTo(adam(0.01), 10);
});

test('groups have their own decay and rate', async () => {
  const [a, b] = [weights('a'), weights('b')];
  const optimizer = new SGD([{ parameters: [a], weightDecay: 0.5 }, { parameters: [b], lrScale: 0.1 }], { lr: 0.1 });
  optimizer.step(lossOf(a).add(lossOf(b)));
  expect((await a.data())[0]).toBeCloseTo(1 - lr * 2.5, 12);
  expect((await b.data())[0]).toBeCloseTo(1 - 0.1 * lr * 2, 7);
});

test('the learning rate can change', async () => {
  const w = weights();
  const optimizer = new SGD([w], { lr: 0.1 });
  optimizer.step(lossOf(w));
  optimizer.lr = 0;
  optimizer.step(lossOf(w));
  expect((await w.data())[0]).toBeCloseTo(1 - lr * 2, 12);
});

test('a restored optimiser goes on as if nothing had happened', async () => {
  const w = weights();
  const optimizer = new Adam([w], { lr: 0.1 });
  for (let i = 0; i < 3; i++) optimizer.step(lossOf(w));
  const saved = await snapshot({ ...optimizer.stateDict(), w });
  expect(Object.keys(saved)).toEqual(['lr', 'step', 'm.w', 'v.w', 'w']);
  const again = weights();
  const other = new Adam([again], { lr: 7 });
  other.loadStateDict(saved, { strict: false });
  again.assign(saved['w']?.data ?? 0);
  expect(other.lr).toBe(lr);
  optimizer.step(lossOf(w));
  other.step(lossOf(again));
  expect(await again.data()).toEqual(await w.data());
});

test('a parameter that the loss never reads is an error naming it', () => {
  const [a, b] = [weights('a'), weights('layer.b')];
  const optimizer = new SGD([a, b], { lr: 0.1 });
  expect(() => optimizer.step(lossOf(a))).toThrowErrorMatchingInlineSnapshot(`[UserError: SGD: the loss does not depend on layer.b — leave unused parameters out, or step with { allowUnused: true }]`);
  expect(() => optimizer.step(lossOf(a), { allowUnused: true })).not.toThrow();
});

test('the loss stays readable after the step', async () => {
  const w = weights();
  const optimizer = new SGD([w], { lr: 0.1 });
  const loss = lossOf(w);
  optimizer.step(loss);
  const after = lossOf(w);
  expect(await loss.item()).toBe(5);
  expect(await after.item()).toBeCloseTo(5 * (1 - 2 * lr) ** 2, 10);
});

test('several optimisers step on one loss, together with an average, in one flush', async () => {
  const [a, b] = [weights('a'), weights('b')];
  const [first, second] = [new SGD([a], { lr: 0.1 }), new Adam([b], { lr: 0.1 })];
  const average = new EMA([a], { decay: 0.5 });
  const loss = a.value.mul(b.value).square().sum();
  first.step(loss);
  second.step(loss);
  average.update();
  const moved = 1 - lr * 2;
  expect((await average.stateDict()['a']?.data())?.[0]).toBeCloseTo((1 + moved) / 2, 12);
  expect((await a.data())[0]).toBeCloseTo(moved, 12);
  expect((await b.data())[0]).toBeCloseTo(1 - lr, 6);
});

test('mistakes are named', () => {
  expect(() => new SGD([], { lr: 0.1 })).toThrowErrorMatchingInlineSnapshot(`[UserError: an optimiser without parameters — pass model.parameters()]`);
  expect(() => new SGD([weights()], { lr: -1 })).toThrowErrorMatchingInlineSnapshot(`[UserError: lr is -1 — give a number from 0]`);
  const w = weights();
  expect(() => new SGD([w, w], { lr: 1 })).toThrowErrorMatchingInlineSnapshot(`[UserError: w is given to the optimiser twice]`);
  expect(() => new SGD([w], { lr: 1 }).step(w.value)).toThrowErrorMatchingInlineSnapshot(`[ShapeError: the gradient of an output of shape [2] needs a cotangent — sum it or take its mean, or pass { cotangent }]`);
});
