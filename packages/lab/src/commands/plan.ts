// `athanor plan`: what an experiment will run, what is there already, and what it takes; nothing runs but a short probe.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '@athanor/core';
import { loadExperiment } from '../config/load.ts';
import type { Experiment } from '../config/load.ts';
import { builtinPlugins } from '../plugins/builtin.ts';
import { computingPackages } from '../plugins/installed.ts';
import { Backends, costKey, planStages, probeStage } from '../run/plan.ts';
import type { PlannedStage, StageCost } from '../run/plan.ts';
import type { Json } from '../run/stage.ts';
import { pluginCode } from '../run/stage-state.ts';
import { openStudy, studyFolder } from '../run/study.ts';
import type { Run } from '../run/study.ts';
import { formatDuration, formatTable, formatValues } from '../terminal/format.ts';
import { defineCommand } from './command.ts';
import { shown } from './work.ts';

export const plan = defineCommand({
  usage: 'plan <experiment> [overrides..]',
  summary: 'say what would run, why, and what it takes; nothing runs but a few steps',
  positionals: {
    experiment: { type: 'string', demandOption: true, describe: 'experiment file' },
    overrides: { type: 'string', array: true, default: [] as string[], describe: 'key=value, e.g. train.steps=100' },
  },
  options: {
    quick: { type: 'boolean', default: false, describe: "the experiment's quick form" },
    fresh: { type: 'boolean', default: false, describe: 'as if nothing had been computed' },
    seconds: { type: 'number', default: 0.5, describe: 'how long the steps of each variant are timed; 0 runs none' },
    json: { type: 'boolean', default: false, describe: 'as JSON' },
  },
  examples: [['$0 plan experiments/quickstart.yaml train.epochs=30', 'how long it will take']],
  run: async ({ experiment: file, overrides, quick, fresh, seconds, json }, context) => {
    if (!(seconds >= 0)) throw new UserError(`--seconds ${seconds}`, { remedy: 'give a number from 0' });
    const experiment = await loadExperiment(file, { words: overrides, quick, builtin: builtinPlugins });
    const { registry } = experiment;
    const folder = studyFolder(experiment, context.runs);
    const runs = !fresh && existsSync(join(folder, 'study.json')) ? openStudy(folder).runs : runsToCome(experiment, fresh ? `${folder}-new` : folder);
    const backends = new Backends(registry, context.ownsProcess);
    try {
      const made = new Map<Run, string | null>();
      for (const run of runs) made.set(run, (await backends.get(run.config.backend))?.numerics ?? null);
      const stageContext = { registry, packages: computingPackages(process.cwd()), code: await pluginCode(experiment), dataDir: context.dataDir };
      const stages = planStages(runs, stageContext, (run) => made.get(run) ?? null, { fresh });
      const costs = new Map<string, StageCost | undefined>();
      for (const { run, index } of stages) {
        const key = costKey(run, index);
        if (costs.has(key)) continue;
        const backend = await backends.get(run.config.backend);
        const notify = (message: string) => void context.progress.write(`${message}\n`);
        costs.set(key, await probeStage(run, index, { registry, backend, dataDir: context.dataDir, notify, budget: seconds }));
      }
      const rows = summarizePlan(stages, costs);
      context.out(json ? JSON.stringify({ folder, stages: rows }, null, 2) : planText(rows, shown(folder), experiment.jobs.some(({ config }) => config.halving !== undefined)));
    } finally {
      await backends.dispose();
    }
  },
});

function runsToCome({ jobs }: Experiment, folder: string): Run[] {
  return jobs.map(({ name, values, config }) => ({ name, values: values as Record<string, Json>, config, folder: join(folder, name) }));
}

/** The stages of one variant that have one name, over all seeds. */
interface PlanRow extends Partial<StageCost> {
  readonly variant: string;
  readonly stage: string;
  /** How many there are in each state. */
  readonly states: Readonly<Partial<Record<PlannedStage['state'], number>>>;
  /** How many have to be computed. */
  readonly toRun: number;
  /** Why those that are there run again. */
  readonly changes: readonly string[];
}

function summarizePlan(stages: readonly PlannedStage[], costs: ReadonlyMap<string, StageCost | undefined>): PlanRow[] {
  const groups = new Map<string, PlannedStage[]>();
  for (const stage of stages) {
    const key = JSON.stringify([stage.run.values, stage.index]);
    groups.set(key, [...(groups.get(key) ?? []), stage]);
  }
  return [...groups.values()].flatMap((group) => {
    const [first] = group;
    if (first === undefined) return [];
    const states: Partial<Record<PlannedStage['state'], number>> = {};
    for (const { state } of group) states[state] = (states[state] ?? 0) + 1;
    const toRun = group.filter(({ state }) => state === 'waiting' || state === 'begun' || state === 'stale').length;
    const changes = [...new Set(group.flatMap((stage) => stage.changes))];
    return [{ variant: formatValues(first.run.values), stage: first.name, states, toRun, changes, ...costs.get(costKey(first.run, first.index)) }];
  });
}

const words = { done: 'done', stale: 'of other code', reusable: 'taken over', begun: 'begun', waiting: 'to run', shared: 'shared' } as const;

function planText(rows: readonly PlanRow[], folder: string, halving: boolean): string {
  const table = formatTable(
    ['variant', 'stage', 'state', 'steps', 'parameters', 'MACs a sample', 'memory', 'time a run'],
    rows.map(({ variant, stage, states, toRun, steps, parameters, macs, memory, seconds }) => [
      variant,
      stage,
      Object.entries(states).map(([state, count]) => `${count} ${words[state as PlannedStage['state']]}`).join(', '),
      steps === undefined ? (toRun > 0 ? 'after its inputs' : '') : grouped(steps),
      parameters === undefined ? '' : grouped(parameters),
      macs === undefined ? '' : grouped(macs),
      memory === undefined ? '' : `${(memory / 2 ** 20).toFixed(1)} MiB`,
      seconds === undefined ? '' : formatDuration(seconds),
    ]),
  );
  const toRun = rows.reduce((sum, row) => sum + row.toRun, 0);
  const all = rows.reduce((sum, { states }) => sum + Object.values(states).reduce((count, some) => count + some, 0), 0);
  const timed = rows.filter(({ toRun: some }) => some > 0);
  const seconds = timed.reduce((sum, row) => sum + row.toRun * (row.seconds ?? 0), 0);
  const unknown = timed.some((row) => row.seconds === undefined);
  const why = [...new Set(rows.flatMap(({ stage, changes }) => (changes.length === 0 ? [] : [`${stage} runs again: ${changes.join('; ')}`])))];
  const time = seconds === 0 ? '' : `, about ${formatDuration(seconds)} for the steps one after the other${unknown ? ', as far as it is known' : ''}; evaluations come on top`;
  if (halving) why.push('halving stops some variants at its rungs: this is the most that it can take');
  return [table, '', ...why, `${toRun} of ${all} stages to compute${time}. Runs go to ${folder}.`].join('\n');
}

const grouped = (value: number): string => value.toLocaleString('en-US');
