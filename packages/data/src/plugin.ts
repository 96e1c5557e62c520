// What this package brings to experiments.
import { component, definePlugin } from '@athanor/core/plugin';
import type { DatasetSplits } from './dataset.ts';
import { fashionMnist, fashionMnistSchema } from './sets/fashion-mnist.ts';
import { transformComponents } from './transforms/index.ts';

export default definePlugin({
  name: '@athanor/data',
  components: [
    component({
      kind: 'dataset',
      name: 'fashion-mnist',
      summary: 'Fashion-MNIST (Xiao et al. 2017): 28×28 grey clothes in ten classes; a subset is embedded',
      schema: fashionMnistSchema,
      create: (config, context): Promise<DatasetSplits> => fashionMnist(config, context),
    }),
    ...transformComponents,
  ],
});
