// For tests and figures: every registered method by name, as a module of one input that is ready to run on each layout.
import { fromBuffer, tensor, type Tensor } from '@athanor/core';
import { Buffer, Conv2d, Linear, Module, Parameter, type TensorModule } from '@athanor/core/nn';
import { Registry } from '@athanor/core/plugin';
import plugin from '../plugin.ts';
import { reparametrizationOf } from '../weights/as-norm.ts';
import { randomTensor } from './numbers.ts';

/** The layouts of inputs, all of 8 channels. */
export const layouts = { features: [6, 8], sequences: [4, 5, 8], images: [4, 8, 3, 4] } as const satisfies Record<string, readonly number[]>;
export type LayoutName = keyof typeof layouts;

const registry = new Registry([plugin]);
const channels = 8;

/** The names of all methods of kind `norm`, `none` left out. */
export const methodNames: readonly string[] = registry.list('norm').flatMap(({ component }) => (component.name === 'none' ? [] : [component.name]));

/** What configs must name, and small sizes where the defaults are for more channels. */
const configs: Readonly<Record<string, object>> = {
  'ghost-batch': { samples: 3 },
  eval: { samples: 2 },
  'cross-mini-batch': { miniBatches: 2 },
  'virtual-batch': { reference: 2 },
  'synchronized-batch': { replicas: 2 },
  'recurrent-batch': { steps: 5 },
  decorrelated: { groupSize: 2 },
  iterative: { groupSize: 2 },
  group: { groups: 2 },
  'evo-s0': { groups: 2 },
  'film-group': { groups: 2, condition: 3 },
  'adaptive-layer': { condition: 3 },
  'conditional-instance': { styles: 2 },
};

/** Methods whose statistics are over positions, which [N, C] has not. */
const needPositions = new Set(['instance', 'conditional-instance', 'adaptive-instance']);

/** The layouts on which a method is defined. */
export function layoutsOf(name: string): LayoutName[] {
  const all = Object.keys(layouts) as LayoutName[];
  return all.filter((layout) => layout !== 'features' || !needPositions.has(name));
}

/** What a conditional method is told about the samples of an input. */
function conditionFor(name: string, x: Tensor): Tensor | undefined {
  const [samples = 0] = x.shape;
  const first = (rows: Tensor): Tensor => rows.narrow(0, 0, samples);
  switch (name) {
    case 'conditional-instance':
      return tensor(Int32Array.from({ length: samples }, (_, i) => i % 2), { dtype: 'int32' });
    case 'adaptive-instance':
      return first(randomTensor([8, ...x.shape.slice(1)], 41, { dtype: x.dtype, scale: 2, shift: 1 }));
    case 'film-group':
    case 'adaptive-layer':
      return first(randomTensor([8, 3], 42, { dtype: x.dtype }));
    default:
      return undefined;
  }
}

/** A normalization that is given the condition that belongs to its input. */
class Conditioned extends Module {
  readonly norm: Module & { forward(x: Tensor, condition?: Tensor): Tensor };
  readonly name: string;

  constructor(name: string, norm: TensorModule) {
    super();
    this.name = name;
    this.norm = norm;
  }

  override forward(x: Tensor): Tensor {
    return this.norm.forward(x, conditionFor(this.name, x));
  }
}

/** A method's module for 8 channels; methods of weights stand around a layer of 8 → 8 channels. `more` is config. */
export function makeMethod(name: string, layout: LayoutName, more: object = {}): TensorModule {
  const factory = registry.make('norm', { name, ...configs[name], ...more });
  const around = reparametrizationOf(factory);
  if (around !== undefined) return around(layout === 'images' ? new Conv2d(channels, channels, 3, { padding: 1 }) : new Linear(channels, channels));
  const norm = factory(channels);
  return ['conditional-instance', 'adaptive-instance', 'film-group', 'adaptive-layer'].includes(name) ? new Conditioned(name, norm) : norm;
}

/** The same module with float64 parameters and buffers (other dtypes stay). */
export async function inDouble(module: TensorModule): Promise<TensorModule> {
  for (const { value, holder, key } of module.find().variables) {
    if (value.dtype !== 'float32') continue;
    const values = Float64Array.from(await value.data());
    const options = { shape: value.shape, dtype: 'float64', initial: () => values } as const;
    holder[key] = value instanceof Parameter ? new Parameter(options) : new Buffer(options);
  }
  return module;
}

/** Gives parameters values that are not those of the start: noise is added, the same for the same shapes. */
export async function disturb(module: TensorModule): Promise<void> {
  for (const [i, parameter] of module.parameters().entries()) {
    const noise = await randomTensor(parameter.shape, 70 + i, { scale: 0.3 }).data();
    parameter.assign((await parameter.data()).map((value, j) => value + (noise[j] ?? 0)));
  }
}

/** A leaf with the values of another, in another dtype. */
export async function copyAs(x: Tensor, dtype: 'float32' | 'float64'): Promise<Tensor> {
  const values = await x.data();
  return fromBuffer(dtype === 'float64' ? Float64Array.from(values) : Float32Array.from(values), x.shape);
}
