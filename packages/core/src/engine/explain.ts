// explain: the program that would compute tensors, without running it.
import { canonicalize } from '../graph/canonical.ts';
import type { Node } from '../graph/node.ts';
import { explainProgram } from '../schedule/explain.ts';
import { schedule } from '../schedule/schedule.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { executableOf } from './plans.ts';
import { resolve } from './resolve.ts';
import { engine } from './state.ts';

export interface ExplainOptions {
  /** Also what waits for a flush: after `optimizer.step(loss)`, the whole training step. */
  readonly waiting?: boolean;
}

/**
 * Kernels, loops, fused operations, bytes and FLOPs of the program that computes these tensors on the current backend;
 * for one that interprets graphs, of the program that others would run.
 */
export function explain(tensors: Tensor | readonly Tensor[], options: ExplainOptions = {}): string {
  const list = Array.isArray(tensors) ? (tensors as readonly Tensor[]) : [tensors as Tensor];
  const { backend } = engine;
  const waiting = options.waiting === true ? [...engine.waiting].filter(([, { host }]) => host === undefined) : [];
  const roots = resolve([...list.map(({ node }) => node), ...waiting.map(([, { value }]) => value)]);
  const graph = canonicalize({
    outputs: roots.slice(0, list.length),
    assignments: waiting.map(([variable], i) => ({ variable, value: roots[list.length + i] as Node })),
  });
  return explainProgram(executableOf(backend, graph).program ?? schedule(graph, backend.limits));
}
