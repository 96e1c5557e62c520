// What an experiment will take, told before anything runs: which stages have to be computed, and what a step of each costs.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Backend } from '@athanor/core/backend';
import type { ComponentRef, Registry } from '@athanor/core/plugin';
import { canonicalText } from './canonical.ts';
import { stageInputs } from './job.ts';
import { stageKey } from './stage-key.ts';
import { stageCode, stageFiles, stageStandings } from './stage-state.ts';
import type { StageContext, StageStanding } from './stage-state.ts';
import { stageNames, stageNeeds } from './study.ts';
import type { Run } from './study.ts';

export interface PlannedStage {
  readonly run: Run;
  readonly index: number;
  readonly name: string;
  /** `shared`: another run of the plan computes the same before. */
  readonly state: StageStanding['state'] | 'shared';
  readonly from?: string;
  readonly changes: readonly string[];
}

/** Where every stage of these runs stands, those that share one computation counted once. */
export function planStages(runs: readonly Run[], context: StageContext, numericsOf: (run: Run) => string | null, { fresh }: { readonly fresh: boolean }): PlannedStage[] {
  const planned = new Set<string>();
  return runs.flatMap((run) => {
    const numerics = numericsOf(run);
    const keys: string[] = [];
    return stageStandings(run, context, { numerics, fresh }).map((standing, index): PlannedStage => {
      const ref = run.config.stages[index] ?? '';
      // Inputs that are yet to be computed are known by what they will be computed from.
      const inputs = Object.fromEntries(stageNeeds(run, index).map((need) => [stageNames(run)[need] ?? '', keys[need] ?? '']));
      const key = stageKey({ config: ref, seed: run.config.seed, numerics, code: stageCode(ref, context), files: stageFiles(ref, context), inputs });
      keys.push(key);
      const shared = standing.state === 'waiting' && planned.has(key);
      planned.add(key);
      return { ...standing, run, index, state: shared ? 'shared' : standing.state };
    });
  });
}

/** What a stage of one config takes, whatever the seed. Absent numbers are not known. */
export interface StageCost {
  readonly steps: number;
  readonly parameters?: number;
  /** Multiply-accumulates of the model's answer to one sample. */
  readonly macs?: number;
  /** Bytes that the program of a step needs at once. */
  readonly memory?: number;
  /** Of all steps, from the time of a few; evaluations and checkpoints come on top. */
  readonly seconds?: number;
}

export interface ProbeOptions {
  readonly registry: Registry;
  readonly backend: Backend | undefined;
  readonly dataDir: string | undefined;
  readonly notify: (message: string) => void;
  /** Seconds to time steps for, after the first; 0 times none. */
  readonly budget: number;
}

/**
 * Makes a stage and, where it lets itself be looked at, times a few of its steps. Nothing is
 * written. undefined for a stage whose inputs are not there yet.
 */
export async function probeStage(run: Run, index: number, { registry, backend, dataDir, notify, budget }: ProbeOptions): Promise<StageCost | undefined> {
  const inputs = stageInputs(run, index);
  if (inputs.some(({ folder }) => !existsSync(join(folder, 'result.json')))) return undefined;
  const stage = await registry.make('stage', run.config.stages[index] ?? '', { seed: run.config.seed, backend, inputs, dataDir, notify });
  try {
    const step = stage.inspect?.();
    if (step === undefined) return { steps: stage.steps };
    const known = { steps: stage.steps, parameters: step.parameters, macs: step.macs, memory: step.cost().peakBytes };
    if (budget === 0) return known;
    // The first step compiles, and the second is still slow.
    await step.run();
    await step.run();
    const times: number[] = [];
    const until = performance.now() + budget * 1000;
    while (times.length < 1 || (performance.now() < until && times.length < 50)) {
      const began = performance.now();
      await step.run();
      times.push(performance.now() - began);
    }
    return { ...known, seconds: (stage.steps * median(times)) / 1000 };
  } finally {
    stage.dispose();
  }
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return ((sorted[(sorted.length - 1) >> 1] ?? 0) + (sorted[sorted.length >> 1] ?? 0)) / 2;
}

/** Equal for stages that cost the same: those that differ by the seed alone. */
export function costKey(run: Run, index: number): string {
  return canonicalText([run.config.backend, run.config.stages[index], stageNeeds(run, index).map((need) => run.config.stages[need])]);
}

/** Backends by their config, made when they are first asked for. */
export class Backends {
  readonly #made = new Map<string, Backend>();
  readonly #registry: Registry;
  readonly #ownsProcess: boolean;

  constructor(registry: Registry, ownsProcess: boolean) {
    this.#registry = registry;
    this.#ownsProcess = ownsProcess;
  }

  async get(ref: ComponentRef | undefined): Promise<Backend | undefined> {
    if (ref === undefined) return undefined;
    const key = canonicalText(ref);
    const backend = this.#made.get(key) ?? (await this.#registry.make('backend', ref, { ownsProcess: this.#ownsProcess }));
    this.#made.set(key, backend);
    return backend;
  }

  async dispose(): Promise<void> {
    for (const backend of this.#made.values()) await backend.dispose();
  }
}
