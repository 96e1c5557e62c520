// The plugin: every component can be made by name from defaults, with what its schema promises.
import { grad, readAll, zeros } from '@athanor/core';
import { Conv2d } from '@athanor/core/nn';
import { Registry } from '@athanor/core/plugin';
import { describe, expect, it } from 'vitest';
import { layouts, layoutsOf, makeMethod, methodNames } from './testing/methods.ts';
import { randomTensor } from './testing/numbers.ts';
import plugin, { BatchNorm, ChannelLayerNorm, GroupNorm } from './index.ts';

const registry = new Registry([plugin]);

describe('components', () => {
  it('are these', () => {
    expect(registry.list().map(({ component }) => `${component.kind} ${component.name}`)).toMatchInlineSnapshot(`
      [
        "norm adaptive-instance",
        "norm adaptive-layer",
        "norm batch",
        "norm batch-renorm",
        "norm conditional-instance",
        "norm cosine",
        "norm cross-iteration",
        "norm cross-mini-batch",
        "norm decorrelated",
        "norm divisive",
        "norm dynamic-erf",
        "norm dynamic-tanh",
        "norm eval",
        "norm evo-b0",
        "norm evo-s0",
        "norm extended-batch",
        "norm film-group",
        "norm filter-response",
        "norm frozen-batch",
        "norm ghost-batch",
        "norm global-response",
        "norm group",
        "norm in-place-batch",
        "norm instance",
        "norm iterative",
        "norm layer",
        "norm layer-scale",
        "norm local-response",
        "norm mean-only-batch",
        "norm none",
        "norm pixel",
        "norm positional",
        "norm propagation",
        "norm recurrent-batch",
        "norm rms",
        "norm scaled-standardization",
        "norm simple",
        "norm spectral",
        "norm split-batch",
        "norm standardization",
        "norm switchable",
        "norm synchronized-batch",
        "norm unit",
        "norm virtual-batch",
        "norm weight",
        "recurrent-norm layer",
        "recurrent-norm none",
        "recurrent-norm recurrent-batch",
        "reparametrization cosine",
        "reparametrization cross-iteration",
        "reparametrization propagation",
        "reparametrization scaled-standardization",
        "reparametrization spectral",
        "reparametrization standardization",
        "reparametrization weight",
      ]
    `);
  });

  it.each(methodNames)('%s keeps shapes in evaluation, and learns in training', async (name) => {
    for (const layout of layoutsOf(name)) {
      const module = makeMethod(name, layout);
      const shape = layouts[layout];
      expect(module.eval().forward(zeros(shape)).shape).toEqual(shape);
      const y = module.train().forward(randomTensor(shape, 1, { dtype: 'float32' }));
      const gradients = await readAll(grad(y.square().mean(), module.parameters(), { allowUnused: true }));
      for (const values of gradients) expect(values.every((value) => Number.isFinite(value))).toBe(true);
    }
  });

  it('that change weights or need a condition say so where a model does not offer it', () => {
    expect(() => registry.make('norm', 'spectral')(8)).toThrowErrorMatchingInlineSnapshot(`[UserError: norm spectral changes the weights of the layer in front, which this model does not offer — reparametrize(model, …), or weight: spectral where a model has that key]`);
    expect(() => registry.make('norm', { name: 'film-group', condition: 3 })(8).forward(zeros([2, 8, 3, 3]))).toThrowErrorMatchingInlineSnapshot(`[UserError: FilmGroupNorm: no condition — call forward(x, condition); models that give none need another normalization]`);
  });

  it.each(registry.list('reparametrization').map(({ component }) => component.name))('%s wraps a layer', (name) => {
    const wrapped = registry.make('reparametrization', name)(new Conv2d(3, 4, 3, { padding: 1 }));
    expect(wrapped.forward(zeros([2, 3, 5, 5])).shape).toEqual([2, 4, 5, 5]);
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
