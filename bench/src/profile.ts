// Where a step's time goes: its slowest kernels on each backend.
import { setBackend, type StepProfile } from '@athanor/core';
import { referenceBackend, type Backend } from '@athanor/core/backend';
import { formatKernels, kernelTimes, type Limits } from '@athanor/lab';
import { enableEngineFeatures, makeBackend } from './backends.ts';
import { chosen } from './benchmark.ts';
import type { Options } from './options.ts';
import type { Case } from './problem.ts';
import { cases, subjectOf } from './workloads/index.ts';

const warmUp = 3;
/** The fastest time of each command counts, so that whatever else runs here disturbs little. */
const repetitions = 10;

function titleOf({ workload, name }: Case, { name: backend, numerics, threads }: Backend, profile: StepProfile | undefined): string {
  return `${workload} ${name} on ${backend} (${numerics}), ${threads} threads: ${profile?.commands.length ?? 0} commands of ${profile?.kernels ?? 0} distinct kernels`;
}

/** Tells the `shown` slowest kernels of each chosen step; steps that are not compiled have none to tell. */
export async function profileKernels(options: Options, limits: Limits, shown: number, tell: (text: string) => void, from: readonly Case[] = cases): Promise<void> {
  if (options.engineFeatures) await enableEngineFeatures();
  for (const name of options.backends) {
    const backend = await makeBackend(name, options.threads);
    try {
      for (const entry of chosen(options, from)) {
        setBackend(backend);
        const subject = subjectOf(entry.problem);
        try {
          if (subject.profile === undefined) continue;
          for (let i = 0; i < warmUp; i++) await subject.step(i);
          const profiles: StepProfile[] = [];
          for (let i = 0; i < repetitions; i++) profiles.push(await subject.profile(i));
          tell(titleOf(entry, backend, profiles[0]));
          tell(`${formatKernels(kernelTimes(profiles, limits), shown)}\n`);
        } finally {
          subject.dispose();
        }
      }
    } finally {
      setBackend(referenceBackend());
      await backend.dispose();
    }
  }
}
