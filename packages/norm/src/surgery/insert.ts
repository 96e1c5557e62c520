// Batch normalizations put into a model that has none (or whose own are folded away for good), without changing what it
// computes: statistics are measured, γ and β undo them.
import { UserError, flush, type Tensor } from '@athanor/core';
import { Sequential, replace, type TensorModule } from '@athanor/core/nn';
import { BatchNorm, type RunningOptions } from '../batch/batch.ts';
import { isWeighted } from '../weights/layer.ts';
import { layoutOf, spanAxes } from '../framework/layout.ts';
import { countOf, statisticsOf } from '../framework/statistics.ts';

/** Passes inputs on, and moves its running statistics. */
class Probe extends BatchNorm {
  override forward(x: Tensor): Tensor {
    this.requireChannels(x);
    const axes = spanAxes('batch', layoutOf(x));
    this.track(statisticsOf(x, { axes, eps: 0 }), countOf(x, axes));
    return x;
  }
}

/**
 * Puts a batch normalization behind every linear layer and two- or three-dimensional convolution that a predicate picks
 * (path `p` becomes `p.0`, the norm `p.1`). Its running statistics are means over the batches, γ = √(v + ε) and β = μ, so
 * that evaluation computes what it did, and training normalises. Returns the paths.
 */
export async function insertBatchNorm(
  model: TensorModule,
  batches: Iterable<Tensor> | AsyncIterable<Tensor>,
  options: Pick<RunningOptions, 'eps' | 'momentum'> & { readonly where?: (path: string) => boolean } = {},
): Promise<string[]> {
  const { eps = 1e-5, momentum = 0.1, where: picked = () => true } = options;
  const probes: Probe[] = [];
  const paths = replace(
    model,
    (module, path) => isWeighted(module) && module.weight.shape.length !== 3 && picked(path),
    (module) => {
      const [features = 1] = isWeighted(module) ? module.weight.shape : [];
      const probe = new Probe(features, { affine: false, runningVariance: 'biased' });
      probes.push(probe);
      return new Sequential(module as TensorModule, probe);
    },
  );
  const modes = model.modules().map((module) => [module, module.training] as const);
  model.eval();
  let count = 0;
  for await (const batch of batches) {
    count += 1;
    for (const probe of probes) probe.momentum = 1 / count;
    model.forward(batch);
    flush();
  }
  for (const [module, training] of modes) module.train(training);
  if (count === 0) {
    replace(
      model,
      (module) => module instanceof Sequential && module.at(1) instanceof Probe,
      (module) => (module instanceof Sequential ? (module.at(0) ?? module) : module),
    );
    throw new UserError('insertBatchNorm: no batches to measure', { remedy: 'give at least one' });
  }
  replace(
    model,
    (module) => module instanceof Probe && probes.includes(module),
    (module) => {
      if (!(module instanceof Probe)) return module;
      const { features, runningMean, runningVar } = module;
      const norm = new BatchNorm(features, { eps, momentum });
      if (runningMean === undefined || runningVar === undefined) return norm;
      norm.runningMean?.assign(runningMean.value);
      norm.runningVar?.assign(runningVar.value);
      norm.weight?.assign(runningVar.value.add(eps).sqrt());
      norm.bias?.assign(runningMean.value);
      return norm;
    },
  );
  return paths;
}
