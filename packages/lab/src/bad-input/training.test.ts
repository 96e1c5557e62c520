// Trainings that cannot work: models that do not fit the data, batches larger than it, numbers that are none.
import { expect, test } from 'vitest';
import { Transcript, inTemporaryFolder, train } from '../testing/transcript.ts';

inTemporaryFolder();

test('what only shows when a training begins', async () => {
  const told = new Transcript();
  const model = (config: string) => train.replace('{ name: tiny, hidden: 4 }', config);
  await told.file('a model that does not take the samples', model('{ name: misfit, inputs: 3 }'));
  await told.file('a model with too few answers', model('{ name: misfit, outputs: 1 }'));
  await told.file('a model that does not take its own values', model('{ name: misfit, hidden: 5 }'));
  await told.file('a batch larger than the data', train.replace('batch: 10', 'batch: 50'));
  await told.file('a batch larger than what validation leaves', `${train}  validation: 35\n`);
  await told.file('more held out than there is', `${train}  validation: 40\n`);
  await told.file('a batch that does not split', `${train}  microBatches: 3\n`);
  await told.file('a group that matches nothing', `${train}  groups: [{ match: lsat.bias, lrScale: 2 }]\n`);
  await told.file('a group that is unlike any name', `${train}  groups: [{ match: "encoder.*", lrScale: 2 }]\n`);
  await told.file('transforms of pictures on points', `${train}  transforms: [crop]\n`);
  await told.file('a step as large as the universe', train.replace('{ name: adam, lr: 0.02 }', '{ name: sgd, lr: 1.0e+30 }').concat('  loss: squared\n'));
  await told.file('a loss that becomes NaN', train.replace('{ name: adam, lr: 0.02 }', '{ name: sgd, lr: 3.0e+38 }'));
  await told.file('weights that are infinite though the loss is not', train.replace('{ name: adam, lr: 0.02 }', '{ name: sgd, lr: 1.0e+38, weightDecay: 1000 }').concat('  checkpointEvery: 1\n'));
  await told.file('a rate that no float32 holds', train.replace('lr: 0.02', 'lr: 1.0e+39'));
  await expect(told.text).toMatchFileSnapshot('told/training.txt');
  expect(told.summary).toEqual({ told: 14, problems: [] });
});

test('data that is not there or not as it should be', async () => {
  const told = new Transcript();
  const data = (config: string) => train.replace('{ name: moons, train: 40, test: 20 }', config);
  const none = ['--data-dir', 'nowhere'];
  await told.file('a set whose files are nowhere', data('cifar10'), none);
  await told.file('files of MNIST that are nowhere', data('{ name: mnist, source: files }'), none);
  await told.file('more samples than there are', data('{ name: fashion-mnist, train: 3000 }'));
  await told.file('no samples', data('{ name: moons, train: 0 }'));
  await told.file('a folder of pictures that is nowhere', data('{ name: image-folder, folder: pictures }'));
  await told.file('a table that is nowhere', data('{ name: table, file: iris.csv, label: kind }'));
  await told.file('a key of another set', data('{ name: moons, classes: 3 }'));
  await expect(told.text).toMatchFileSnapshot('told/data.txt');
  expect(told.summary).toEqual({ told: 7, problems: [] });
});
