// Layer-sequential unit variance (Mishkin & Matas 2016): first values that give each layer's output variance 1.
import { UserError } from '../errors.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { initialize, orthogonal } from './init.ts';
import { Embedding } from './layers/linear.ts';
import type { Module } from './module.ts';
import { Parameter } from './parameter.ts';

export interface LsuvOptions {
  /** How far from 1 a variance may stay: 0.1 unless given. */
  readonly tolerance?: number;
  /** Corrections per layer: 10 unless given. */
  readonly maxIterations?: number;
  /** Start from orthonormal weights: true unless given. */
  readonly orthonormal?: boolean;
  /** Which layers with a weight of at least two axes take part: all but embeddings unless given. */
  readonly layers?: (module: Module, path: string) => boolean;
}

/** What became of one layer. */
export interface LsuvLayer {
  readonly path: string;
  readonly variance: number;
  readonly iterations: number;
}

interface Layer {
  readonly path: string;
  readonly module: Module;
  readonly weight: Parameter;
}

function layerOf(module: Module, path: string): Layer | undefined {
  const weight: unknown = Reflect.get(module, 'weight');
  return weight instanceof Parameter && weight.shape.length >= 2 ? { path, module, weight } : undefined;
}

/** What a layer gives when the model runs; undefined if it is not called. Nothing is computed. */
function outputOf(layer: Layer, run: () => unknown): Tensor | undefined {
  let output: Tensor | undefined;
  const remove = layer.module.registerForwardHook((_module, _inputs, given) => {
    output ??= given as Tensor;
    return undefined;
  });
  try {
    run();
  } finally {
    remove();
  }
  return output;
}

/** Layers in the order in which the model calls them. */
function callOrder(layers: readonly Layer[], run: () => unknown): Layer[] {
  const called = new Set<Layer>();
  const removers = layers.map((layer) => layer.module.registerForwardHook(() => void called.add(layer)));
  try {
    run();
  } finally {
    for (const remove of removers) remove();
  }
  return [...called];
}

/**
 * Scales the weights of a model's layers, one after another in the order of calls, until each gives outputs of variance
 * 1 for a batch of inputs (one per argument of forward). Runs in evaluation mode; modes are restored.
 */
export async function lsuv(model: Module, inputs: readonly Tensor[], options: LsuvOptions = {}): Promise<LsuvLayer[]> {
  const { tolerance = 0.1, maxIterations = 10, orthonormal = true, layers = (module) => !(module instanceof Embedding) } = options;
  const chosen = model.namedModules().flatMap(([path, module]) => (layers(module, path) ? (layerOf(module, path) ?? []) : []));
  if (chosen.length === 0) throw new UserError('lsuv: the model has no layer with a weight of two axes or more');
  if (orthonormal) for (const { weight } of chosen) initialize(weight, orthogonal());
  const modes = model.modules().map((module) => [module, module.training] as const);
  model.eval();
  const run = (): unknown => Reflect.apply(model.forward as (...given: readonly Tensor[]) => unknown, model, inputs);
  const report: LsuvLayer[] = [];
  try {
    for (const layer of callOrder(chosen, run)) report.push(await scale(layer, run, { tolerance, maxIterations }));
  } finally {
    for (const [module, mode] of modes) module.train(mode);
  }
  return report;
}

async function scale(layer: Layer, run: () => unknown, limits: Required<Pick<LsuvOptions, 'tolerance' | 'maxIterations'>>): Promise<LsuvLayer> {
  const { path, weight } = layer;
  for (let iterations = 0; ; iterations++) {
    const variance = (await outputOf(layer, run)?.var(undefined, { correction: 0 }).item()) ?? NaN;
    if (!(variance > 0 && Number.isFinite(variance))) {
      throw new UserError(`lsuv: the outputs of ${path === '' ? 'the model' : path} have variance ${variance}`, { remedy: 'check the inputs and the layers before' });
    }
    if (Math.abs(variance - 1) < limits.tolerance || iterations === limits.maxIterations) return { path, variance, iterations };
    weight.assign(weight.value.mul(1 / Math.sqrt(variance)), 'lsuv');
  }
}
