// The stage `train`: a classifier trained by compiled steps, evaluated on the test split, resumed exactly.
import { UserError, compile, fromBuffer, random, setBackend } from '@athanor/core';
import type { Tensor } from '@athanor/core';
import { functional } from '@athanor/core/nn';
import { component, componentRef } from '@athanor/core/plugin';
import type { ComponentContext } from '@athanor/core/plugin';
import { Loader, batches, writeSafetensors } from '@athanor/data';
import type { Batch, LoaderState } from '@athanor/data';
import * as z from 'zod';
import { evaluationFile } from '../report/evaluation.ts';
import type { Stage, StageResult, StageState, StepReport } from '../run/stage.ts';
import { Tally } from './classification.ts';
import { putState, takeModel, takeState } from './engine-state.ts';
import type { Trained } from './engine-state.ts';

const schema = z
  .strictObject({
    data: componentRef('dataset'),
    model: componentRef('model'),
    optimizer: componentRef('optimizer').default('sgd'),
    schedule: componentRef('schedule').default('constant'),
    batch: z.int().min(1).default(64).meta({ description: 'samples a step; a short last batch of an epoch is left out' }),
    epochs: z.number().positive().optional().meta({ description: 'passes over the training split' }),
    steps: z.int().min(1).optional().meta({ description: 'instead of epochs' }),
    transforms: z.array(componentRef('transform')).default([]).meta({ description: 'random changes of training samples' }),
    labelSmoothing: z.number().min(0).lt(1).default(0),
    evaluateEvery: z.int().min(1).default(1).meta({ description: 'epochs between evaluations on the test split' }),
    evaluationBatch: z.int().min(1).default(500),
    logEvery: z.int().min(1).default(10).meta({ description: 'steps between rows of the training loss' }),
    checkpointEvery: z.int().min(1).optional().meta({ description: 'steps between checkpoints (default: an epoch)' }),
  })
  .refine(({ epochs, steps }) => (epochs === undefined) !== (steps === undefined), 'write either epochs or steps');

type TrainConfig = z.output<typeof schema>;

export const trainStage = component({
  kind: 'stage',
  name: 'train',
  summary: 'Trains a classifier and evaluates it on the test split',
  schema,
  create: (config, context) => createTraining(config, context),
});

async function createTraining(config: TrainConfig, context: ComponentContext<'stage'>): Promise<Stage> {
  const { make, seed, backend, dataDir, notify } = context;
  if (backend !== undefined) setBackend(backend);
  random.manualSeed(seed);
  const { train, test } = await make('dataset', config.data, { dataDir, notify });
  if (config.batch > train.length) {
    throw new UserError(`train.batch is ${config.batch}, but ${train.name} has ${train.length} samples to train on`, {
      remedy: `use a batch of at most ${train.length}`,
    });
  }
  const model = make('model', config.model, { input: train.inputShape, classes: train.classes.length });
  const optimizer = make('optimizer', config.optimizer)(model.parameters());
  const transforms = config.transforms.map((ref) => make('transform', ref));
  const loader = new Loader(train, { batch: config.batch, seed, dropLast: true, transforms });
  const perEpoch = loader.batchesPerEpoch;
  const steps = config.steps ?? Math.ceil((config.epochs ?? 1) * perEpoch);
  const factor = make('schedule', config.schedule, { steps });
  const base = optimizer.lr;

  const tensors = ({ inputs, labels, size }: Batch): [Tensor, Tensor] => [
    fromBuffer(inputs, [size, ...train.inputShape]),
    fromBuffer(labels, [size]),
  ];
  const trainStep = compile((inputs: Tensor, labels: Tensor) => {
    const loss = functional.crossEntropy(model.forward(inputs), labels, { labelSmoothing: config.labelSmoothing });
    optimizer.step(loss);
    return loss;
  });
  const answer = compile((inputs: Tensor) => model.forward(inputs));

  let tally: { readonly at: number; readonly value: Tally } | undefined;
  async function evaluate(at: number): Promise<Tally> {
    if (tally?.at === at) return tally.value;
    model.eval();
    const value = new Tally(test);
    const normalize = train.statistics ?? false;
    for (const batch of batches(test, { batch: config.evaluationBatch, normalize })) {
      const [inputs] = tensors(batch);
      value.add(await answer(inputs).data(), batch.size);
    }
    model.train();
    tally = { at, value };
    return value;
  }

  let done = 0;
  const trained: Trained = { model, optimizer };
  return {
    steps,
    checkpointEvery: config.checkpointEvery ?? perEpoch,

    async step(step): Promise<StepReport> {
      optimizer.lr = base * factor(step);
      const [inputs, labels] = tensors(loader.next());
      const loss = await trainStep(inputs, labels).item();
      done = step + 1;
      const metrics: { metric: string; value: number }[] = [];
      if (done % config.logEvery === 0 || done === 1) metrics.push({ metric: 'train.loss', value: loss });
      const show: Record<string, number> = { loss };
      if (done % (config.evaluateEvery * perEpoch) === 0 || done === steps) {
        const { accuracy, loss: testLoss } = await evaluate(done);
        metrics.push({ metric: 'test.loss', value: testLoss }, { metric: 'test.accuracy', value: accuracy });
        show['test accuracy'] = accuracy;
      }
      return { samples: config.batch, show, ...(metrics.length > 0 ? { metrics } : {}) };
    },

    async state(): Promise<StageState> {
      return { tensors: await takeState(trained), values: { done, loader: { ...loader.state() } } };
    },

    restore({ tensors: saved, values }): Promise<void> {
      const { done: steps_, loader: cursor } = values as unknown as { done: number; loader: LoaderState };
      putState(trained, saved);
      loader.restore(cursor);
      done = steps_;
      return Promise.resolve();
    },

    async finish(): Promise<StageResult> {
      const value = await evaluate(done);
      return {
        summary: {
          'test.accuracy': value.accuracy,
          'test.loss': value.loss,
          'test.samples': test.length,
          parameters: model.parameters().reduce((sum, { elements }) => sum + elements, 0),
        },
        artifacts: new Map<string, string | Uint8Array>([
          ['model.safetensors', writeSafetensors(await takeModel(model))],
          [evaluationFile, JSON.stringify(value.evaluation({ wrong: 24, right: 24 }))],
        ]),
      };
    },

    dispose() {
      model.dispose();
      for (const variable of Object.values(optimizer.stateDict())) variable.dispose();
    },
  };
}
