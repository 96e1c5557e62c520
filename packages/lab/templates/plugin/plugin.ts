// A plugin: components that experiments can name. Rename it, and add as many as you need.
import { component, definePlugin } from '@athanor/core/plugin';
import { Module } from '@athanor/core/nn';
import type { Tensor } from '@athanor/core';
import * as z from 'zod';

/** Divides each sample by its root mean square over all but the batch: x / √(mean(x²) + ε). */
class SampleRms extends Module {
  readonly eps: number;

  constructor(eps: number) {
    super();
    this.eps = eps;
  }

  /** `[N, C, …]` → the same shape. */
  override forward(x: Tensor): Tensor {
    const axes = x.shape.map((_, axis) => axis).slice(1);
    return x.div(x.square().mean(axes, { keepdim: true }).add(this.eps).sqrt());
  }
}

export default definePlugin({
  name: 'my-plugin',
  components: [
    component({
      // The kinds: backend, dataset, model, norm, optimizer, schedule, transform, stage.
      kind: 'norm',
      name: 'sample-rms',
      // One line for `athanor ls components`.
      summary: 'Divides each sample by its root mean square',
      // The only source of types, defaults, error messages and editor completion.
      schema: z.strictObject({
        eps: z.number().positive().default(1e-5).meta({ description: 'added to the mean square' }),
      }),
      // A norm is given the number of features and makes a module.
      create: ({ eps }) => () => new SampleRms(eps),
    }),
  ],
});
