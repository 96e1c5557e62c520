// The probe `histograms`: what layers give and what their weights' gradients are, at the end of training, as figures for the report.
import { cat, compile, fromBuffer, grad } from '@athanor/core';
import type { Tensor } from '@athanor/core';
import { Parameter } from '@athanor/core/nn';
import type { Module, TensorModule } from '@athanor/core/nn';
import { component } from '@athanor/core/plugin';
import { batches } from '@athanor/data';
import * as z from 'zod';
import { spread } from '../analysis/curves.ts';
import { countBins } from '../plot/index.ts';
import { figureArtifact } from '../report/figure.ts';
import type { Probe } from './probe.ts';

interface Layer {
  readonly path: string;
  readonly module: Module;
  readonly weight: Parameter;
}

/** Values of one layer. */
interface LayerValues {
  readonly path: string;
  readonly activations: Float32Array;
  readonly gradients: Float32Array;
}

const width = 262;
const height = 150;

export const histogramsProbe = component({
  kind: 'probe',
  name: 'histograms',
  summary: 'Histograms of activations and of weights’ gradients after training, layer by layer',
  schema: z.strictObject({
    samples: z.int().min(1).default(128).meta({ description: 'how many test samples they are taken over' }),
    layers: z.int().min(1).default(8).meta({ description: 'at most so many layers, from first to last' }),
    bins: z.int().min(2).max(200).default(40),
  }),
  create: ({ samples, layers: most, bins }, { model, loss, train, test }): Probe => ({
    // Nothing is measured in passing.
    every: Number.MAX_SAFE_INTEGER,
    measure: () => Promise.resolve({}),
    async artifacts() {
      const [batch] = batches(test, { batch: Math.min(samples, test.length), normalize: train.statistics ?? false });
      if (batch === undefined) return new Map();
      const inputs = fromBuffer(batch.inputs, [batch.size, ...test.inputShape]);
      const labels = fromBuffer(batch.labels, [batch.size]);
      const found = await valuesOf(spread(layersOf(model), most), { model, loss, inputs, labels });
      return new Map(found.flatMap(({ path, activations, gradients }, index) => {
        const place = `${String(index + 1).padStart(2, '0')}-${path}`;
        return [
          histogramFigure(`activations-${place}`, `${path}: outputs`, { values: activations, label: 'activation', bins }),
          histogramFigure(`gradients-${place}`, `${path}: gradient of the loss in its weight`, { values: gradients, label: 'gradient', bins }),
        ];
      }));
    },
  }),
});

function layersOf(model: TensorModule): Layer[] {
  return model.namedModules().flatMap(([path, module]) => {
    const weight: unknown = Reflect.get(module, 'weight');
    return weight instanceof Parameter && weight.shape.length >= 2 ? [{ path, module, weight }] : [];
  });
}

interface Setting {
  readonly model: TensorModule;
  readonly loss: (inputs: Tensor, labels: Tensor) => Tensor;
  readonly inputs: Tensor;
  readonly labels: Tensor;
}

/** Runs the model once, as it answers in use. Layers that the forward pass does not reach are left out. */
async function valuesOf(layers: readonly Layer[], { model, loss, inputs, labels }: Setting): Promise<LayerValues[]> {
  let reached: readonly { readonly layer: Layer; readonly sizes: readonly [number, number] }[] = [];
  const run = compile((x: Tensor, y: Tensor) => {
    const outputs = new Map<Layer, Tensor>();
    const removers = layers.map((layer) => layer.module.registerForwardHook((_, __, output) => void outputs.set(layer, output as Tensor)));
    try {
      const value = loss(x, y);
      const called = [...outputs.keys()];
      const gradients = grad(value, called.map(({ weight }) => weight.value), { allowUnused: true });
      const parts = called.map((layer, index) => [outputs.get(layer)?.flatten() ?? x, gradients[index]?.flatten() ?? x] as const);
      reached = called.map((layer, index) => ({ layer, sizes: [parts[index]?.[0].shape[0] ?? 0, parts[index]?.[1].shape[0] ?? 0] }));
      return cat(parts.flat());
    } finally {
      for (const remove of removers) remove();
    }
  });
  model.eval();
  try {
    if (layers.length === 0) return [];
    const values = Float32Array.from(await run(inputs, labels).data());
    let at = 0;
    const take = (count: number) => values.subarray(at, (at += count));
    return reached.map(({ layer: { path }, sizes: [outputs, gradients] }) => ({ path, activations: take(outputs), gradients: take(gradients) }));
  } finally {
    model.train();
  }
}

function histogramFigure(name: string, caption: string, { values, label, bins }: { readonly values: Float32Array; readonly label: string; readonly bins: number }): [string, string] {
  const finite = values.filter(Number.isFinite);
  const low = finite.reduce((least, value) => Math.min(least, value), Infinity);
  const high = finite.reduce((greatest, value) => Math.max(greatest, value), -Infinity);
  const [from, to] = low < high ? [low, high] : [(finite[0] ?? 0) - 0.5, (finite[0] ?? 0) + 0.5];
  const counted = countBins(finite, { bins, low: from, high: to });
  const lost = values.length - finite.length;
  return figureArtifact(name, { caption: lost > 0 ? `${caption} (${lost} are not finite)` : caption, histogram: { series: [{ name, bins: counted }], x: { label }, logCounts: true, width, height } });
}
