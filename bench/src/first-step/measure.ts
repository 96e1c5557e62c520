// One first step of a case in this process, part by part.
import { setBackend } from '@athanor/core';
import { schedule, type Backend, type CanonicalGraph, type Executable, type Program } from '@athanor/core/backend';
import { enableEngineFeatures, makeBackend } from '../backends.ts';
import { cases, subjectOf } from '../workloads/index.ts';
import type { FirstStep, FirstStepTask } from './protocol.ts';

/** Repetitions of what is measured warm; the least counts. */
const repetitions = { steps: 5, schedules: 40 } as const;

/** A backend that takes scheduled programs. */
interface Loads extends Backend {
  load(program: Program): Executable;
}

function loads(backend: Backend): backend is Loads {
  return 'load' in backend;
}

interface Parts {
  graph: CanonicalGraph;
  compiledAt: number;
  schedule: number;
  code: number;
  program: Program | undefined;
}

/** Makes the backend note what its first compilation consists of. */
function observe(backend: Backend): () => Parts {
  if (!loads(backend)) throw new Error(`${backend.name} has no first step to measure: it does not compile programs`);
  let noted: Parts | undefined;
  backend.compile = (graph) => {
    const compiledAt = performance.now();
    const program = schedule(graph, backend.limits);
    const scheduledAt = performance.now();
    const executable = backend.load(program);
    noted ??= { graph, compiledAt, schedule: scheduledAt - compiledAt, code: performance.now() - scheduledAt, program };
    return executable;
  };
  return () => {
    if (noted === undefined) throw new Error('the step compiled nothing');
    return noted;
  };
}

async function leastOf(count: number, action: (i: number) => unknown): Promise<number> {
  let least = Infinity;
  for (let i = 0; i < count; i++) {
    const began = performance.now();
    await action(i);
    least = Math.min(least, performance.now() - began);
  }
  return least;
}

/** Must be the first step that this process takes of any case. */
export async function measureFirstStep({ workload, name, backend: backendName, threads, engineFeatures }: FirstStepTask): Promise<FirstStep> {
  const entry = cases.find((candidate) => candidate.workload === workload && candidate.name === name);
  if (entry === undefined) throw new Error(`there is no case ${workload} ${name}`);
  if (engineFeatures) await enableEngineFeatures();
  const backend = await makeBackend(backendName, threads);
  setBackend(backend);
  const parts = observe(backend);
  const { step } = subjectOf(entry.problem);
  const began = performance.now();
  await step(0);
  const total = performance.now() - began;
  const { graph, compiledAt, schedule: scheduling, code, program } = parts();
  const trace = compiledAt - began;
  const steady = await leastOf(repetitions.steps, step);
  const warmSchedule = await leastOf(repetitions.schedules, () => schedule(graph, backend.limits));
  const counts = { nodes: graph.nodes.length, kernels: program?.kernels.length ?? 0, commands: program?.commands.length ?? 0 };
  return { total, trace, schedule: scheduling, code, run: total - trace - scheduling - code, steady, ...counts, warmSchedule };
}
