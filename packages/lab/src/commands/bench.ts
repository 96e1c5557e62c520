// `athanor bench`: how fast an experiment's training step is here, and what it spends its time in.
import { UserError } from '@athanor/core';
import { didYouMean, splitRef } from '@athanor/core/plugin';
import { benchStep, formatKernels } from '../analysis/bench.ts';
import type { StepBench } from '../analysis/bench.ts';
import { calibrate } from '../analysis/calibrate.ts';
import type { Limits } from '../analysis/calibrate.ts';
import { loadExperiment } from '../config/load.ts';
import type { Job } from '../config/load.ts';
import { builtinPlugins } from '../plugins/builtin.ts';
import { formatNumber } from '../terminal/format.ts';
import { defineCommand } from './command.ts';
import type { CommandContext } from './context.ts';

export const bench = defineCommand({
  usage: 'bench <experiment> [overrides..]',
  summary: "time an experiment's training step and its slowest kernels",
  positionals: {
    experiment: { type: 'string', demandOption: true, describe: 'YAML file' },
    overrides: { type: 'string', array: true, default: [] as string[], describe: 'key=value, e.g. backend=native' },
  },
  options: {
    job: { type: 'string', describe: 'which variant (default: the first)' },
    seconds: { type: 'number', default: 3, describe: 'time for whole steps' },
    kernels: { type: 'number', default: 10, describe: 'how many of the slowest kernels are shown' },
    threads: { type: 'number', describe: 'threads of the backend' },
    json: { type: 'boolean', default: false, describe: 'as JSON' },
  },
  examples: [['$0 bench experiments/zoo/resnet20.yaml backend=native', 'one backend; run it once for each that matters']],
  run: async ({ experiment: file, overrides, job: name, seconds, kernels, threads, json }, context) => {
    if (!(seconds > 0)) throw new UserError(`--seconds ${seconds}`, { remedy: 'give a number above 0' });
    if (!Number.isInteger(kernels) || kernels < 1) throw new UserError(`--kernels ${kernels}`, { remedy: 'give a whole number from 1' });
    const { jobs, registry } = await loadExperiment(file, { words: overrides, builtin: builtinPlugins });
    const job = chosen(jobs, name);
    const { backend: ref } = job.config;
    const backend = ref === undefined ? undefined : await registry.make('backend', ref, { ownsProcess: context.ownsProcess, threads });
    const [first] = job.config.stages;
    if (first === undefined) throw new UserError(`${file} has no stage`);
    const { component, config } = stageOf(first);
    const stage = await registry.make('stage', config, {
      seed: job.config.seed,
      backend,
      inputs: [],
      dataDir: context.dataDir,
      notify: (message) => context.out(message),
    });
    try {
      const step = stage.inspect?.();
      if (step === undefined) throw new UserError(`the stage ${component} has no step to time`, { remedy: 'bench an experiment whose first stage trains' });
      const limits = calibrate();
      const result = await benchStep(step, limits, seconds);
      if (json) context.out(JSON.stringify({ job: job.name, backend: backend?.name, threads: backend?.threads, limits, ...result }, null, 2));
      else print(result, { job, limits, shown: kernels, backend: `${backend?.name ?? 'reference'}, ${backend?.threads ?? 1} threads` }, context);
    } finally {
      stage.dispose();
      await backend?.dispose();
    }
  },
});

function stageOf(ref: Job['config']['stages'][number]) {
  return { component: splitRef(ref).name, config: ref };
}

function chosen(jobs: readonly Job[], name: string | undefined): Job {
  const job = name === undefined ? jobs[0] : jobs.find((candidate) => candidate.name === name);
  if (job !== undefined) return job;
  const names = jobs.map((candidate) => candidate.name);
  throw new UserError(`there is no job ${JSON.stringify(name)}${didYouMean(name ?? '', names) || `: ${names.join(', ')}`}`);
}

interface Shown {
  readonly job: Job;
  readonly limits: Limits;
  readonly shown: number;
  readonly backend: string;
}

function print({ median, quartiles, steps, samplesPerSecond, commands, kernels, slowest }: StepBench, { job, limits, shown, backend }: Shown, { out }: CommandContext): void {
  out(`${job.name} on ${backend}`);
  out(`${formatNumber(median)} ms a step (middle half ${quartiles.map(formatNumber).join(' – ')}, ${steps} steps), ${formatNumber(samplesPerSecond)} samples/s`);
  out(`${commands} commands of ${kernels} distinct kernels\n`);
  out(formatKernels(slowest, shown));
  out(`\nLimits of one core here: ${formatNumber(limits.gigaflops)} GFLOP/s in 128-bit vectors, ${formatNumber(limits.gigabytes)} GB/s read and written.`);
  out('Wider vectors (native) and more threads can exceed them. Bytes count each element once.');
}
