// One first step of a case in this process, part by part.
import { setBackend } from '@athanor/core';
import { schedule, type Backend, type CanonicalGraph, type Executable } from '@athanor/core/backend';
import { enableEngineFeatures, makeBackend } from '../backends.ts';
import { cases, subjectOf } from '../workloads/index.ts';
import type { FirstStep, FirstStepTask } from './protocol.ts';

/** Repetitions of what is measured warm; the least counts. */
const repetitions = { steps: 5, schedules: 40 } as const;

interface Compilation {
  readonly graph: CanonicalGraph;
  readonly executable: Executable;
  readonly began: number;
  readonly ended: number;
}

/** Makes the backend note its first compilation. */
function observe(backend: Backend): () => Compilation {
  const compile = backend.compile.bind(backend);
  let noted: Compilation | undefined;
  backend.compile = (graph) => {
    const began = performance.now();
    const executable = compile(graph);
    noted ??= { graph, executable, began, ended: performance.now() };
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
  const compilation = observe(backend);
  const { step } = subjectOf(entry.problem);
  const began = performance.now();
  await step(0);
  const total = performance.now() - began;
  const { graph, executable, began: tracedAt, ended } = compilation();
  const { program } = executable;
  if (program === undefined) throw new Error(`${backend.name} has no first step to measure: it does not compile programs`);
  const [trace, compile] = [tracedAt - began, ended - tracedAt];
  const once = await leastOf(1, () => schedule(graph, backend.limits));
  return {
    total,
    trace,
    compile,
    run: total - trace - compile,
    later: await leastOf(repetitions.steps, step),
    nodes: graph.nodes.length,
    kernels: program.kernels.length,
    commands: program.commands.length,
    schedule: once,
    scheduleAgain: await leastOf(repetitions.schedules, () => schedule(graph, backend.limits)),
  };
}
