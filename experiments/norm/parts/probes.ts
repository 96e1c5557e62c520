// Probes for training: how units drift, how smooth the loss is, how gradients of layers shift, what passes through.
import { compile, fromBuffer } from '@athanor/core';
import type { Tensor } from '@athanor/core';
import { component } from '@athanor/core/plugin';
import type { DatasetPart } from '@athanor/core/plugin';
import { batches } from '@athanor/data';
import { figureArtifact } from '@athanor/lab';
import { channelMoments, driftOf, driftShares, gradientShiftProbe, keepingBuffers, landscapeProbe, layerProbe, outputsAt, parameterLayers, percentiles } from '@athanor/norm/analysis';
import type { Drift, Landscape } from '@athanor/norm/analysis';
import * as z from 'zod';

const every = z.int().min(1).default(20).meta({ description: 'steps between measurements' });

/** The first samples of the test split, normalised as in training. */
export function firstSamples(test: DatasetPart, train: DatasetPart, count: number): { inputs: Tensor; labels: Tensor } {
  const [batch] = batches(test, { batch: count, normalize: train.statistics ?? false });
  if (batch === undefined) throw new RangeError('the test split is empty');
  return { inputs: fromBuffer(batch.inputs, [batch.size, ...test.inputShape]), labels: fromBuffer(batch.labels, [batch.size]) };
}

/** The middle value of the sorted numbers, or the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  return percentiles(values, [0.5])[0] ?? NaN;
}

/** The values of one metric, as rows of a history hold them. */
type History = ReadonlyMap<string, readonly number[]>;

const drift = component({
  kind: 'probe',
  name: 'drift',
  summary: 'Percentiles of a layer’s units on a fixed batch over time (Ioffe & Szegedy 2015, section 4.1)',
  schema: z.strictObject({
    every,
    module: z.string().meta({ description: 'path of the module whose outputs are looked at' }),
    samples: z.int().min(10).default(500),
    units: z.int().min(1).default(20).meta({ description: 'how many units; the first is logged by itself' }),
  }),
  create({ every: steps, module, samples, units }, { model, train, test }) {
    const { inputs } = firstSamples(test, train, samples);
    const name = (unit: number, share: number): string => `drift.${unit}.p${Math.round(100 * share)}`;
    return {
      every: steps,
      async measure() {
        const [output] = outputsAt(model, [module], inputs);
        const values = output === undefined ? [] : await output.flatten(1).data();
        const width = values.length / samples;
        const rows: Record<string, number> = {};
        for (let unit = 0; unit < Math.min(units, width); unit++) {
          const own = Float64Array.from({ length: samples }, (_, i) => values[i * width + unit] ?? NaN);
          percentiles(own, driftShares).forEach((value, i) => (rows[name(unit, driftShares[i] ?? 0)] = value));
        }
        return rows;
      },
      summarize(history: History) {
        const drifts: Drift[] = [];
        for (let unit = 0; history.has(name(unit, 0.5)); unit++) {
          const columns = driftShares.map((share) => history.get(name(unit, share)) ?? []);
          drifts.push(driftOf((columns[0] ?? []).map((_, time) => columns.map((column) => column[time] ?? NaN))));
        }
        const mean = (pick: (own: Drift) => number): number => drifts.reduce((sum, own) => sum + pick(own), 0) / drifts.length;
        return { 'drift.median': mean((own) => own.median), 'drift.spread': mean((own) => own.spread), 'drift.variation': mean((own) => own.variation) };
      },
      artifacts(history: History) {
        const series = driftShares.map((share, i) => ({
          name: `${Math.round(100 * share)} %`,
          points: (history.get(name(0, share)) ?? []).map((y, time) => ({ x: time * steps, y })),
          look: i === 1 ? 0 : 1,
        }));
        return new Map([figureArtifact('drift', { caption: `Percentiles of the first unit of ${module} on ${samples} test samples`, lines: { series, x: { label: 'step' }, y: { label: 'pre-activation' } } })]);
      },
    };
  },
});

const landscape = component({
  kind: 'probe',
  name: 'landscape',
  summary: 'The loss along the gradient: band, predictiveness, smoothness (Santurkar et al. 2018)',
  schema: z.strictObject({ every }),
  create({ every: steps }, { model, loss }) {
    const probe = landscapeProbe(model, loss);
    const names = ['band', 'predictiveness', 'smoothness', 'scaledSmoothness', 'lipschitz', 'gradientNorm'] as const satisfies (keyof Landscape)[];
    return {
      every: steps,
      async measure({ inputs, labels, lr }) {
        const measured = await probe(inputs, labels, lr);
        const rows = Object.fromEntries(names.map((name) => [`landscape.${name}`, measured[name]]));
        return { ...rows, 'landscape.low': Math.min(...measured.losses), 'landscape.high': Math.max(...measured.losses) };
      },
      summarize: (history: History) => Object.fromEntries(names.map((name) => [`landscape.${name}`, median(history.get(`landscape.${name}`) ?? [])])),
      artifacts(history: History) {
        const [low, high] = ['landscape.low', 'landscape.high'].map((name) => history.get(name) ?? []);
        const points = (low ?? []).map((least, time) => ({ x: time * steps, y: (least + (high?.[time] ?? least)) / 2, low: least, high: high?.[time] ?? least }));
        return new Map([
          figureArtifact('loss-landscape', {
            caption: 'Losses along the gradient, at steps of half to four times the learning rate: least to greatest',
            lines: { series: [{ name: 'losses', points }], x: { label: 'step' }, y: { label: 'training loss' } },
          }),
        ]);
      },
    };
  },
});

const gradientShift = component({
  kind: 'probe',
  name: 'gradient-shift',
  summary: 'How each layer’s gradient changes when the layers below have stepped (Santurkar et al. 2018): exact for plain gradient descent',
  schema: z.strictObject({ every }),
  create({ every: steps }, { model, loss }) {
    const probe = gradientShiftProbe(model, loss);
    return {
      every: steps,
      async measure({ inputs, labels, lr }) {
        const shifts = await probe(inputs, labels, lr);
        const rows = shifts.flatMap(({ relative, cosine, difference }, i) => [
          [`shift.${i + 2}.relative`, relative],
          [`shift.${i + 2}.cosine`, cosine],
          [`shift.${i + 2}.difference`, difference],
        ]);
        return Object.fromEntries(rows) as Record<string, number>;
      },
      summarize(history: History) {
        const all = (part: string): number[] => [...history].filter(([name]) => name.startsWith('shift.') && name.endsWith(part)).flatMap(([, values]) => values);
        return { 'shift.relative': median(all('.relative')), 'shift.cosine': median(all('.cosine')), 'shift.difference': median(all('.difference')) };
      },
    };
  },
});

const layers = component({
  kind: 'probe',
  name: 'layers',
  summary: 'Lengths of weights and gradients, effective learning rate, and moments of activations, by layer',
  schema: z.strictObject({ every, modules: z.array(z.string()).default([]).meta({ description: 'paths of modules whose outputs are looked at' }), samples: z.int().min(10).default(200) }),
  create({ every: steps, modules, samples }, { model, loss, train, test }) {
    const { inputs: fixed } = firstSamples(test, train, samples);
    const probe = layerProbe(model, loss);
    return {
      every: steps,
      async measure({ inputs, labels, lr }) {
        const rows: Record<string, number> = {};
        const states = await probe(inputs, labels, lr);
        states.forEach(({ weightNorm, gradientNorm, effectiveRate, turn }, i) => {
          Object.assign(rows, { [`layer.${i + 1}.weight`]: weightNorm, [`layer.${i + 1}.gradient`]: gradientNorm, [`layer.${i + 1}.effectiveRate`]: effectiveRate, [`layer.${i + 1}.turn`]: turn });
        });
        const moments = modules.length === 0 ? [] : await channelMoments(outputsAt(model, modules, fixed));
        moments.forEach((own, i) => {
          const mean = (list: ArrayLike<number>): number => Array.from(list).reduce((sum, value) => sum + value, 0) / list.length;
          Object.assign(rows, { [`activation.${i + 1}.mean`]: mean(own.mean), [`activation.${i + 1}.std`]: mean(own.std) });
        });
        return rows;
      },
      summarize(history: History) {
        const count = parameterLayers(model).length;
        const last = (name: string): number => history.get(name)?.at(-1) ?? NaN;
        const first = (name: string): number => history.get(name)?.[0] ?? NaN;
        const growth = Array.from({ length: count }, (_, i) => last(`layer.${i + 1}.weight`) / first(`layer.${i + 1}.weight`));
        return { 'layers.growth': median(growth) };
      },
    };
  },
});

const progress = component({
  kind: 'probe',
  name: 'progress',
  summary: 'Accuracy on test samples as training goes on, with the statistics of those samples',
  schema: z.strictObject({
    every,
    samples: z.int().min(10).default(1000),
    at: z.array(z.int().min(1)).default([]).meta({ description: 'steps whose accuracy is a final number: progress.200; the last where training is shorter' }),
    goal: z.number().min(0).max(1).default(0.75).meta({ description: 'the first step that reaches it is a final number; one that never comes counts as the last' }),
  }),
  create({ every: steps, samples, at, goal }, { model, train, test }) {
    const { inputs } = firstSamples(test, train, samples);
    const classify = compile((x: Tensor) => keepingBuffers(model, () => model.forward(x).argmax(1)));
    return {
      every: steps,
      async measure() {
        const classes = Array.from(await classify(inputs).data());
        return { progress: classes.filter((own, i) => own === test.labels[i]).length / samples };
      },
      summarize(history: History) {
        const values = history.get('progress') ?? [];
        const reached = values.findIndex((value) => value >= goal);
        const rows = at.map((step) => [`progress.${step}`, values[Math.round(step / steps)] ?? values.at(-1) ?? NaN]);
        return { ...(Object.fromEntries(rows) as Record<string, number>), 'progress.goal': (reached < 0 ? values.length : reached) * steps };
      },
    };
  },
});

/** What a training can name under `probes`. */
export const probes = [progress, drift, landscape, gradientShift, layers];
