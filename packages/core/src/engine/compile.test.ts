// Compiled functions: the same numbers as plain ones, one program per kind of arguments, and every trap named.
import { beforeEach, describe, expect, test } from 'vitest';
import { Module } from '../nn/module.ts';
import { Buffer, Parameter } from '../nn/parameter.ts';
import { Adam } from '../nn/optim/adam.ts';
import { SGD } from '../nn/optim/sgd.ts';
import { random } from '../random/stream.ts';
import type { Operand } from '../tensor/base.ts';
import { tensor, zeros } from '../tensor/create.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { compile } from './compile.ts';
import { planCount } from './plans.ts';
import { currentBackend } from './state.ts';
import { Variable, variable } from './variable.ts';

beforeEach(() => random.manualSeed(7));

const compiledCount = (): number => planCount(currentBackend()).compiled;
const scalar = (value: number, name = 'v'): Variable => variable(Float32Array.of(value), { shape: [], dtype: 'float32', name });

/** A small network with everything that can go wrong: parameters, running statistics, noise, modes. */
class Net extends Module {
  readonly weight = new Parameter({ shape: [3, 2], initial: random.stream('init').hostNormal([3, 2]) });
  readonly mean = new Buffer({ shape: [2] });

  override forward(x: Tensor): Tensor {
    const y = x.matmul(this.weight.value);
    if (!this.training) return y.sub(this.mean.value);
    this.mean.assign(this.mean.value.mul(0.9).add(y.mean(0).detach().mul(0.1)));
    return y.add(random.stream('noise').normal(y.shape).mul(0.01));
  }
}

async function train(compiled: boolean): Promise<number[]> {
  random.manualSeed(7);
  const net = new Net();
  const optimizer = new Adam(net.parameters(), { lr: 0.05 });
  const plain = (x: Tensor, y: Tensor, scale: Operand): Tensor => {
    const loss = net.forward(x).sub(y).square().mean().mul(scale);
    optimizer.step(loss);
    return loss;
  };
  const step = compiled ? compile(plain, { checkEveryCall: true }) : plain;
  const evaluate = (x: Tensor): Tensor => net.forward(x).sum();
  const score = compiled ? compile(evaluate, { checkEveryCall: true }) : evaluate;
  const out: number[] = [];
  for (let i = 0; i < 6; i++) {
    const batch = i === 3 ? 5 : 4;
    const x = random.stream('data').normal([batch, 3]);
    optimizer.lr = 0.05 / (i + 1);
    net.train();
    out.push(await step(x, zeros([batch, 2]), 1 + i).item());
    net.eval();
    out.push(await score(x).item());
  }
  out.push(...(await net.weight.data()), ...(await net.mean.data()));
  return out;
}

test('compiled = plain, through modes, learning rates, an odd batch and noise', async () => {
  const plain = await train(false);
  const compiled = await train(true);
  expect(compiled).toEqual(plain.map((v) => expect.closeTo(v, 4)));
  expect(plain.every(Number.isFinite)).toBe(true);
});

test('numbers and learning rates compile nothing', async () => {
  const w = scalar(1);
  const optimizer = new SGD([w], { lr: 0.1 });
  const step = compile((scale: Operand) => {
    const loss = w.value.square().mul(scale);
    optimizer.step(loss);
    return loss;
  });
  await step(1).item();
  const before = compiledCount();
  for (let i = 0; i < 5; i++) {
    optimizer.lr = 0.01 * i;
    await step(i).item();
  }
  expect(compiledCount()).toBe(before);
});

test('trees go in and out', async () => {
  const swap = compile(({ a, list }: { a: Tensor; list: [Tensor, boolean, string] }) => ({
    first: list[0].add(1),
    rest: [a, list[1] ? a.neg() : a, { same: a, text: list[2] }] as const,
  }));
  const [a, b] = [tensor([1, 2]), tensor([3])];
  for (const flag of [true, false, true]) {
    const { first, rest } = swap({ a, list: [b, flag, 'x'] });
    expect(await first.toArray()).toEqual([4]);
    expect(await rest[1].toArray()).toEqual(flag ? [-1, -2] : [1, 2]);
    expect(rest[2].text).toBe('x');
    expect(await rest[2].same.toArray()).toEqual([1, 2]);
  }
});

test('tensors of the outside keep the value that they had', async () => {
  const v = scalar(2);
  const doubled = v.value.mul(2);
  const bump = compile(() => {
    v.assign(v.value.add(1));
    return doubled.add(v.value);
  });
  expect(await bump().item()).toBe(7);
  expect(await bump().item()).toBe(8);
  expect(await bump().item()).toBe(9);
});

test('large results stay on the device and can be passed on', async () => {
  const grow = compile((x: Tensor) => x.add(1));
  let x = zeros([200, 200]);
  for (let i = 0; i < 4; i++) x = grow(x);
  expect(x.node.op).toBe('read');
  expect((await x.data())[39_999]).toBe(4);
});

test('an exception undoes assignments and draws', async () => {
  const v = scalar(1);
  let fail = true;
  const step = compile(() => {
    v.assign(v.value.add(1));
    const noise = random.stream('noise').uniform([]);
    if (fail) throw new Error('in the middle');
    return noise;
  });
  expect(() => step()).toThrow('in the middle');
  expect(await v.item()).toBe(1);
  fail = false;
  const noise = await step().item();
  random.manualSeed(7);
  expect(await random.stream('noise').uniform([]).item()).toBe(noise);
  expect(await v.item()).toBe(2);
});

test('compiled functions inside others are inlined', async () => {
  const inner = compile((x: Tensor) => x.mul(2));
  const outer = compile((x: Tensor) => inner(x).add(1));
  expect(await outer(tensor(3)).item()).toBe(7);
});

test('a scalar and a Variable can be passed through', async () => {
  const v = scalar(5);
  const pass = compile((x: Tensor) => [x, v.value, x] as const);
  const [a, b, c] = pass(tensor(1));
  expect([await a.item(), await b.item(), await c.item()]).toEqual([1, 5, 1]);
});

describe('mistakes', () => {
  test('reading a value inside', async () => {
    let reading: Promise<number> | undefined;
    const peek = compile((x: Tensor) => {
      reading = x.sum().item();
      return x;
    }, { name: 'peek' });
    expect(() => peek(tensor([1]))).toThrow('data() inside compiled function peek');
    await expect(reading).rejects.toThrowErrorMatchingInlineSnapshot(`[UserError: data() inside compiled function peek: a traced function has no values yet — return the tensor and read it outside]`);
  });

  test('making a Variable inside', () => {
    expect(() => compile(() => new Variable({ shape: [] }).value, { name: 'make' })()).toThrowErrorMatchingInlineSnapshot(`[UserError: variable is made inside compiled function make: a Variable made at each call would never keep its value — make it before]`);
  });

  test('a tensor used as a number', () => {
    const branch = compile((x: Tensor) => (Number(x) > 0 ? x : x.neg()), { name: 'branch' });
    expect(() => branch(tensor(1))).toThrowErrorMatchingInlineSnapshot(`[UserError: a tensor float32 [] is used as a number — use its methods (a.add(b), a.lt(b)), or await item()]`);
  });

  test('a host value that changes', () => {
    let factor = 2;
    class Scaler extends Module {
      override forward(x: Tensor): Tensor {
        return x.mul(factor);
      }
    }
    class Outer extends Module {
      readonly scaler = new Scaler();
      override forward(x: Tensor): Tensor {
        return this.scaler.forward(x.exp());
      }
    }
    const net = new Outer();
    const scale = compile((x: Tensor) => net.forward(x), { name: 'scale' });
    scale(tensor(1));
    factor = 3;
    expect(() => scale(tensor(1))).toThrowErrorMatchingInlineSnapshot(`[UserError: compiled function scale makes another graph than when it was traced: the number 3, used by mul in module scaler now, the number 2 before — pass what changes as an argument, or keep it in a Variable]`);
  });

  test('a host array that changes', () => {
    let calls = 0;
    const shift = compile((x: Tensor) => x.add(tensor([calls++, 1])), { name: 'shift' });
    shift(tensor([1, 2]));
    expect(() => shift(tensor([1, 2]))).toThrowErrorMatchingInlineSnapshot(`[UserError: compiled function shift makes another graph than when it was traced: the values of data float32 [2], used by add have changed — pass what changes as an argument, or keep it in a Variable]`);
  });

  test('another Variable', () => {
    const all = [scalar(1, 'first'), scalar(2, 'second')];
    let calls = 0;
    const pick = compile(() => (all[calls++] as Variable).value.mul(2), { name: 'pick' });
    pick();
    expect(() => pick()).toThrowErrorMatchingInlineSnapshot(`[UserError: compiled function pick makes another graph than when it was traced: second takes the place of first — pass what changes as an argument, or keep it in a Variable]`);
  });

  test('another structure, another result', () => {
    let calls = 0;
    const deepen = compile((x: Tensor) => (calls++ === 0 ? x.exp() : x.exp().neg()), { name: 'deepen' });
    deepen(tensor(1));
    expect(() => deepen(tensor(1))).toThrowErrorMatchingInlineSnapshot(`[UserError: compiled function deepen makes another graph than when it was traced: neg float32 [] now, nothing before — pass what changes as an argument, or keep it in a Variable]`);
    const count = compile((x: Tensor) => [x, calls++] as const, { name: 'count' });
    count(tensor(1));
    expect(() => count(tensor(1))).toThrowErrorMatchingInlineSnapshot(`[UserError: compiled function count makes another graph than when it was traced: it returns 3 now, 2 before — pass what changes as an argument, or keep it in a Variable]`);
  });

  test('unsuitable arguments and results', () => {
    const id = compile((x: unknown) => x, { name: 'id' });
    expect(() => id(new Float32Array(2))).toThrowErrorMatchingInlineSnapshot(`[UserError: compiled function id: a value of type Float32Array cannot be passed — make it a tensor]`);
    expect(() => id(scalar(1))).toThrowErrorMatchingInlineSnapshot(`[UserError: compiled function id: a value of type Variable cannot be passed — pass tensors, numbers, booleans and strings, in arrays and plain objects; use models and optimisers from outside]`);
    expect(() => compile(async () => await Promise.resolve(1), { name: 'later' })()).toThrowErrorMatchingInlineSnapshot(`[UserError: compiled function later is asynchronous — compile a plain function and await its results outside]`);
  });

  test('setting a learning rate inside', () => {
    const w = scalar(1);
    const optimizer = new SGD([w], { lr: 0.1 });
    expect(() => compile(() => (optimizer.lr = 0.2), { name: 'decay' })()).toThrowErrorMatchingInlineSnapshot(`[UserError: lr is set inside compiled function decay, where it would be set once and for all — set it before the call]`);
  });
});

describe('before and beside a run', () => {
  test('cost tells what a call will compute and take, and runs nothing', () => {
    const weight = scalar(3);
    const step = compile((x: Tensor) => {
      const y = x.matmul(x);
      weight.assign(y.sum());
      return y;
    });
    const cost = step.cost(zeros([32, 32]));
    expect(cost.flops).toBe(2 * 32 ** 3 + 32 ** 2);
    expect(cost.inputBytes).toBe(4 * 32 * 32);
    expect(cost.outputBytes).toBe(4 * 32 * 32);
    expect(cost.variableBytes).toBe(4);
    expect(cost.commands.length).toBeGreaterThanOrEqual(cost.kernels);
    expect(weight.version).toBe(0);
  });

  test('cost follows the shapes of the arguments', () => {
    const step = compile((x: Tensor) => x.matmul(x));
    expect(step.cost(zeros([64, 64])).flops).toBe(8 * step.cost(zeros([32, 32])).flops);
  });

  test('a backend that cannot profile says so', async () => {
    const step = compile((x: Tensor) => x.matmul(x));
    await expect(step.profile(zeros([4, 4]))).rejects.toThrow('the backend reference cannot profile');
  });
});
