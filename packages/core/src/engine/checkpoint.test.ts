// checkpoint: same gradients, computed again after the cotangent, random draws reused, nothing assigned twice.
import { beforeEach, expect, test } from 'vitest';
import { postorder } from '../graph/order.ts';
import { random } from '../random/stream.ts';
import { tensor } from '../tensor/create.ts';
import { readAll, type Tensor } from '../tensor/tensor.ts';
import { checkpoint } from './checkpoint.ts';
import { grad } from './differentiate.ts';
import { variable } from './variable.ts';

beforeEach(() => random.manualSeed(3));

function setup(): { block: (x: Tensor) => Tensor; weight: ReturnType<typeof variable>; count: ReturnType<typeof variable> } {
  const weight = variable(new Float64Array([0.5, -0.3]), { shape: [2], dtype: 'float64', name: 'weight' });
  const count = variable(new Float64Array([0]), { shape: [1], dtype: 'float64', name: 'count' });
  const block = (x: Tensor): Tensor => {
    count.assign(count.value.add(1));
    const noise = random.stream('noise').uniform([2], { dtype: 'float64' });
    return x.mul(weight.value).tanh().mul(noise).exp().add(count.value);
  };
  return { block, weight, count };
}

async function gradients(wrap: boolean): Promise<number[][]> {
  random.manualSeed(3);
  const { block, weight, count } = setup();
  const x = tensor(new Float64Array([1, 2]));
  const run = wrap ? checkpoint(block) : block;
  const loss = run(run(x)).square().sum();
  const slopes = grad(loss, [x, weight]);
  const values = await readAll([loss, ...slopes, count.value]);
  return values.map((own) => [...own]);
}

test('gradients are those of the plain function; counters count once', async () => {
  const plain = await gradients(false);
  expect(await gradients(true)).toEqual(plain.map((values) => values.map((v) => expect.closeTo(v, 10))));
  expect(plain.at(-1)).toEqual([2]);
  expect(await random.stream('noise').counter.item()).toBe(4);
});

test('checkpoints nest', async () => {
  const w = variable(new Float64Array([0.4]), { shape: [1], dtype: 'float64' });
  const inner = (x: Tensor): Tensor => x.mul(w.value).add(random.stream('noise').uniform([1], { dtype: 'float64' })).sin();
  const slope = async (wrap: (fn: (x: Tensor) => Tensor) => (x: Tensor) => Tensor): Promise<number | undefined> => {
    random.manualSeed(3);
    const block = wrap((x) => wrap(inner)(inner(x)).mul(w.value));
    return await grad(block(tensor(new Float64Array([1.5]))).sum(), [w])[0]?.item();
  };
  expect(await slope(checkpoint)).toBeCloseTo((await slope((fn) => fn)) ?? NaN, 12);
});

test('recomputed nodes have regions of their own and wait for the cotangent', () => {
  const block = checkpoint((x: Tensor) => x.sin().exp());
  const x = tensor([1, 2]);
  const [slope] = grad(block(x).square().sum(), [x]);
  const recomputed = postorder([slope?.node ?? x.node]).filter((node) => node.region !== 0 && node.op === 'sin');
  expect(recomputed).toHaveLength(1);
  expect(postorder(recomputed).some((node) => node.op === 'sum' || node.op === 'mul')).toBe(true);
});

test('second derivatives pass through', async () => {
  const x = tensor(new Float64Array([0.7]));
  const second = (fn: (x: Tensor) => Tensor): Tensor | undefined => {
    const [first] = grad(fn(x).sum(), [x]);
    return grad((first ?? x).sum(), [x])[0];
  };
  const cube = (y: Tensor): Tensor => y.mul(y).mul(y.sin());
  expect(await second(checkpoint(cube))?.item()).toBeCloseTo((await second(cube)?.item()) ?? NaN, 10);
});
