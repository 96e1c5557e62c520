// Normalization inside recurrent networks: each step of a sequence is normalised on its own, sample by sample (layer
// normalization; Ba, Kiros & Hinton 2016, arXiv 1607.06450) or over the batch (Cooijmans et al. 2016, arXiv 1603.09025).
import { ShapeError, UserError, arange, cat, formatShape, stack, where, type Tensor } from '@athanor/core';
import { Buffer, Module } from '@athanor/core/nn';
import { layoutOf, perChannel, spanAxes } from '../framework/layout.ts';
import { filled, type NormOptions } from '../framework/norm.ts';
import { normalize } from '../framework/normalize.ts';
import { RunningNorm, type MomentumOption } from '../framework/running.ts';
import { constantStatistics, countOf, statisticsOf } from '../framework/statistics.ts';
import { ChannelLayerNorm } from '../sample/sample.ts';

/** One pass over a sequence whose steps come one after the other. */
export interface StepRun {
  /** Normalises the values [N, C] of a step, counted from 0; `mask` [N, 1] tells which samples still run. */
  step(x: Tensor, step: number, mask?: Tensor): Tensor;
  /** Ends the pass: running statistics move. */
  end(): void;
}

/** A normalization that knows steps: of whole sequences [N, T, C] at once, and of one step at a time. */
export interface StepNorm extends Module {
  forward(x: Tensor, mask?: Tensor): Tensor;
  /** Begins a pass over a sequence of so many steps. */
  begin(steps: number): StepRun;
}

/** What a recurrent layer asks of its normalizations. */
export interface StepNormOptions {
  /** The longest sequence that training will see. */
  readonly steps: number;
  /** Learn a shift. */
  readonly bias: boolean;
  readonly dtype?: NormOptions['dtype'];
}

/** Makes the normalizations inside a recurrent layer, by number of channels. */
export type StepNormFactory = (features: number, options: StepNormOptions) => StepNorm;

declare module '@athanor/core/plugin' {
  interface ComponentKinds {
    'recurrent-norm': StepNormFactory;
  }
}

/** No normalization. */
export class IdentityStepNorm extends Module implements StepNorm {
  override forward(x: Tensor): Tensor {
    return x;
  }

  begin(): StepRun {
    return { step: (x) => x, end: () => undefined };
  }
}

/** Layer normalization of each step of each sample: no state, and a step does not know the others. */
export class LayerStepNorm extends ChannelLayerNorm implements StepNorm {
  constructor(features: number, options: NormOptions & { readonly gain?: number } = {}) {
    super(features, { ...options, over: 'position' });
  }

  begin(): StepRun {
    return { step: (x) => this.forward(x), end: () => undefined };
  }
}

export interface RecurrentBatchOptions extends NormOptions, MomentumOption {
  /** The longest sequence that training will see: so many steps have running statistics of their own. */
  readonly steps: number;
  /** γ at the start; 0.1 unless given, as the paper found best. */
  readonly gain?: number;
}

/**
 * Recurrent batch normalization: statistics over the batch, of each step on its own; γ and β are shared by all steps. In
 * evaluation step t has its own running statistics, and steps beyond the longest sequence seen in training have the last
 * one's. [N, T, C]; inputs without steps ([N, C], [N, C, H, W]) are one step. Running variances are biased.
 */
export class RecurrentBatchNorm extends RunningNorm implements StepNorm {
  readonly steps: number;
  /** [steps, C] */
  readonly runningMean: Buffer;
  /** [steps, C] */
  readonly runningVar: Buffer;
  /** Steps of the longest sequence seen in training. */
  readonly longest: Buffer;

  constructor(features: number, options: RecurrentBatchOptions) {
    const { steps, eps = 1e-5, momentum = 0.01, gain = 0.1, dtype = 'float32' } = options;
    super(features, { ...options, eps, momentum, gain });
    if (!Number.isInteger(steps) || steps < 1) throw new UserError(`RecurrentBatchNorm: ${steps} steps`, { remedy: 'give the length of the longest training sequence' });
    this.steps = steps;
    this.runningMean = new Buffer({ shape: [steps, features], dtype });
    this.runningVar = new Buffer({ shape: [steps, features], dtype, initial: filled(1, steps * features, dtype) });
    this.longest = new Buffer({ shape: [], dtype: 'int32', initial: () => Int32Array.of(1) });
  }

  /** All steps at once; `mask` [N, T, 1] tells what is not padding. */
  override forward(x: Tensor, mask?: Tensor): Tensor {
    this.requireChannels(x);
    const sequence = x.ndim === 3;
    const steps = sequence ? (x.shape[1] ?? 0) : 1;
    const axes = sequence ? [0] : spanAxes('batch', layoutOf(x));
    const { eps } = this;
    if (!this.training) {
      const [mean, variance] = this.#evaluated(steps);
      const at = (rows: Tensor): Tensor => (sequence ? rows : perChannel(rows.reshape(this.features), x));
      return normalize(x, constantStatistics(at(mean), at(variance), { axes, eps }), this.affine(x));
    }
    this.#requireTraining(x, axes, steps);
    const statistics = statisticsOf(x, { axes, eps, mask });
    const rows = (values: Tensor | undefined): Tensor => (values ?? x).reshape(steps, this.features);
    this.#track(rows(statistics.mean), rows(statistics.variance), mask?.any(0).reshape(steps));
    return normalize(x, statistics, this.affine(x));
  }

  begin(steps: number): StepRun {
    const { eps } = this;
    const axes = [0];
    if (!this.training) {
      const [means, variances] = this.#evaluated(steps).map((rows) => rows.unbind(0));
      return {
        step: (x, step) => normalize(x, constantStatistics(means?.[step], variances?.[step] ?? x, { axes, eps }), this.affine(x)),
        end: () => undefined,
      };
    }
    const seen: { mean: Tensor; variance: Tensor; present: Tensor | undefined }[] = [];
    return {
      step: (x, _, mask) => {
        this.requireChannels(x);
        this.#requireTraining(x, axes, steps);
        const statistics = statisticsOf(x, { axes, eps, mask });
        seen.push({ mean: (statistics.mean ?? x).reshape(this.features), variance: statistics.variance.reshape(this.features), present: mask?.any() });
        return normalize(x, statistics, this.affine(x));
      },
      end: () => {
        const present = seen.flatMap((step) => step.present ?? []);
        this.#track(stack(seen.map(({ mean }) => mean)), stack(seen.map(({ variance }) => variance)), present.length === 0 ? undefined : stack(present));
      },
    };
  }

  #requireTraining(x: Tensor, axes: readonly number[], steps: number): void {
    if (steps > this.steps) throw new ShapeError(`RecurrentBatchNorm of ${this.steps} steps: a training sequence of ${steps}`, { remedy: 'give `steps` the longest length' });
    if (countOf(x, axes) > 1) return;
    throw new ShapeError(`RecurrentBatchNorm: ${formatShape(x.shape)} has one value per channel and step, whose variance is 0`, { remedy: 'train with larger batches' });
  }

  /** Running statistics [steps, C] of the first steps, the last known ones repeated. */
  #evaluated(steps: number): [mean: Tensor, variance: Tensor] {
    const rows = arange(steps, undefined, 1, { dtype: 'int32' }).minimum(this.longest.value.sub(1));
    return [this.runningMean.value.indexSelect(0, rows), this.runningVar.value.indexSelect(0, rows)];
  }

  /**
   * Moves the rows of the steps that were seen towards [seen, C]; the others stay, as do those of which `present` [seen]
   * says that every sample had ended.
   */
  #track(mean: Tensor, variance: Tensor, present?: Tensor): void {
    const [count = 0] = mean.shape;
    const observed = (running: Buffer, rows: Tensor): Tensor => {
      const known = running.value;
      const seen = present === undefined ? rows : where(present.unsqueeze(1), rows, known.narrow(0, 0, count));
      return count === this.steps ? seen : cat([seen, known.slice(0, count)]);
    };
    this.observe([[this.runningMean, observed(this.runningMean, mean)], [this.runningVar, observed(this.runningVar, variance)]]);
    this.longest.assign(this.longest.value.maximum(count));
  }
}
