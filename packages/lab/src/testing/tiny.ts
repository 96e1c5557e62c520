// A plugin with a small model for tests of training: it has dropout, so that random streams matter.
import type { Tensor } from '@athanor/core';
import { Dropout, Linear, Module, Sequential, functional } from '@athanor/core/nn';
import { component, definePlugin } from '@athanor/core/plugin';
import * as z from 'zod';

class Tiny extends Module {
  readonly first: Linear;
  readonly drop = new Dropout(0.1);
  readonly last: Linear;

  constructor(inputs: number, hidden: number, classes: number) {
    super();
    this.first = new Linear(inputs, hidden);
    this.last = new Linear(hidden, classes);
  }

  override forward(x: Tensor): Tensor {
    const [size = 1] = x.shape;
    return this.last.forward(this.drop.forward(functional.relu(this.first.forward(x.reshape(size, -1)))));
  }
}

export default definePlugin({
  name: 'tiny',
  components: [
    component({
      kind: 'model',
      name: 'tiny',
      summary: 'Two linear layers with dropout',
      schema: z.strictObject({ hidden: z.int().min(1).default(16) }),
      create: ({ hidden }, { input, classes }) => new Tiny(input.reduce((product, size) => product * size, 1), hidden, classes),
    }),
    component({
      kind: 'model',
      name: 'misfit',
      summary: 'Two linear layers whose sizes need not fit anything',
      schema: z.strictObject({ inputs: z.int().default(2), hidden: z.int().default(4), outputs: z.int().default(2) }),
      create: ({ inputs, hidden, outputs }) => new Sequential(new Linear(inputs, 4), new Linear(hidden, outputs)),
    }),
    component({
      kind: 'probe',
      name: 'length',
      summary: 'Squared length of the parameters',
      schema: z.strictObject({ every: z.int().min(1).default(1) }),
      create: ({ every }, { model }) => ({
        every,
        async measure() {
          const lengths = model.parameters().map(({ value }) => value.square().sum());
          return { length: await lengths.reduce((sum, part) => sum.add(part)).item() };
        },
        summarize(history) {
          const lengths = history.get('length') ?? [];
          return { 'length.count': lengths.length, 'length.first': lengths[0] ?? NaN };
        },
        artifacts: (history) => new Map([['lengths.json', JSON.stringify(history.get('length'))]]),
      }),
    }),
  ],
});
