// For tests and figures: how far our layers are from what PyTorch computed (goldens/normalizations.json).
import { UserError, grad, readAll, tensor, type Dtype, type Tensor } from '@athanor/core';
import { Conv2d, Linear, type TensorModule } from '@athanor/core/nn';
import { BatchNorm } from '../batch/batch.ts';
import { ChannelsFirst } from '../framework/channels-first.ts';
import { LocalResponseNorm } from '../local/local-response.ts';
import { LayerNorm, RMSNorm } from '../sample/last-axes.ts';
import { GroupNorm, InstanceNorm } from '../sample/sample.ts';
import { SpectralNorm } from '../weights/spectral.ts';
import { WeightNorm } from '../weights/weight-norm.ts';
import { inDouble } from './methods.ts';
import { relativeError } from './numbers.ts';

interface Packed {
  readonly shape: readonly number[];
  readonly data: readonly number[];
}

type Named = Readonly<Record<string, Packed>>;

/** A training step (the last of `inputs`) and an evaluation, as PyTorch computed them. */
export interface TorchCase {
  readonly method: string;
  readonly options: Readonly<Record<string, unknown>>;
  readonly state: Named;
  readonly inputs: readonly Packed[];
  readonly output: Packed;
  readonly cotangent: Packed;
  readonly gradients: Named;
  readonly kept: Named;
  readonly evaluated: Packed;
}

/** Largest relative differences of outputs (in training and evaluation), gradients and running statistics. */
export interface Agreement {
  readonly outputs: number;
  readonly gradients: number;
  readonly kept: number;
}

function wrapped(options: TorchCase['options']): Linear | Conv2d {
  const [inputs = 1, outputs = 1, kernel] = options['layer'] as readonly number[];
  return kernel === undefined ? new Linear(inputs, outputs) : new Conv2d(inputs, outputs, kernel, { padding: 1 });
}

function make({ method, options: { channelsFirst, ...options }, inputs: [x] }: TorchCase): TensorModule {
  const features = x?.shape[1] ?? 1;
  const build = (): TensorModule => {
    switch (method) {
      case 'batch':
        return new BatchNorm(features, options);
      case 'layer':
        return new LayerNorm(options['shape'] as readonly number[], options);
      case 'instance':
        return new InstanceNorm(features, options);
      case 'group':
        return new GroupNorm(options['groups'] as number, features, options);
      case 'localResponse':
        return new LocalResponseNorm(options);
      case 'rms':
        return new RMSNorm(options['shape'] as readonly number[], options);
      case 'weight':
        return new WeightNorm(wrapped(options));
      case 'spectral':
        return new SpectralNorm(wrapped(options), options);
      default:
        throw new UserError(`no layer for ${method}`);
    }
  };
  return channelsFirst === true ? new ChannelsFirst(build()) : build();
}

async function worst(pairs: readonly (readonly [ArrayLike<number>, Packed])[]): Promise<number> {
  const errors = await Promise.all(pairs.map(([actual, { data }]) => relativeError(actual, data)));
  return Math.max(0, ...errors);
}

/** Runs a case in float32 or float64. */
export async function agreement(torch: TorchCase, dtype: Dtype): Promise<Agreement> {
  const module = make(torch);
  if (dtype === 'float64') await inDouble(module);
  const prefix = torch.options['channelsFirst'] === true ? 'norm.' : '';
  const state = module.stateDict();
  const leaf = ({ shape, data }: Packed): Tensor => tensor(Float64Array.from(data), { shape, dtype });
  for (const [name, { data }] of Object.entries(torch.state)) {
    const variable = state[prefix + name];
    variable?.assign(tensor(Float64Array.from(data), { shape: variable.shape, dtype: variable.dtype }));
  }
  const inputs = torch.inputs.map(leaf);
  for (const input of inputs.slice(0, -1)) await module.forward(input).data();
  const x = inputs.at(-1) ?? leaf(torch.output);
  const y = module.forward(x);
  const names = Object.keys(torch.gradients).filter((name) => name !== 'x');
  const sources = [x, ...names.map((name) => state[prefix + name]?.value ?? x)];
  const [output = [], ...gradients] = await readAll([y, ...grad(y, sources, { cotangent: leaf(torch.cotangent) })]);
  const kept = await readAll(Object.keys(torch.kept).map((name) => state[prefix + name]?.value ?? x));
  const evaluated = await module.eval().forward(inputs[0] ?? x).data();
  return {
    outputs: await worst([[output, torch.output], [evaluated, torch.evaluated]]),
    gradients: await worst(['x', ...names].map((name, i) => [gradients[i] ?? [], torch.gradients[name] ?? torch.output])),
    kept: await worst(Object.values(torch.kept).map((packed, i) => [kept[i] ?? [], packed])),
  };
}
