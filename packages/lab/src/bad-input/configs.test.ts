// Configs that are YAML and nothing else: keys, types, ranges, components, references.
import { expect, test } from 'vitest';
import { Transcript, inTemporaryFolder, plugins, train, walk } from '../testing/transcript.ts';

inTemporaryFolder();

test('keys, types and ranges', async () => {
  const told = new Transcript();
  const sgd = (config: string) => train.replace('{ name: adam, lr: 0.02 }', config);
  await told.file('misspelt keys on every level', train.replace('data:', 'dataa:').replace('hidden', 'hiden').replace('lr:', 'lrr:').replace('batch:', 'bacth:'));
  await told.file('keys that are unlike any', `${train}  colour: blue\nmood: good\n`);
  await told.file('texts where numbers belong', sgd('{ name: adam, lr: fast }').replace('steps: 8', 'steps: "8"'));
  await told.file('numbers where texts belong', `question: 3\n${train.replace('name: moons', 'name: 5')}`);
  await told.file('a block where a list belongs, and a list where a block does', `seeds: { first: 0 }\n${train.replace(/train:\n(?:.*\n)+/, 'train: [{ steps: 3 }]\n')}`);
  await told.file('nothing after keys', train.replace('batch: 10', 'batch:').replace('backend: cpu', 'backend:'));
  await told.file('fractions where whole numbers belong', train.replace('batch: 10', 'batch: 10.5').replace('steps: 8', 'steps: 1.0e+30'));
  await told.file('numbers out of range', sgd('{ name: adam, lr: -1, betas: [0.9, 1] }').replace('batch: 10', 'batch: 0'));
  await told.file('numbers that are none', sgd('{ name: adam, lr: .nan, eps: .inf }'));
  await told.file('a pair of three', sgd('{ name: adam, betas: [0.9, 0.99, 0.999] }'));
  await told.file('yes for true', sgd('{ name: sgd, momentum: 0.9, nesterov: yes }'));
  await told.file('a word that is none of those allowed', `${train}  decay: weight\n  schedule: { name: plateau, metric: test.acc }\n`);
  await told.file('options that exclude each other', `${sgd('{ name: sgd, nesterov: true }')}  epochs: 2\n  clip: { norm: 1, value: 1 }\n  schedule: { name: step, at: [0.5], every: 10 }\n`);
  await told.file('seeds that are none, and one twice', train.concat('seeds: [0, -1, 1.5, 0, a]\n'));
  await told.file('no seeds', train.concat('seeds: []\n'));
  await told.file('nothing to run', 'question: Why?\n');
  await told.file('train and stages', `${train}stages: [{ name: train, steps: 1, data: moons, model: tiny }]\n`);
  await told.file('a train without data, model and length', `plugins: [${plugins.tiny}, ${plugins.cpu}]\nbackend: cpu\ntrain: { batch: 2 }\n`);
  await told.file('no stages in the list', `plugins: [${plugins.toy}]\nstages: []\n`);
  await told.file('a stage without a name', `plugins: [${plugins.toy}]\nstages: [{ steps: 3 }]\n`);
  await told.file('a label of Python', train.concat('  ema: { decay: 1 }\n  groups: [{ match: "", lrScale: -1 }]\n  mixup: 0\n'));
  await expect(told.text).toMatchFileSnapshot('told/configs.txt');
  expect(told.summary).toEqual({ told: 21, problems: [] });
});

test('components and references', async () => {
  const told = new Transcript();
  await told.file('misspelt components of every kind', train.replace('name: adam, lr: 0.02', 'name: adm').replace('name: moons', 'name: mons').replace('name: tiny', 'name: tinny').concat('  schedule: cosin\n  loss: cross-entrpy\n  transforms: [flop]\n'));
  await told.file('components that are unlike any', train.replace('name: adam, lr: 0.02', 'name: newton').replace('name: tiny', 'name: resnet50'));
  await told.file('a backend that is not installed', train.replace('backend: cpu', 'backend: cuda'));
  await told.file('a misspelt backend', train.replace('backend: cpu', 'backend: wsam'));
  await told.file('a backend with a key that it has not', train.replace('backend: cpu', 'backend: { name: cpu, cores: 4 }'));
  await told.file('a component of another kind', train.replace('name: adam, lr: 0.02', 'name: cosine'));
  await told.file('references to nothing', train.replace('batch: 10', 'batch: "${train.bacth}"').replace('hidden: 4', 'hidden: "${size}"'));
  await told.file('a reference to itself', train.replace('batch: 10', 'batch: "${train.batch}"'));
  await told.file('references in a circle', train.replace('batch: 10', 'batch: "${train.steps}"').replace('steps: 8', 'steps: "${model.hidden}"').replace('hidden: 4', 'hidden: "${train.batch}"'));
  await told.file('a reference that is not closed', train.replace('hidden: 4', 'hidden: "${train.batch"'));
  await told.file('a reference to a value of another type', train.replace('batch: 10', 'batch: "${data.name}"'));
  await told.file('a block inside a text', `question: "how ${'${train}'}?"\n${train}`);
  await told.file('an empty reference', train.replace('batch: 10', 'batch: "${}"'));
  await told.file('a validation metric without validation', `${train}  schedule: { name: plateau, metric: validation.loss }\n`);
  await told.file('many at once', walk.replace('steps: 4', 'stepz: 4, scale: big').replace('[0, 1]', '0').concat('sedes: [1]\nquestion: [1]\n'));
  await expect(told.text).toMatchFileSnapshot('told/components.txt');
  expect(told.summary).toEqual({ told: 15, problems: [] });
});
