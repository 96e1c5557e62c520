// Recalibration ("precise BN"): running statistics computed anew as plain means over batches, for weights that stand still.
import { flush, type Tensor } from '@athanor/core';
import type { TensorModule } from '@athanor/core/nn';
import { RunningNorm } from '../framework/running.ts';

/**
 * Gives every normalization with running statistics their means over these batches, of equal weight. Everything else is
 * in evaluation mode meanwhile (no dropout); modes are restored. Returns the number of batches.
 */
export async function recalibrate(model: TensorModule, batches: Iterable<Tensor> | AsyncIterable<Tensor>): Promise<number> {
  const modes = model.modules().map((module) => [module, module.training] as const);
  const norms = model.modules().filter((module) => module instanceof RunningNorm);
  const momenta = norms.map(({ momentum }) => momentum);
  model.eval();
  for (const norm of norms) norm.train();
  let count = 0;
  try {
    for await (const batch of batches) {
      count += 1;
      for (const norm of norms) norm.momentum = 1 / count;
      model.forward(batch);
      flush();
    }
  } finally {
    norms.forEach((norm, i) => (norm.momentum = momenta[i] ?? null));
    for (const [module, training] of modes) module.train(training);
  }
  return count;
}
