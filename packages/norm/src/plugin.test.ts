// The plugin: every component can be made by name from defaults, with what its schema promises.
import { zeros } from '@athanor/core';
import { Registry } from '@athanor/core/plugin';
import { describe, expect, it } from 'vitest';
import plugin, { BatchNorm, ChannelLayerNorm, GroupNorm } from './index.ts';

const registry = new Registry([plugin]);

describe('components', () => {
  it('are these', () => {
    expect(registry.list('norm').map(({ component }) => component.name)).toMatchInlineSnapshot(`
      [
        "batch",
        "group",
        "instance",
        "layer",
        "none",
        "rms",
      ]
    `);
  });

  it.each(registry.list('norm').map(({ component }) => component.name))('%s keeps shapes', (name) => {
    const module = registry.make('norm', name)(16).eval();
    for (const shape of [[2, 16, 3, 3], [2, 5, 16]]) expect(module.forward(zeros(shape)).shape).toEqual(shape);
  });

  it('pass their config on', () => {
    expect(registry.make('norm', { name: 'batch', momentum: null, eps: 0.5 })(3)).toMatchObject({ momentum: null, eps: 0.5, features: 3 });
    expect(registry.make('norm', { name: 'group', groups: 3 })(6)).toMatchObject({ groups: 3 });
    expect(registry.make('norm', 'batch')(3)).toBeInstanceOf(BatchNorm);
    expect(registry.make('norm', 'layer')(3)).toBeInstanceOf(ChannelLayerNorm);
    expect(registry.make('norm', { name: 'layer', affine: false })(3).parameters()).toEqual([]);
    expect(registry.make('norm', 'group')(8)).toBeInstanceOf(GroupNorm);
  });

  it('refuse what the schema does not know', () => {
    expect(() => registry.make('norm', { name: 'batch', epsilon: 1 })).toThrowErrorMatchingInlineSnapshot(`[UserError: norm.batch.epsilon: unknown key "epsilon" — did you mean "eps"?]`);
    expect(() => registry.make('norm', { name: 'group', groups: 0 })).toThrowErrorMatchingInlineSnapshot(`[UserError: norm.group.groups: must be at least 1, got 0]`);
    expect(() => registry.make('norm', 'bach')).toThrowErrorMatchingInlineSnapshot(`[UserError: unknown norm "bach" — did you mean "batch"?]`);
  });
});
