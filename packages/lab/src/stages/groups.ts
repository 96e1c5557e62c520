// Which parameters are trained with which settings.
import { UserError } from '@athanor/core';
import type { Variable } from '@athanor/core';
import type { Module, ParameterGroup } from '@athanor/core/nn';
import { didYouMean } from '@athanor/core/plugin';
import type { TrainConfig } from './train-config.ts';

/**
 * The parameters of a model in the groups that the config describes; those with equal settings together, in the
 * order of the model. A pattern that matches nothing is a UserError.
 */
export function parameterGroups(model: Module, { decay, groups }: Pick<TrainConfig, 'decay' | 'groups'>): ParameterGroup[] {
  const named = model.namedParameters();
  const patterns = groups.map((group) => ({ ...group, pattern: glob(group.match) }));
  for (const { match, pattern } of patterns) {
    if (named.some(([name]) => pattern.test(name))) continue;
    const names = named.map(([name]) => name);
    const near = didYouMean(match, names);
    throw new UserError(`train.groups: no parameter's name is ${JSON.stringify(match)}${near}`, {
      remedy: near === '' ? `names are ${shortened(names)}; * stands for anything` : '* stands for anything',
    });
  }
  const found = new Map<string, { parameters: Variable[]; settings: Omit<ParameterGroup, 'parameters'> }>();
  for (const [name, parameter] of named) {
    const { lrScale = 1, weightDecay } = patterns.find(({ pattern }) => pattern.test(name)) ?? {};
    const own = weightDecay ?? (decay === 'weights' && parameter.shape.length < 2 ? 0 : undefined);
    const settings = { lrScale, ...(own === undefined ? {} : { weightDecay: own }) };
    const key = JSON.stringify(settings);
    const group = found.get(key) ?? { parameters: [], settings };
    group.parameters.push(parameter);
    found.set(key, group);
  }
  return [...found.values()].map(({ parameters, settings }) => ({ parameters, ...settings }));
}

function glob(pattern: string): RegExp {
  return new RegExp(`^${pattern.split('*').map((part) => part.replaceAll(/[.+?^${}()|[\]\\]/g, '\\$&')).join('.*')}$`);
}

function shortened(names: readonly string[]): string {
  return names.length <= 8 ? names.join(', ') : `${names.slice(0, 7).join(', ')} and ${names.length - 7} more`;
}
