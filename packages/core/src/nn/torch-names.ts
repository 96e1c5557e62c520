// PyTorch's names of parameters and buffers, so that its state dicts load.
import { RecurrentLayer } from './layers/recurrent.ts';
import type { Module } from './module.ts';

/** `weightIh` as `weight_ih`. */
function snakeCase(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** `cells.3.weightIh` as `weight_ih_l1_reverse`, in a layer that reads in both directions. */
function recurrentName(rest: string, bidirectional: boolean): string {
  const [, position = '0', name = ''] = rest.split('.');
  const directions = bidirectional ? 2 : 1;
  const reverse = Number(position) % directions === 1 ? '_reverse' : '';
  return `${snakeCase(name)}_l${Math.floor(Number(position) / directions)}${reverse}`;
}

/** PyTorch's name of each parameter and buffer of a model, by ours: words joined by _, recurrent layers' cells as l0, l0_reverse, …. */
export function torchNames(model: Module): Record<string, string> {
  const recurrent = model.namedModules().flatMap(([path, module]) => (module instanceof RecurrentLayer ? [{ prefix: path === '' ? '' : `${path}.`, module }] : []));
  const nameOf = (own: string): string => {
    const layer = recurrent.find(({ prefix }) => own.startsWith(`${prefix}cells.`));
    if (layer === undefined) return snakeCase(own);
    return snakeCase(layer.prefix) + recurrentName(own.slice(layer.prefix.length), layer.module.bidirectional);
  };
  return Object.fromEntries(Object.keys(model.stateDict()).map((own) => [own, nameOf(own)]));
}

/**
 * A PyTorch state dict under our names, for `loadStateDict`. Counters of batches (`num_batches_tracked`) are left out;
 * what the model has no place for keeps its name, so that loading reports it.
 */
export function fromTorchState<T>(model: Module, state: Readonly<Record<string, T>>): Record<string, T> {
  const ours = new Map(Object.entries(torchNames(model)).map(([own, theirs]) => [theirs, own]));
  const kept = Object.entries(state).filter(([name]) => ours.has(name) || !/(^|\.)num_batches_tracked$/.test(name));
  return Object.fromEntries(kept.map(([name, value]) => [ours.get(name) ?? name, value]));
}
