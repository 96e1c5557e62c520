// Everything that the engine changes while a model is trained, as tensors with names: parameters, buffers, the
// optimiser's slots, moving averages, and the random streams.
import { random } from '@athanor/core';
import type { Variable } from '@athanor/core';
import { loadState, snapshot } from '@athanor/core/nn';
import type { EMA, Module, Optimizer } from '@athanor/core/nn';
import type { StoredArray } from '@athanor/data';

export interface Trained {
  readonly model: Module;
  readonly optimizer: Optimizer;
  /** Of the weights, where there are any. */
  readonly ema?: EMA;
}

/** Host copies of the whole state. */
export async function takeState(trained: Trained): Promise<Map<string, StoredArray>> {
  const host = await snapshot(variablesOf(trained));
  return new Map(Object.entries(host).map(([name, tensor]) => [name, tensor as StoredArray]));
}

/** Puts a state back, into a model and an optimiser made from the same config. */
export function putState(trained: Trained, tensors: ReadonlyMap<string, StoredArray>): void {
  for (const name of tensors.keys()) {
    const stream = /^random\.(.*)\.key$/.exec(name)?.[1];
    if (stream !== undefined) random.stream(stream);
  }
  const saved = Object.fromEntries(tensors) as Parameters<typeof loadState>[1];
  const own = variablesOf(trained);
  // Streams that other runs of this process have used, and this run has not, are not part of its state.
  loadState(Object.fromEntries(Object.entries(own).filter(([name]) => !name.startsWith('random.') || tensors.has(name))), saved);
}

/** The model alone, under the names that its modules give. */
export async function takeModel(model: Module): Promise<Map<string, StoredArray>> {
  return new Map(Object.entries(await snapshot(model.stateDict())).map(([name, tensor]) => [name, tensor as StoredArray]));
}

function variablesOf({ model, optimizer, ema }: Trained): Record<string, Variable> {
  const parts = { ...prefixed('model.', model.stateDict()), ...prefixed('optimizer.', optimizer.stateDict()) };
  return { ...parts, ...(ema === undefined ? {} : prefixed('ema.', ema.stateDict())), ...random.state() };
}

function prefixed(prefix: string, variables: Readonly<Record<string, Variable>>): Record<string, Variable> {
  return Object.fromEntries(Object.entries(variables).map(([name, variable]) => [prefix + name, variable]));
}
