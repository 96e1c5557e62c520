// What other frameworks call and keep: names of arrays, ε, the direction of momentum, the bias of the running variance.
import { UserError, formatShape } from '@athanor/core';
import type { HostTensor } from '@athanor/core/nn';
import { BatchNorm, type RunningOptions } from '../batch/batch.ts';
import { machineEpsilon } from '../sample/sample.ts';

interface Convention {
  readonly eps: number;
  /** Default of its own `momentum` argument. */
  readonly momentum: number;
  /** Whether that is the weight of the old statistics (or of the new batch). */
  readonly momentumOf: 'old' | 'new';
  readonly runningVariance: 'unbiased' | 'biased';
  /** Its names of γ, β, and the running mean and variance. */
  readonly names: { readonly weight: string; readonly bias: string; readonly runningMean: string; readonly runningVar: string };
}

/** What frameworks mean by the settings and arrays of batch normalization. */
export const batchNormConventions = {
  pytorch: {
    eps: 1e-5,
    momentum: 0.1,
    momentumOf: 'new',
    runningVariance: 'unbiased',
    names: { weight: 'weight', bias: 'bias', runningMean: 'running_mean', runningVar: 'running_var' },
  },
  flax: {
    eps: 1e-5,
    momentum: 0.99,
    momentumOf: 'old',
    runningVariance: 'biased',
    names: { weight: 'scale', bias: 'bias', runningMean: 'mean', runningVar: 'var' },
  },
  keras: {
    eps: 1e-3,
    momentum: 0.99,
    momentumOf: 'old',
    runningVariance: 'biased',
    names: { weight: 'gamma', bias: 'beta', runningMean: 'moving_mean', runningVar: 'moving_variance' },
  },
  tensorflowjs: {
    eps: 1e-3,
    momentum: 0.99,
    momentumOf: 'old',
    runningVariance: 'biased',
    names: { weight: 'gamma', bias: 'beta', runningMean: 'moving_mean', runningVar: 'moving_variance' },
  },
} as const satisfies Record<string, Convention>;

/** A framework whose conventions are known. */
export type Framework = keyof typeof batchNormConventions;

/**
 * ε of other normalizations where none is given, always under the root; `machine` is the dtype's machine epsilon. Keras
 * and TensorFlow.js have no default of their own for what is left out.
 */
export const epsilonDefaults = {
  pytorch: { layer: 1e-5, group: 1e-5, instance: 1e-5, rms: 'machine' },
  flax: { layer: 1e-6, group: 1e-6, instance: 1e-6, rms: 1e-6 },
  keras: { layer: 1e-3, group: 1e-3, rms: 1e-6 },
  tensorflowjs: { layer: 1e-3 },
} as const satisfies Record<Framework, Partial<Record<'layer' | 'group' | 'instance' | 'rms', number | 'machine'>>>;

/** A framework's ε for one of its normalizations; a UserError where it has none. */
export function epsilonOf(framework: Framework, method: 'layer' | 'group' | 'instance' | 'rms', dtype: 'float32' | 'float64' = 'float32'): number {
  const defaults: Partial<Record<typeof method, number | 'machine'>> = epsilonDefaults[framework];
  const eps = defaults[method];
  if (eps === undefined) throw new UserError(`${framework} has no ${method} normalization`, { remedy: `it has ${Object.keys(defaults).join(', ')}` });
  return eps === 'machine' ? machineEpsilon(dtype) : eps;
}

/** Our options for what a framework's arguments (or their defaults) mean. */
export function batchNormOptions(framework: Framework, given: { readonly eps?: number; readonly momentum?: number } = {}): Required<Pick<RunningOptions, 'eps' | 'momentum' | 'runningVariance'>> {
  const { eps, momentum, momentumOf, runningVariance } = batchNormConventions[framework];
  const own = given.momentum ?? momentum;
  return { eps: given.eps ?? eps, momentum: momentumOf === 'old' ? 1 - own : own, runningVariance };
}

/** A batch normalization with another framework's arrays, by its names (γ or β may be missing), and its conventions. */
export function batchNormFrom(framework: Framework, arrays: Readonly<Record<string, HostTensor>>, given: { readonly eps?: number; readonly momentum?: number } = {}): BatchNorm {
  const { names } = batchNormConventions[framework];
  const found = Object.entries(names).flatMap(([ours, theirs]) => {
    const array = arrays[theirs];
    return array === undefined ? [] : [[ours, array] as const];
  });
  const mean = arrays[names.runningMean];
  if (mean === undefined || arrays[names.runningVar] === undefined) {
    throw new UserError(`batchNormFrom ${framework}: no ${names.runningMean} and ${names.runningVar} among ${Object.keys(arrays).join(', ') || 'no arrays'}`);
  }
  if (mean.shape.length !== 1) throw new UserError(`batchNormFrom ${framework}: ${names.runningMean} has shape ${formatShape(mean.shape)}, not [C]`);
  const [features = 0] = mean.shape;
  const [hasWeight, hasBias] = [arrays[names.weight] !== undefined, arrays[names.bias] !== undefined];
  const module = new BatchNorm(features, { ...batchNormOptions(framework, given), affine: hasWeight || hasBias, bias: hasBias, dtype: mean.dtype });
  module.loadStateDict(Object.fromEntries(found), { strict: hasWeight || !hasBias });
  return module;
}
