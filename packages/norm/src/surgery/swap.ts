// Other normalizations in the places of a model's own, and frozen ones.
import type { Tensor } from '@athanor/core';
import { Buffer, replace, type Module } from '@athanor/core/nn';
import type { NormFactory } from '@athanor/core/plugin';
import { layoutOf, perChannel, spanAxes } from '../framework/layout.ts';
import { Norm } from '../framework/norm.ts';
import { normalize } from '../framework/normalize.ts';
import { constantStatistics } from '../framework/statistics.ts';
import { BatchNorm } from '../batch/batch.ts';
import { SplitBatchNorm } from '../batch/split.ts';
import { LayerNorm, RMSNorm } from '../sample/last-axes.ts';
import { GlobalResponseNorm } from '../sample/relatives.ts';

/** Normalizations that know their number of channels, which the one in their place needs. */
type Known = Norm | LayerNorm | RMSNorm | GlobalResponseNorm | SplitBatchNorm;

/** Which normalizations are meant: all, those of a class, or those that a predicate picks. */
export type NormSelection = 'all' | (abstract new (...parameters: never[]) => Known) | ((norm: Known, path: string) => boolean);

const classes = [Norm, LayerNorm, RMSNorm, GlobalResponseNorm, SplitBatchNorm];

/** Channels of a normalization; undefined for other modules, and for those over several axes. */
function featuresOf(module: Module): number | undefined {
  if (module instanceof LayerNorm || module instanceof RMSNorm) return module.shape.length === 1 ? module.features : undefined;
  return module instanceof Norm || module instanceof SplitBatchNorm || module instanceof GlobalResponseNorm ? module.features : undefined;
}

function isClass(selection: Exclude<NormSelection, 'all'>): selection is abstract new (...parameters: never[]) => Known {
  return classes.some((known) => selection === known || selection.prototype instanceof known);
}

function picks(selection: NormSelection, module: Module, path: string): boolean {
  if (featuresOf(module) === undefined) return false;
  if (selection === 'all') return true;
  return isClass(selection) ? module instanceof selection : selection(module as Known, path);
}

/**
 * Puts a new normalization of as many channels in the place of each that is selected; returns their paths. `to` may come
 * from a config: `registry.make('norm', { name: 'group', groups: 4 })`. Parameters start anew: make the optimiser
 * afterwards.
 */
export function swapNorm(model: Module, from: NormSelection, to: NormFactory): string[] {
  return replace(
    model,
    (module, path) => picks(from, module, path),
    (module) => {
      const features = featuresOf(module);
      return features === undefined ? module : to(features);
    },
  );
}

/** Batch normalization with statistics, scale and shift that nothing changes any more: all four are buffers. */
export class FrozenBatchNorm extends Norm {
  readonly frozenWeight: Buffer;
  readonly frozenBias: Buffer;
  readonly runningMean: Buffer;
  readonly runningVar: Buffer;

  constructor(features: number, options: { readonly eps?: number; readonly dtype?: Buffer['dtype'] } = {}) {
    const { eps = 1e-5, dtype = 'float32' } = options;
    super(features, { eps, affine: false });
    const values = (value: number): Buffer => {
      const buffer = new Buffer({ shape: [features], dtype });
      if (value !== 0) buffer.assign(value);
      return buffer;
    };
    this.frozenWeight = values(1);
    this.frozenBias = values(0);
    this.runningMean = values(0);
    this.runningVar = values(1);
  }

  override forward(x: Tensor): Tensor {
    this.requireChannels(x);
    const { frozenWeight, frozenBias, runningMean, runningVar, eps } = this;
    const over = (buffer: Buffer): Tensor => perChannel(buffer.value, x);
    const statistics = constantStatistics(over(runningMean), over(runningVar), { axes: spanAxes('batch', layoutOf(x)), eps });
    return normalize(x, statistics, { weight: over(frozenWeight), bias: over(frozenBias) });
  }
}

/** Freezes every batch normalization whose evaluation is that of running statistics; returns their paths. */
export function freezeBatchNorm(model: Module): string[] {
  const tracked = (module: Module): module is BatchNorm => module instanceof BatchNorm && module.plainInEvaluation;
  return replace(
    model,
    (module) => tracked(module),
    (module) => {
      if (!tracked(module)) return module;
      const { features, eps, runningMean, runningVar, weight, bias } = module;
      const frozen = new FrozenBatchNorm(features, { eps, dtype: runningMean?.dtype ?? 'float32' });
      if (weight !== undefined) frozen.frozenWeight.assign(weight.value);
      if (bias !== undefined) frozen.frozenBias.assign(bias.value);
      if (runningMean !== undefined) frozen.runningMean.assign(runningMean.value);
      if (runningVar !== undefined) frozen.runningVar.assign(runningVar.value);
      return frozen;
    },
  );
}
