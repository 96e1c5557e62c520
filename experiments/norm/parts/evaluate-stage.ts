// The stage `evaluate`: the weights of the training before, in a model that may normalise otherwise, on changed inputs.
import { readFileSync } from 'node:fs';
import { UserError, compile, fromBuffer, setBackend } from '@athanor/core';
import type { Tensor } from '@athanor/core';
import { component, componentRef } from '@athanor/core/plugin';
import { batches, readSafetensors } from '@athanor/data';
import type { Stage } from '@athanor/lab';
import { recalibrate } from '@athanor/norm';
import * as z from 'zod';

const change = z.strictObject({
  scale: z.number().default(1).meta({ description: 'factor on the normalised pixels' }),
  shift: z.number().default(0).meta({ description: 'added to them afterwards' }),
});

/** The stage: one step for each change of the inputs. */
export const evaluateStage = component({
  kind: 'stage',
  name: 'evaluate',
  summary: 'Evaluates the model that the stage before has trained: with other normalization, other statistics, changed inputs',
  schema: z.strictObject({
    data: componentRef('dataset'),
    model: componentRef('model').meta({ description: 'takes the trained weights; may be another model with the same arrays' }),
    statistics: z.enum(['running', 'batch', 'recalibrated']).default('running').meta({ description: 'of the batch: of 500 test samples each; recalibrated: of 20 clean batches of 128 from the training split' }),
    changes: z.record(z.string(), change).default({ same: { scale: 1, shift: 0 } }).meta({ description: 'named changes of the inputs; each gives an accuracy' }),
    batch: z.int().min(1).default(500),
  }),
  async create({ data, model: ref, statistics, changes, batch: size }, { make, backend, dataDir, notify, inputs: before }) {
    if (backend !== undefined) setBackend(backend);
    const trained = before.at(-1);
    if (trained === undefined) throw new UserError('the stage evaluate needs a stage that trained something', { remedy: 'write a stage train before it' });
    const { train, test } = await make('dataset', data, { dataDir, notify });
    const model = make('model', ref, { input: train.inputShape, classes: train.classes.length });
    const { tensors } = readSafetensors(readFileSync(trained.artifact('model.safetensors')));
    model.loadStateDict(Object.fromEntries(tensors) as Parameters<typeof model.loadStateDict>[0]);
    const normalize = train.statistics ?? false;
    if (statistics === 'recalibrated') {
      const clean = [...batches(train, { batch: 128, normalize })].slice(0, 20);
      await recalibrate(model, clean.map((batch) => fromBuffer(batch.inputs, [batch.size, ...train.inputShape])));
    }
    model.train(statistics === 'batch');
    const classify = compile((x: Tensor, scale: number | Tensor, shift: number | Tensor) => model.forward(x.mul(scale).add(shift)).argmax(1));
    const names = Object.keys(changes);
    let accuracies: Record<string, number> = {};
    const stage: Stage = {
      steps: names.length,
      checkpointEvery: names.length,
      async step(step) {
        const name = names[step] ?? '';
        const { scale = 1, shift = 0 } = changes[name] ?? {};
        let [right, seen] = [0, 0];
        for (const batch of batches(test, { batch: size, normalize })) {
          const classes = await classify(fromBuffer(batch.inputs, [batch.size, ...test.inputShape]), scale, shift).data();
          for (let i = 0; i < batch.size; i++) right += Number(classes[i] === test.labels[seen + i]);
          seen += batch.size;
        }
        accuracies[name] = right / seen;
        return { samples: seen, show: { [name]: right / seen } };
      },
      state: () => Promise.resolve({ tensors: new Map(), values: accuracies }),
      restore({ values }) {
        accuracies = values as Record<string, number>;
        return Promise.resolve();
      },
      finish() {
        const summary = Object.fromEntries(Object.entries(accuracies).map(([name, value]) => [`${name}.accuracy`, value]));
        const [first = NaN] = Object.values(accuracies);
        const losses = Object.fromEntries(Object.entries(accuracies).slice(1).map(([name, value]) => [`${name}.loss`, first - value]));
        const own = trained.summary['test.accuracy'];
        return Promise.resolve({ summary: { ...summary, ...losses, ...(own === undefined ? {} : { gain: first - own }) }, artifacts: new Map() });
      },
      dispose: () => model.dispose(),
    };
    return stage;
  },
});
