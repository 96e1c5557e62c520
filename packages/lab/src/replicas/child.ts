// A replica: a process that holds one stage and does with it what the parent says, its sums going through a pipe.
import { UserError, setCollective } from '@athanor/core';
import { JobHost } from '../run/host.ts';
import type { HostOptions } from '../run/host.ts';
import { stageInputs } from '../run/job.ts';
import type { Stage, StageState } from '../run/stage.ts';
import { openRun } from '../run/study.ts';
import { pipeCollective, sumsDescriptor } from './exchange.ts';

/** What a replica is told when it starts, as its first word in JSON. */
export interface ReplicaOrder {
  /** The run's folder. */
  readonly folder: string;
  /** Which stage of the run. */
  readonly stage: number;
  readonly size: number;
  readonly rank: number;
  readonly host: Omit<HostOptions, 'registry'>;
}

/** What the parent asks for: one thing at a time. */
export type ReplicaCall =
  | { readonly method: 'make' | 'state' | 'finish' }
  | { readonly method: 'step'; readonly step: number }
  | { readonly method: 'restore'; readonly state: StageState };

export type ReplicaAnswer =
  | { readonly kind: 'note'; readonly message: string }
  | { readonly kind: 'value'; readonly value: unknown }
  | { readonly kind: 'error'; readonly message: string; readonly user: boolean };

const send = (answer: ReplicaAnswer) => process.send?.(answer);
process.on('SIGINT', () => undefined);
process.on('disconnect', () => process.exit(1));

const { folder, stage: index, size, rank, host: options } = JSON.parse(process.argv[2] ?? '{}') as ReplicaOrder;
const host = new JobHost(options);
setCollective(pipeCollective(sumsDescriptor, size, rank));
let stage: Stage | undefined;
let last = Promise.resolve();
process.on('message', (call: ReplicaCall) => {
  last = last.then(() => answer(call));
});

async function answer(call: ReplicaCall): Promise<void> {
  try {
    send({ kind: 'value', value: await perform(call) });
  } catch (error) {
    send({ kind: 'error', message: error instanceof Error ? error.message : String(error), user: error instanceof UserError });
  }
}

async function perform(call: ReplicaCall): Promise<unknown> {
  stage ??= await makeStage();
  switch (call.method) {
    case 'make':
      return { steps: stage.steps, checkpointEvery: stage.checkpointEvery };
    case 'step':
      return stage.step(call.step);
    case 'state':
      return rank === 0 ? stage.state() : undefined;
    case 'restore':
      return stage.restore(call.state);
    case 'finish':
      return rank === 0 ? stage.finish() : undefined;
  }
}

async function makeStage(): Promise<Stage> {
  const run = openRun(folder);
  const registry = await host.registry(run);
  const ref = run.config.stages[index];
  if (ref === undefined) throw new Error(`${folder} has no stage ${index}`);
  const notify = (message: string): void => {
    if (rank === 0) send({ kind: 'note', message });
  };
  return registry.make('stage', ref, { seed: run.config.seed, backend: await host.backend(run), inputs: stageInputs(run, index), dataDir: host.dataDir, notify });
}
