// Modules: what they find, how they name it, hooks, modes, replacement.
import { expect, test } from 'vitest';
import { flush } from '../engine/flush.ts';
import { tensor } from '../tensor/create.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { ModuleList, Sequential } from './containers.ts';
import { Module, replace } from './module.ts';
import { Buffer, Parameter } from './parameter.ts';
import { snapshot } from '../engine/statedict.ts';

class Scale extends Module {
  readonly factor: Parameter;
  readonly seen = new Buffer({ shape: [] });

  constructor(factor: number) {
    super();
    this.factor = new Parameter({ shape: [], initial: () => Float32Array.of(factor) });
  }

  override forward(x: Tensor): Tensor {
    if (this.training) this.seen.assign(this.seen.value.add(1));
    return x.mul(this.factor.value);
  }
}

class Net extends Module {
  readonly body = new Sequential(new Scale(2), new Scale(3));
  readonly heads = { left: new Scale(5), list: [new Scale(7)] };
  readonly extra = new ModuleList([new Scale(11)]);
  readonly tied: Scale;

  constructor() {
    super();
    this.tied = this.heads.left;
  }

  override forward(x: Tensor): Tensor {
    return this.tied.forward(this.body.forward(x));
  }
}

test('parameters and buffers are found and named by path, shared ones once', () => {
  const net = new Net();
  expect(net.namedParameters().map(([path]) => path)).toEqual(['body.0.factor', 'body.1.factor', 'heads.left.factor', 'heads.list.0.factor', 'extra.0.factor']);
  expect(net.namedBuffers().map(([path]) => path)).toContain('heads.list.0.seen');
  expect(net.namedModules().map(([path]) => path)).toEqual(['', 'body', 'body.0', 'body.1', 'heads.left', 'heads.list.0', 'extra', 'extra.0']);
  expect(net.parameters()[0]?.name).toBe('body.0.factor');
});

test('nodes record the module that made them', () => {
  const net = new Net();
  const y = net.forward(tensor([1]));
  expect(y.node.module).toBe('heads.left');
  expect(y.node.inputs[0]?.module).toBe('body.1');
});

test('train and eval reach everything below', async () => {
  const net = new Net();
  expect(await net.forward(tensor(1)).item()).toBe(30);
  net.eval();
  net.forward(tensor(1));
  flush();
  expect(await net.heads.left.seen.item()).toBe(1);
  expect(net.extra.at(0)?.training).toBe(false);
});

test('hooks may change inputs and outputs and can be removed', async () => {
  const scale = new Scale(2);
  const removeFirst = scale.registerForwardPreHook((_, [x]) => [(x as Tensor).add(1)]);
  const removeSecond = scale.registerForwardHook((_module, _inputs, output) => (output as Tensor).neg());
  expect(await scale.forward(tensor(3)).item()).toBe(-8);
  removeFirst();
  removeSecond();
  expect(await scale.forward(tensor(3)).item()).toBe(6);
});

test('state survives a round trip, and a wrong one changes nothing', async () => {
  const net = new Net();
  const saved = await snapshot(net.stateDict());
  const other = new Net();
  other.body.at(0)?.stateDict()['factor']?.assign(100);
  other.loadStateDict(saved);
  expect(await other.forward(tensor(1)).item()).toBe(30);
  const { ['body.0.factor']: _missing, ...rest } = saved;
  const wrong = { ...rest, 'body.1.factor': { shape: [2], dtype: 'float32' as const, data: new Float32Array(2) }, alien: saved['heads.left.seen'] ?? tensor(0) };
  expect(() => other.loadStateDict(wrong)).toThrowErrorMatchingInlineSnapshot(`
    [UserError: the state does not fit:
      body.0.factor [] is missing
      body.1.factor is float32 [] here, but float32 [2] in what is loaded
      alien is not expected — load with { strict: false } to take what has a place]
  `);
});

test('layers are replaced by path and keep their mode', async () => {
  const net = new Net().eval();
  const paths = replace(net, (module, path) => module instanceof Scale && path.startsWith('body'), () => new Scale(1));
  expect(paths).toEqual(['body.0', 'body.1']);
  expect(await net.forward(tensor(1)).item()).toBe(5);
  expect(net.body.at(0)?.training).toBe(false);
});

test('a parameter that no field leads to is an error', () => {
  const hidden = new Parameter({ name: 'secret', shape: [] });
  class Leaky extends Module {
    override forward(x: Tensor): Tensor {
      return x.mul(hidden.value);
    }
  }
  expect(() => new Leaky().forward(tensor(1))).toThrowErrorMatchingInlineSnapshot(`[UserError: the model reads secret [], which is not among its parameters: optimisers and checkpoints would miss it — keep it in a public field, an array or a plain object of the module]`);
});

test('errors name the module', () => {
  class Adder extends Module {
    override forward(x: Tensor): Tensor {
      return x.add(tensor([1, 2, 3]));
    }
  }
  class Outer extends Module {
    readonly inner = new Adder();
    override forward(x: Tensor): Tensor {
      return this.inner.forward(x.matmul(x));
    }
  }
  expect(() => new Outer().forward(tensor([[1, 2], [3, 4]]))).toThrowErrorMatchingInlineSnapshot(`[ShapeError: add (in module inner): cannot broadcast [2, 2] with [3] — sizes 2 and 3 of axis -1 must be equal, or one of them 1]`);
});
