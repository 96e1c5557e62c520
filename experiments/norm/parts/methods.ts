// The methods that these experiments compare: what each one puts into a model's config.
import type { ComponentRef } from '@athanor/core/plugin';

export interface Method {
  readonly norm: ComponentRef;
  readonly weight?: ComponentRef;
  /** Another normalization that takes the same arrays, for evaluation. */
  readonly evaluation?: ComponentRef;
  /** Given where the normalization is its own activation. */
  readonly activation?: 'none';
}

/** By the name that the experiments use. Those of one word are the components of that name. */
export const methods = {
  none: { norm: 'none' },
  batch: { norm: 'batch' },
  'batch-renorm': { norm: { name: 'batch-renorm', momentum: 0.05, warmup: 50, rRamp: 100, dRamp: 100 } },
  'ghost-batch': { norm: { name: 'ghost-batch', samples: 8 } },
  'batch-of-2': { norm: { name: 'ghost-batch', samples: 2, momentum: 0.05 }, evaluation: { name: 'eval', samples: 2 } },
  'batch-of-4': { norm: { name: 'ghost-batch', samples: 4, momentum: 0.05 }, evaluation: { name: 'eval', samples: 4 } },
  'batch-of-8': { norm: { name: 'ghost-batch', samples: 8, momentum: 0.05 }, evaluation: { name: 'eval', samples: 8 } },
  // For batches that come in 16 parts of 2: a step is 16 forwards, so running statistics move a sixteenth as fast.
  'batch-renorm-in-parts': { norm: { name: 'batch-renorm', momentum: 0.003, warmup: 1600, rRamp: 3200, dRamp: 3200 } },
  'switchable-in-parts': { norm: { name: 'switchable', momentum: 0.003 } },
  'cross-mini-batch': { norm: { name: 'cross-mini-batch', miniBatches: 8, momentum: 0.01 } },
  'extended-batch': { norm: 'extended-batch' },
  decorrelated: { norm: { name: 'decorrelated', eps: 1e-3 } },
  iterative: { norm: { name: 'iterative', eps: 1e-3 } },
  switchable: { norm: 'switchable' },
  'evo-b0': { norm: 'evo-b0', activation: 'none' },
  layer: { norm: 'layer' },
  group: { norm: { name: 'group', groups: 4 } },
  instance: { norm: { name: 'instance', affine: true } },
  rms: { norm: { name: 'rms', over: 'sample' } },
  positional: { norm: 'positional' },
  'filter-response': { norm: 'filter-response', activation: 'none' },
  'global-response': { norm: 'global-response' },
  'local-response': { norm: { name: 'local-response', alpha: 1 } },
  divisive: { norm: { name: 'divisive', sigma: 0.5, affine: true } },
  'evo-s0': { norm: { name: 'evo-s0', groups: 4 }, activation: 'none' },
  'dynamic-tanh': { norm: 'dynamic-tanh' },
  'dynamic-erf': { norm: 'dynamic-erf' },
  weight: { norm: 'none', weight: { name: 'weight', init: 'preserve' } },
  'weight-unit': { norm: 'none', weight: { name: 'weight', init: 'unit' } },
  'weight-mean-only': { norm: 'mean-only-batch', weight: { name: 'weight', init: 'preserve' } },
  spectral: { norm: 'none', weight: 'spectral' },
  cosine: { norm: 'none', weight: 'cosine' },
  'centred-cosine': { norm: 'none', weight: { name: 'cosine', centered: true } },
  'scaled-standardization': { norm: 'none', weight: 'scaled-standardization' },
  'group-standardization': { norm: { name: 'group', groups: 4 }, weight: 'standardization' },
  'cross-iteration': { norm: 'none', weight: { name: 'cross-iteration', burnIn: 100 } },
  // Records past statistics, but normalises as batch normalization does.
  'cross-iteration-closed': { norm: 'none', weight: { name: 'cross-iteration', window: 2, burnIn: 1000000 } },
  'cross-iteration-uncompensated': { norm: 'none', weight: { name: 'cross-iteration', burnIn: 100, compensate: false } },
} as const satisfies Record<string, Method>;

export type MethodName = keyof typeof methods;
export const methodNames = Object.keys(methods) as [MethodName, ...MethodName[]];

/** What a method puts into the config of a model that is trained, or evaluated. */
export function methodConfig(name: MethodName, use: 'training' | 'evaluation'): Omit<Method, 'evaluation'> {
  const { evaluation, ...method }: Method = methods[name];
  return use === 'evaluation' && evaluation !== undefined ? { ...method, norm: evaluation } : method;
}
