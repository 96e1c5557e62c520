// EvalNorm (Singh & Shrivastava 2019, arXiv 1904.06031): batch normalization whose evaluation expects the statistics that
// training with small batches had: each sample's own, mixed with the running ones.
import { UserError, flush, grad, type Tensor } from '@athanor/core';
import { Adam, replace, type Module, type Parameter, type TensorModule } from '@athanor/core/nn';
import { layoutOf, perChannel, spanAxes } from '../framework/layout.ts';
import { constantParameter } from '../framework/norm.ts';
import { normalize, scaleAndShift } from '../framework/normalize.ts';
import { constantStatistics, countOf, statisticsOf, type Statistics } from '../framework/statistics.ts';
import { BatchNorm, type RunningOptions } from '../batch/batch.ts';

/**
 * How much of a sample's own statistics evaluation takes. `expectation`: 1 / samples, which is exact; `squared`:
 * 1 / samples², a rule of thumb in circulation; `learned`: a share of the mean and one of the variance that `fitEvalNorm`
 * finds, both 1 / samples at the start.
 */
export type EvalShare = 'expectation' | 'squared' | 'learned';

export interface EvalNormOptions extends RunningOptions {
  /** Samples that shared a statistic in training. */
  readonly samples: number;
  /** expectation unless given. */
  readonly share?: EvalShare;
}

/**
 * With a = 1 / samples, the sample's mean m and variance v over its positions, running M and V (of biased variances):
 *
 *     μ = a m + (1 − a) M      σ² = a v + (1 − a) V + a (1 − a) (m − M)²
 *
 * which is the expectation of a training batch's statistics, given that the sample is in it. Learned shares a and b blend
 * linearly: μ = a m + (1 − a) M, σ² = b v + (1 − b) V. Training is that of
 * BatchNorm; `samples` = 1 is instance normalization, ∞ is BatchNorm.
 */
export class EvalNorm extends BatchNorm {
  readonly samples: number;
  readonly share: EvalShare;
  /** Logits of the learned shares of the sample's own mean and variance. */
  readonly meanLogit: Parameter | undefined;
  readonly varianceLogit: Parameter | undefined;
  /** Set while `fitEvalNorm` runs: collects the mismatch to a training batch's result, which is passed on. */
  mismatches: Tensor[] | undefined;

  constructor(features: number, options: EvalNormOptions) {
    super(features, options);
    const { samples, share = 'expectation', dtype = 'float32' } = options;
    if (!(samples >= 1)) throw new UserError(`EvalNorm: ${samples} samples per statistic`, { remedy: 'give the number that training used' });
    this.samples = samples;
    this.share = share;
    if (share !== 'learned') return;
    const start = Math.max(-20, Math.min(20, -Math.log(samples - 1)));
    this.meanLogit = constantParameter(start, [], dtype);
    this.varianceLogit = constantParameter(start, [], dtype);
  }

  override get plainInEvaluation(): boolean {
    return false;
  }

  override forward(x: Tensor): Tensor {
    if (this.mismatches === undefined) return super.forward(x);
    this.requireChannels(x);
    const batch = normalize(x, statisticsOf(x, { axes: spanAxes('batch', layoutOf(x)), eps: this.eps, placement: this.placement })).detach();
    this.mismatches.push(normalize(x.detach(), this.statistics(x.detach())).sub(batch).square().mean());
    return scaleAndShift(batch, this.affine(x)).detach();
  }

  protected override statistics(x: Tensor): Statistics {
    const { runningMean, runningVar, samples, eps, placement } = this;
    if (this.training || runningMean === undefined || runningVar === undefined) return super.statistics(x);
    const { channel, ...layout } = layoutOf(x);
    const axes = spanAxes('channel', { channel, ...layout });
    const own = axes.length === 0 ? x : x.mean(axes, { keepdim: true });
    const spread = axes.length === 0 ? x.sub(x) : x.var(axes, { keepdim: true, correction: 0 });
    const count = samples * countOf(x, axes);
    const bias = this.runningVariance === 'unbiased' && count > 1 ? (count - 1) / count : 1;
    const [mean, variance] = [perChannel(runningMean.value, x), perChannel(runningVar.value, x).mul(bias)];
    const { meanLogit, varianceLogit } = this;
    if (meanLogit !== undefined && varianceLogit !== undefined) {
      return constantStatistics(mean.lerp(own, meanLogit.value.sigmoid()), variance.lerp(spread, varianceLogit.value.sigmoid()), { axes, eps, placement });
    }
    const a = this.share === 'squared' ? 1 / samples ** 2 : 1 / samples;
    const mixed = spread.mul(a).add(variance.mul(1 - a)).add(own.sub(mean).square().mul(a * (1 - a)));
    return constantStatistics(mean.lerp(own, a), mixed, { axes, eps, placement });
  }
}

/** An EvalNorm with the parameters and statistics of a batch normalization that was trained with so many samples. */
export function evalNorm(trained: BatchNorm, samples: number, options: { readonly share?: EvalShare } = {}): EvalNorm {
  const { features, eps, placement, momentum, runningVariance, weight, bias } = trained;
  const dtype = weight?.dtype ?? trained.runningMean?.dtype ?? 'float32';
  const module = new EvalNorm(features, { ...options, samples, eps, placement, momentum, runningVariance, affine: weight !== undefined, bias: bias !== undefined, dtype });
  module.loadStateDict(trained.stateDict(), { strict: options.share !== 'learned' });
  return module.train(trained.training);
}

/** Puts an EvalNorm in the place of every batch normalization with running statistics; returns their paths. */
export function useEvalNorm(model: Module, samples: number, options: { readonly share?: EvalShare } = {}): string[] {
  const tracked = (module: Module): module is BatchNorm => module instanceof BatchNorm && module.plainInEvaluation;
  return replace(
    model,
    (module) => tracked(module),
    (module) => (tracked(module) ? evalNorm(module, samples, options) : module),
  );
}

export interface FitOptions {
  /** Adam's learning rate on the logits; 0.1 unless given. */
  readonly lr?: number;
}

/**
 * Learns the shares of every EvalNorm with `share: 'learned'`: the squared distance of what it computes for a batch in
 * evaluation to what training computes for it (the model itself stands still, and everything else is in evaluation mode).
 * One step a batch; batches have as many samples as training's statistics. Returns the mean mismatch of each batch.
 */
export async function fitEvalNorm(model: TensorModule, batches: Iterable<Tensor> | AsyncIterable<Tensor>, options: FitOptions = {}): Promise<number[]> {
  const norms = model.modules().filter((module): module is EvalNorm => module instanceof EvalNorm && module.share === 'learned');
  if (norms.length === 0) throw new UserError('fitEvalNorm: the model has no EvalNorm with learned shares', { remedy: "useEvalNorm(model, samples, { share: 'learned' })" });
  const logits = norms.flatMap(({ meanLogit, varianceLogit }) => [meanLogit, varianceLogit].filter((logit) => logit !== undefined));
  const modes = model.modules().map((module) => [module, module.training] as const);
  const optimizer = new Adam(logits, { lr: options.lr ?? 0.1 });
  const history: number[] = [];
  model.eval();
  try {
    for await (const batch of batches) {
      for (const norm of norms) norm.mismatches = [];
      model.forward(batch);
      const mismatches = norms.flatMap((norm) => norm.mismatches ?? []);
      const loss = mismatches.reduce((sum, mismatch) => sum.add(mismatch)).div(mismatches.length);
      optimizer.apply(grad(loss, logits.map((logit) => logit.value)));
      history.push(await loss.item());
      flush();
    }
  } finally {
    for (const norm of norms) norm.mismatches = undefined;
    for (const [module, training] of modes) module.train(training);
  }
  return history;
}
