// Stages of plugins, watched: what they throw names them, and what they give is looked at before it reaches the disk.
import { basename } from 'node:path';
import { UserError } from '@athanor/core';
import { splitRef } from '@athanor/core/plugin';
import type { ComponentRef, Registry } from '@athanor/core/plugin';
import type { Stage, StageResult, StageState, StepReport } from './stage.ts';
import { explainSystemError } from './system-errors.ts';

/** A component did what it must not: a fault of its plugin, not of the user or the lab. */
export class ComponentFault extends Error {
  override readonly name = 'ComponentFault';

  constructor(message: string, cause?: unknown) {
    super(message, { cause });
    // The place that matters is the plugin's.
    if (cause instanceof Error && cause.stack !== undefined) this.stack = cause.stack.replace(cause.message, message);
  }
}

/** The stage that `make` gives, which throws UserErrors and {@link ComponentFault}s only. */
export async function guardStage(make: () => Promise<Stage>, ref: ComponentRef, registry: Registry): Promise<Stage> {
  const { name } = splitRef(ref);
  const plugin = registry.list('stage').find(({ component }) => component.name === name)?.package ?? 'unknown';
  const who = `stage ${name} (plugin ${plugin})`;
  const watched = async <T>(when: string, work: () => T | Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (thrown) {
      const error = explainSystemError(thrown);
      if (error instanceof UserError || error instanceof ComponentFault) throw error;
      throw new ComponentFault(`${who} failed ${when}: ${error instanceof Error ? error.message : String(error)}`, error);
    }
  };
  const stage = await watched('when it was made', make);
  refuse(who, stageProblem(stage));
  const guarded: Partial<Stage> = {
    step: async (step) => {
      const report = await watched(`at step ${step + 1}`, () => stage.step(step));
      refuse(`${who}, step ${step + 1}`, reportProblem(report));
      return report;
    },
    state: async () => {
      const state = await watched('when its state was taken', () => stage.state());
      refuse(`${who}, state`, stateProblem(state));
      return state;
    },
    restore: (state) => watched('when its state was put back', () => stage.restore(state)),
    finish: async () => {
      const result = await watched('at its end', () => stage.finish());
      refuse(`${who}, result`, resultProblem(result));
      return result;
    },
  };
  return new Proxy(stage, {
    get(target, key) {
      const own: unknown = Reflect.get(guarded, key) ?? Reflect.get(target, key);
      return typeof own === 'function' ? (own.bind(target) as unknown) : own;
    },
  });
}

function refuse(who: string, problem: string | undefined): void {
  if (problem !== undefined) throw new ComponentFault(`${who}: ${problem}`);
}

function stageProblem(stage: Stage): string | undefined {
  const methods = ['step', 'state', 'restore', 'finish', 'dispose'] as const;
  const missing = methods.filter((method) => typeof (stage as Partial<Stage> | undefined)?.[method] !== 'function');
  if (missing.length > 0) return `it has no ${missing.join(', no ')}`;
  if (!(Number.isInteger(stage.steps) && stage.steps >= 0)) return `steps is ${String(stage.steps)}, no whole number`;
  if (!(Number.isInteger(stage.checkpointEvery) && stage.checkpointEvery >= 1)) return `checkpointEvery is ${String(stage.checkpointEvery)}, no whole number from 1`;
  return undefined;
}

function reportProblem({ metrics = [] }: StepReport): string | undefined {
  const wrong = metrics.find(({ value }) => typeof value !== 'number');
  return wrong === undefined ? undefined : `the metric ${wrong.metric} is ${JSON.stringify(wrong.value)}, no number`;
}

function stateProblem({ tensors, values }: StageState): string | undefined {
  if (!(tensors instanceof Map)) return 'its tensors are no Map';
  const place = notJson(values, 'values');
  return place === undefined ? undefined : `${place}, which JSON does not keep: put it under tensors, or write it otherwise`;
}

/** Where something stands that would not come back from JSON. */
function notJson(value: unknown, path: string): string | undefined {
  if (typeof value === 'number' && !Number.isFinite(value)) return `${path} is ${value}`;
  if (typeof value === 'function' || typeof value === 'symbol' || typeof value === 'bigint') return `${path} is a ${typeof value}`;
  if (typeof value !== 'object' || value === null) return undefined;
  for (const [key, inner] of Object.entries(value)) {
    const found = notJson(inner, `${path}.${key}`);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Names that the lab itself writes. */
const reserved = /^(?:result\.json|stage\.json|why\.json|metrics\.arrow|timing-\d+\.arrow|checkpoints|lock)$/;

function resultProblem({ summary, artifacts }: StageResult): string | undefined {
  const [metric, value] = Object.entries(summary).find(([, number]) => typeof number !== 'number') ?? [];
  if (metric !== undefined) return `the final number ${metric} is ${JSON.stringify(value)}, no number`;
  if (!(artifacts instanceof Map)) return 'its artifacts are no Map';
  const name = [...artifacts.keys()].find((key) => key !== basename(key) || key.startsWith('.') || reserved.test(key));
  return name === undefined ? undefined : `an artifact cannot be named ${JSON.stringify(name)}: give a plain file name that the lab does not use`;
}
