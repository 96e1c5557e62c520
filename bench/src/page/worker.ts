// One row of the benchmark in a worker of a page: the same case, error and timing as in Node, without peers.
import { wasmBackend } from '@athanor/backend-wasm';
import { setBackend } from '@athanor/core';
import { localContestant } from '../contestant.ts';
import { errorOf } from '../error.ts';
import { measure, type Row } from '../row.ts';
import { cases, subjectOf } from '../workloads/index.ts';
import type { Subject } from '../workloads/subject.ts';

export interface Task {
  readonly workload: string;
  readonly name: string;
  readonly threads: number;
  readonly seconds: number;
}

export interface Answer {
  readonly row?: Row;
  readonly error?: string;
}

async function rowOf({ workload, name, threads, seconds }: Task): Promise<Row> {
  const entry = cases.find((candidate) => candidate.workload === workload && candidate.name === name);
  if (entry === undefined) throw new Error(`there is no case ${workload} ${name}`);
  const backend = await wasmBackend({ threads });
  let subject: Subject | undefined;
  const ours = localContestant(
    'wasm',
    (problem) => {
      setBackend(backend);
      subject = subjectOf(problem);
      return subject.step;
    },
    () => subject?.dispose(),
  );
  try {
    const error = await errorOf(backend, entry.problem);
    return await measure({ entry, backend: { name: 'wasm-chromium', threads: backend.threads }, ours, peers: [], seconds, error, note: () => undefined });
  } finally {
    await ours.close();
    backend.dispose();
  }
}

globalThis.addEventListener('message', ({ data }: MessageEvent<Task>) => {
  const answer = (given: Answer): void => globalThis.postMessage(given);
  rowOf(data).then(
    (row) => answer({ row }),
    (error: unknown) => answer({ error: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
  );
});
