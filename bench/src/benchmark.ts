// The whole run: for each backend and case, the error, then the times.
import { UserError, setBackend } from '@athanor/core';
import { referenceBackend } from '@athanor/core/backend';
import { enableEngineFeatures, makeBackend } from './backends.ts';
import { localContestant, type Contestant } from './contestant.ts';
import { errorOf } from './error.ts';
import type { Options } from './options.ts';
import { tfjsPeer } from './peers/tfjs.ts';
import { torchPeers } from './peers/torch.ts';
import type { Case } from './problem.ts';
import { measure, type Row } from './row.ts';
import { cases, subjectOf } from './workloads/index.ts';
import type { Subject } from './workloads/subject.ts';

export interface Listeners {
  readonly row: (row: Row) => void;
  readonly note: (text: string) => void;
}

/** The cases that the options name, of those that there are. */
export function chosen({ only, cases: names }: Options, from: readonly Case[]): Case[] {
  const unknown = (only ?? []).filter((workload) => !from.some((entry) => entry.workload === workload));
  if (unknown.length > 0) {
    throw new UserError(`--only ${unknown.join(',')}`, { remedy: `choose among ${[...new Set(from.map(({ workload }) => workload))].join(', ')}` });
  }
  const inWorkload = from.filter(({ workload }) => only?.includes(workload) ?? true);
  const selected = inWorkload.filter(({ name }) => names?.includes(name) ?? true);
  if (selected.length === 0) {
    throw new UserError(`--case ${names?.join(',') ?? ''}`, { remedy: `choose among ${[...new Set(inWorkload.map(({ name }) => name))].join(', ')}` });
  }
  return selected;
}

async function runCase(entry: Case, name: string, options: Options, peers: readonly Contestant[], note: Listeners['note']): Promise<Row> {
  const backend = await makeBackend(name, options.threads);
  let subject: Subject | undefined;
  const ours = localContestant(
    name,
    (problem) => {
      setBackend(backend);
      subject = subjectOf(problem);
      return subject.step;
    },
    () => subject?.dispose(),
  );
  try {
    const error = await errorOf(backend, entry.problem);
    return await measure({ entry, backend: { name, threads: backend.threads }, ours, peers, seconds: options.seconds, error, note });
  } finally {
    await ours.close();
    setBackend(referenceBackend());
    await backend.dispose();
  }
}

export interface Outcome {
  readonly rows: readonly Row[];
  /** Cases that ended in an error. */
  readonly failures: number;
}

/** Runs the chosen cases on the chosen backends; rows are told as they come. A case that fails is noted, and the next one runs. */
export async function benchmark(options: Options, { row: tell, note }: Listeners, from: readonly Case[] = cases): Promise<Outcome> {
  if (options.engineFeatures) await enableEngineFeatures();
  const selected = chosen(options, from);
  const wanted = ({ name }: Contestant): boolean => options.peers?.includes(name) ?? true;
  const asksForTorch = options.peers?.some((name) => name.startsWith('torch')) ?? true;
  const torch = asksForTorch ? torchPeers(options.threads) : [];
  if (asksForTorch && torch.length === 0) note('PyTorch does not take part: no Python here can import torch (Debian: apt-get install python3-torch libopenblas0-pthread)');
  const peers = [tfjsPeer(), ...torch].filter(wanted);
  const rows: Row[] = [];
  let failures = 0;
  try {
    for (const name of options.backends) {
      const { numerics } = await describeBackend(name, options.threads);
      note(`${name}: ${numerics}`);
      for (const entry of selected) {
        try {
          const row = await runCase(entry, name, options, peers, note);
          rows.push(row);
          tell(row);
        } catch (error) {
          failures += 1;
          note(`${entry.workload} ${entry.name} on ${name} failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
        }
      }
    }
  } finally {
    await Promise.all(peers.map((peer) => peer.close()));
  }
  return { rows, failures };
}

async function describeBackend(name: string, threads: number): Promise<{ readonly numerics: string }> {
  const backend = await makeBackend(name, threads);
  const { numerics } = backend;
  await backend.dispose();
  return { numerics };
}
