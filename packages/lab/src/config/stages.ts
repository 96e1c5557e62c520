// The graph of an experiment's named stages: what each one needs, and an order in which they can run.
import { didYouMean } from '@athanor/core/plugin';
import type { Path } from './document.ts';
import { isBlock } from './paths.ts';

/** A named stage of a job. */
export interface StageNode {
  readonly id: string;
  /** Names of the stages whose outcome it takes. */
  readonly needs: readonly string[];
}

export interface StageGraph {
  /** In the order of the file as far as needs allow; without the stages of a circle. */
  readonly nodes: readonly StageNode[];
  readonly mistakes: readonly { readonly path: Path; readonly message: string }[];
}

/** Reads `needs` of each stage. Unknown names, circles, and names that no folder can have are mistakes. */
export function stageGraph(stages: Readonly<Record<string, unknown>>): StageGraph {
  const mistakes: { path: Path; message: string }[] = [];
  const names = Object.keys(stages);
  const needs = new Map(names.map((id) => [id, needsOf(id, stages[id], names, mistakes)]));
  for (const id of names) {
    if (!/^[A-Za-z][\w-]*$/.test(id)) mistakes.push({ path: ['stages', id], message: `${JSON.stringify(id)} is no name for a stage: letters, digits, - and _` });
  }
  const nodes: StageNode[] = [];
  const placed = new Set<string>();
  for (let waiting = names; waiting.length > 0; ) {
    const next = waiting.find((id) => needs.get(id)?.every((need) => placed.has(need)));
    if (next === undefined) {
      const circle = circleFrom(waiting[0] ?? '', needs, placed);
      mistakes.push({ path: ['stages', circle[0] ?? '', 'needs'], message: `the needs go in a circle: ${circle.join(' → ')}` });
      break;
    }
    placed.add(next);
    nodes.push({ id: next, needs: needs.get(next) ?? [] });
    waiting = waiting.filter((id) => id !== next);
  }
  return { nodes, mistakes };
}

/** A stage's config without `needs`, which is no part of it. */
export function withoutNeeds<T>(stage: T): T {
  if (!isBlock(stage)) return stage;
  const { needs: _, ...rest } = stage;
  return rest as T;
}

function needsOf(id: string, stage: unknown, names: readonly string[], mistakes: { path: Path; message: string }[]): string[] {
  const given = isBlock(stage) ? stage['needs'] : undefined;
  if (given === undefined) return [];
  if (!Array.isArray(given)) {
    mistakes.push({ path: ['stages', id, 'needs'], message: `expected a list of stages, got ${JSON.stringify(given)}` });
    return [];
  }
  return given.flatMap((need: unknown, index) => {
    if (typeof need === 'string' && names.includes(need)) return [need];
    const near = didYouMean(String(need), names.filter((name) => name !== id)) || ` (stages: ${names.join(', ')})`;
    mistakes.push({ path: ['stages', id, 'needs', index], message: `there is no stage ${JSON.stringify(need)}${near}` });
    return [];
  });
}

function circleFrom(start: string, needs: ReadonlyMap<string, readonly string[]>, placed: ReadonlySet<string>): string[] {
  const walked = [start];
  for (;;) {
    const next = needs.get(walked.at(-1) ?? '')?.find((need) => !placed.has(need)) ?? start;
    if (walked.includes(next)) return [...walked.slice(walked.indexOf(next)), next];
    walked.push(next);
  }
}
