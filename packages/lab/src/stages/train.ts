// The stage `train`: a classifier trained by compiled steps, evaluated on the test split, resumed exactly.
import { UserError, compile, fromBuffer, random, replicas, setBackend } from '@athanor/core';
import type { Tensor } from '@athanor/core';
import { trace } from '@athanor/core/nn';
import { component } from '@athanor/core/plugin';
import type { ComponentContext, DatasetPart } from '@athanor/core/plugin';
import { Loader, batches, splitDataset, writeSafetensors } from '@athanor/data';
import type { Batch, LoaderState } from '@athanor/data';
import { evaluationFile } from '../report/evaluation.ts';
import type { Json, Stage, StageResult, StageState, StepInspection, StepReport } from '../run/stage.ts';
import { Tally } from './classification.ts';
import { requireFiniteLoss, requireFiniteState } from './divergence.ts';
import { putState, takeModel, takeState } from './engine-state.ts';
import type { Trained } from './engine-state.ts';
import { fittingModel } from './fit.ts';
import { parameterGroups } from './groups.ts';
import { trainSchema } from './train-config.ts';
import type { TrainConfig } from './train-config.ts';
import { ProbeHistory } from './probe.ts';
import type { Probe } from './probe.ts';
import { ownPart } from './shard.ts';
import { startFrom } from './start.ts';
import { makeAverages, makeUpdate } from './update.ts';
import type { Mixed } from './update.ts';

export const trainStage = component({
  kind: 'stage',
  name: 'train',
  summary: 'Trains a classifier and evaluates it on the test split',
  schema: trainSchema,
  create: (config, context) => createTraining(config, context),
});

/** What a checkpoint holds beside tensors. */
interface Progress {
  readonly done: number;
  readonly loader: LoaderState;
  /** Of the training losses since the last evaluation. */
  readonly losses: { readonly sum: number; readonly count: number };
  readonly schedule?: unknown;
  readonly diverged?: number;
}

async function createTraining(config: TrainConfig, context: ComponentContext<'stage'>): Promise<Stage> {
  const { make, seed, backend } = context;
  if (config.replicas !== undefined && config.replicas > 1 && replicas().size === 1) return replicated(config.replicas, context);
  if (backend !== undefined) setBackend(backend);
  random.manualSeed(seed);
  const { train, test, validation } = await parts(config, context);
  const model = fittingModel(config.model, train, config.batch, () =>
    make('model', config.model, { input: train.inputShape, classes: train.classes.length }),
  );
  if (config.start !== undefined) startFrom(config.start, context.inputs, model);
  const optimizer = make('optimizer', config.optimizer)(parameterGroups(model, config));
  const ema = makeAverages(model, config.ema);
  const transforms = config.transforms.map((ref) => make('transform', ref));
  const mixup = config.mixup === undefined ? undefined : { alpha: config.mixup };
  const loader = new Loader(train, { batch: config.batch, seed, dropLast: true, transforms, mixup, classesPerBatch: config.classesPerBatch });
  const perEpoch = loader.batchesPerEpoch;
  const steps = config.steps ?? Math.ceil((config.epochs ?? 1) * perEpoch);
  const factor = make('schedule', config.schedule, { steps });
  const base = optimizer.lr;
  const loss = make('loss', config.loss);
  const update = makeUpdate({ model, optimizer, ema, loss, clip: config.clip, microBatches: config.microBatches });
  const probed = { model, train, test, seed, loss: (inputs: Tensor, labels: Tensor): Tensor => loss(model.forward(inputs), labels).mean() };
  const probes: Probe[] = [];
  for (const ref of config.probes) probes.push(await make('probe', ref, probed));
  const history = new ProbeHistory();
  const answer = compile((inputs: Tensor) => model.forward(inputs));

  const inputsOf = ({ inputs, size }: Batch): Tensor => fromBuffer(inputs, [size, ...train.inputShape]);
  const mixedOf = ({ mixed, size }: Batch): Mixed[] =>
    mixed === undefined ? [] : [{ labels: fromBuffer(mixed.labels, [size]), weights: fromBuffer(mixed.weights, [size]) }];

  const tallies = new Map<DatasetPart, { readonly at: number; readonly value: Tally }>();
  async function evaluate(part: DatasetPart, at: number): Promise<Tally> {
    const known = tallies.get(part);
    if (known?.at === at) return known.value;
    model.eval();
    ema?.swap();
    const value = new Tally(part);
    for (const batch of batches(part, { batch: config.evaluationBatch, normalize: train.statistics ?? false })) {
      value.add(await answer(inputsOf(batch)).data(), batch.size);
    }
    ema?.swap();
    model.train();
    tallies.set(part, { at, value });
    return value;
  }

  async function evaluateAll(at: number): Promise<Map<string, number>> {
    const values = new Map<string, number>();
    for (const [name, part] of [['validation', validation], ['test', test]] as const) {
      if (part === undefined) continue;
      const { loss, accuracy } = await evaluate(part, at);
      if (Number.isFinite(loss)) values.set(`${name}.loss`, loss);
      values.set(`${name}.accuracy`, accuracy);
    }
    return values;
  }

  let done = 0;
  let losses = { sum: 0, count: 0 };
  /** The step whose loss was not finite, where that is a result. */
  let diverged: number | undefined;
  const trained: Trained = { model, optimizer, ...(ema === undefined ? {} : { ema }) };
  return {
    steps,
    checkpointEvery: config.checkpointEvery ?? perEpoch,

    async step(step): Promise<StepReport> {
      done = step + 1;
      if (diverged !== undefined) return {};
      optimizer.lr = base * factor(step);
      const batch = ownPart(loader.next());
      const [inputs, labels] = [inputsOf(batch), fromBuffer(batch.labels, [batch.size])];
      const metrics: { metric: string; value: number }[] = [];
      for (const probe of probes) {
        if (step % probe.every !== 0) continue;
        const rows = await probe.measure({ step, lr: optimizer.lr, inputs, labels });
        history.add(rows);
        for (const [metric, value] of Object.entries(rows)) metrics.push({ metric, value });
      }
      const result = update(inputs, labels, ...mixedOf(batch));
      const loss = await result.loss.item();
      if (config.divergence === 'result' && !Number.isFinite(loss)) {
        diverged = done;
        return { show: { loss }, metrics };
      }
      requireFiniteLoss(loss, done, optimizer.lr);
      losses = { sum: losses.sum + loss, count: losses.count + 1 };
      if (done % config.logEvery === 0 || done === 1) {
        metrics.push({ metric: 'train.loss', value: loss });
        if (result.norm !== undefined) metrics.push({ metric: 'train.gradientNorm', value: await result.norm.item() });
      }
      const show: Record<string, number> = { loss };
      if (done % (config.evaluateEvery * perEpoch) === 0 || done === steps) {
        const values = await evaluateAll(done);
        for (const [metric, value] of values) metrics.push({ metric, value });
        show['test accuracy'] = values.get('test.accuracy') ?? 0;
        values.set('train.loss', losses.sum / losses.count);
        losses = { sum: 0, count: 0 };
        const { feedback } = factor;
        const watched = feedback === undefined ? undefined : values.get(feedback.metric);
        if (watched !== undefined) feedback?.observe(watched);
      }
      return { samples: config.batch, show, ...(metrics.length > 0 ? { metrics } : {}) };
    },

    async state(): Promise<StageState> {
      const tensors = await takeState(trained);
      if (config.divergence === 'error') requireFiniteState(tensors, done);
      const progress: Progress = { done, ...(diverged === undefined ? {} : { diverged }), loader: { ...loader.state() }, losses, ...(factor.feedback === undefined ? {} : { schedule: factor.feedback.state() }) };
      return { tensors: new Map([...tensors, ...history.state()]), values: progress as unknown as Json };
    },

    restore({ tensors, values }): Promise<void> {
      const saved = values as unknown as Progress;
      putState(trained, history.restore(tensors));
      loader.restore(saved.loader);
      ({ done, losses, diverged } = saved);
      factor.feedback?.restore(saved.schedule);
      return Promise.resolve();
    },

    async finish(): Promise<StageResult> {
      const values = await evaluateAll(done);
      const tested = await evaluate(test, done);
      ema?.swap();
      const weights = writeSafetensors(await takeModel(model));
      const left: [string, string | Uint8Array][] = [];
      for (const probe of probes) left.push(...((await probe.artifacts?.(history.values)) ?? []));
      ema?.swap();
      return {
        summary: {
          ...Object.fromEntries([...values].toSorted(([a], [b]) => (a < b ? -1 : 1))),
          'test.samples': test.length,
          parameters: model.parameters().reduce((sum, { elements }) => sum + elements, 0),
          ...(diverged === undefined ? {} : { diverged }),
          ...Object.assign({}, ...probes.map((probe) => probe.summarize?.(history.values))),
        },
        artifacts: new Map<string, string | Uint8Array>([
          ['model.safetensors', weights],
          ...left,
          [evaluationFile, JSON.stringify(tested.evaluation({ wrong: 24, right: 24 }))],
        ]),
      };
    },

    inspect(): StepInspection {
      const batch = ownPart(loader.next());
      const words = [inputsOf(batch), fromBuffer(batch.labels, [batch.size]), ...mixedOf(batch)] as const;
      return {
        parameters: model.parameters().reduce((sum, { elements }) => sum + elements, 0),
        samples: batch.size,
        macs: trace(model, [batch.size, ...train.inputShape]).macs / batch.size,
        cost: () => update.cost(...words),
        run: async () => void (await update(...words).loss.item()),
        profile: () => update.profile(...words),
      };
    },

    dispose() {
      model.dispose();
      for (const variable of Object.values({ ...optimizer.stateDict(), ...ema?.stateDict() })) variable.dispose();
    },
  };
}

/** The same stage in several processes. */
function replicated(count: number, { replicate }: ComponentContext<'stage'>): Promise<Stage> {
  if (replicate === undefined) throw new UserError(`train.replicas is ${count}, but this program starts no processes`, { remedy: 'use athanor run' });
  return replicate(count);
}

/** The data set's parts; `validation` takes samples away from training. */
async function parts(config: TrainConfig, { make, seed, dataDir, notify }: ComponentContext<'stage'>) {
  const loaded = await make('dataset', config.data, { dataDir, notify });
  const { validation: held } = config;
  if (held !== undefined && held >= loaded.train.length) {
    throw new UserError(`train.validation is ${held}, but ${loaded.train.name} has ${loaded.train.length} samples to train on`, {
      remedy: `hold out at most ${loaded.train.length - 1}`,
    });
  }
  const split = held === undefined ? undefined : splitDataset(loaded.train, { testFraction: held / loaded.train.length, seed });
  const { train, validation } = split === undefined ? loaded : { train: split.train, validation: split.test };
  if (config.batch > train.length) {
    const rest = held === undefined ? '' : ` beside ${held} for validation`;
    throw new UserError(`train.batch is ${config.batch}, but ${train.name} has ${train.length} samples to train on${rest}`, {
      remedy: `use a batch of at most ${train.length}`,
    });
  }
  const { microBatches, replicas: processes = 1 } = config;
  if (config.batch % (microBatches * processes) !== 0) {
    const into = [processes > 1 ? [`${processes} replicas`] : [], microBatches > 1 ? [`${microBatches} micro-batches`] : []].flat().join(' of ');
    throw new UserError(`train.batch is ${config.batch}, which does not split into ${into}`, { remedy: `choose a multiple of ${microBatches * processes}` });
  }
  return { train, test: loaded.test, validation };
}
