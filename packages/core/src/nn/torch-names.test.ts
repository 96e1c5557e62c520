// PyTorch's state dicts: every name and shape of its modules has a place in ours.
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { Tensor } from '../tensor/tensor.ts';
import * as nn from './index.ts';

/** Stands for batch normalization, which is a package of its own. */
class Norm extends nn.Module {
  readonly weight = new nn.Parameter({ shape: [4] });
  readonly bias = new nn.Parameter({ shape: [4] });
  readonly runningMean = new nn.Buffer({ shape: [4] });
  readonly runningVar = new nn.Buffer({ shape: [4] });

  override forward(x: Tensor): Tensor {
    return x;
  }
}

class Net extends nn.Module {
  readonly lstm = new nn.LSTM(3, 2, { numLayers: 2, bidirectional: true });
  readonly gru = new nn.GRU(3, 2, { numLayers: 2, bias: false });
  readonly attention = new nn.MultiheadAttention(4, 2, { addBiasKv: true });
  readonly separate = new nn.MultiheadAttention(4, 2, { kdim: 3, vdim: 5 });
  readonly features = new nn.Sequential(new nn.Conv2d(3, 4, 3), new Norm(), new nn.Sequential(new nn.Linear(4, 2)));
  readonly embedding = new nn.Embedding(5, 2);
  readonly bilinear = new nn.Bilinear(2, 3, 4);
  readonly step = new nn.LSTMCell(3, 2);

  override forward(x: Tensor): Tensor {
    return x;
  }
}

interface Entry {
  readonly name: string;
  readonly shape: readonly number[];
}

const theirs = JSON.parse(readFileSync(new URL('../../goldens/names.json', import.meta.url), 'utf8')) as Entry[];
const state = (): Record<string, nn.HostTensor> =>
  Object.fromEntries(theirs.map(({ name, shape }, i) => [name, { shape, dtype: 'float32' as const, data: new Float32Array(shape.reduce((a, b) => a * b, 1)).fill(i) }]));

test('names and shapes are those of PyTorch', () => {
  const net = new Net();
  const shapes = net.stateDict();
  const named = Object.entries(nn.torchNames(net)).map(([own, name]) => ({ name, shape: shapes[own]?.shape }));
  const byName = (a: { name: string }, b: { name: string }): number => (a.name < b.name ? -1 : 1);
  expect(named.toSorted(byName)).toEqual(theirs.filter(({ name }) => !name.endsWith('num_batches_tracked')).toSorted(byName));
});

test('a state dict loads', async () => {
  const net = new Net();
  net.loadStateDict(nn.fromTorchState(net, state()));
  const at = theirs.findIndex(({ name }) => name === 'lstm.weight_hh_l1_reverse');
  expect(await net.lstm.cells[3]?.weightHh.data()).toEqual(new Float32Array(16).fill(at));
  expect((await net.attention.outProj.bias?.data())?.[0]).toBe(theirs.findIndex(({ name }) => name === 'attention.out_proj.bias'));
});

test('a single recurrent layer has names without a path', () => {
  expect(Object.values(nn.torchNames(new nn.RNN(1, 1, { bidirectional: true }))).slice(3, 5)).toEqual(['bias_hh_l0', 'weight_ih_l0_reverse']);
});

test('what has no place is reported', () => {
  const net = new nn.Sequential(new nn.Linear(1, 1));
  const saved = nn.fromTorchState(net, { '0.weight': { shape: [1, 1], dtype: 'float32' as const, data: new Float32Array(1) }, '0.num_batches_tracked': { shape: [], dtype: 'int32' as const, data: new Int32Array(1) }, 'head.weight': { shape: [1], dtype: 'float32' as const, data: new Float32Array(1) } });
  expect(() => net.loadStateDict(saved)).toThrowErrorMatchingInlineSnapshot(`
    [UserError: the state does not fit:
      0.bias [1] is missing
      head.weight is not expected — load with { strict: false } to take what has a place]
  `);
});
