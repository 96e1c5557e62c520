// Sweeps, extended files, named stages, quick forms, claims, and configs that are modules.
import { expect, test } from 'vitest';
import { Transcript, inTemporaryFolder, plugins, walk, write } from '../testing/transcript.ts';

inTemporaryFolder();

const swept = (sweep: string) => `plugins: [${plugins.toy}]\nstages: [{ name: walk, steps: 4, scale: "\${scale}" }]\nsweep: ${sweep}\n`;

test('sweeps', async () => {
  const told = new Transcript();
  await told.file('a misspelt way', swept('{ gird: { scale: [1, 2] } }'));
  await told.file('no way', swept('{}'));
  await told.file('two ways', swept('{ grid: { scale: [1] }, list: [{ scale: 1 }] }'));
  await told.file('no values', swept('{ grid: { scale: [] } }'));
  await told.file('one value that is no list', swept('{ grid: { scale: 1 } }'));
  await told.file('a value twice', swept('{ grid: { scale: [1, 2, 1] } }'));
  await told.file('a value of another type', swept('{ grid: { scale: [1, big] } }'));
  await told.file('a variable that is used nowhere', swept('{ grid: { scale: [1], sacle: [2, 3] } }'));
  await told.file('a place that is not there', swept('{ grid: { scale: [1], stages.3.steps: [2] } }'));
  await told.file('lists of several lengths in a zip', swept('{ zip: { scale: [1, 2, 3], seed: [1, 2] } }'));
  await told.file('a list of numbers', swept('{ list: [1, 2] }'));
  await told.file('an entry that lacks a variable', swept('{ list: [{ scale: 1 }, {}] }'));
  await told.file('no number of samples', swept('{ random: { space: { scale: { uniform: [0, 1] } } } }'));
  await told.file('ranges that are none', swept('{ random: { samples: 3, space: { scale: { unifrom: [0, 1] }, a: { log: [0, 1] }, b: { int: [5, 2] }, c: {}, d: { uniform: [1] } } } }'));
  await told.file('halves of a hypercube', swept('{ lhs: { samples: 2.5, space: { scale: { uniform: [0, 1], log: [1, 2] } } } }'));
  await told.file('a halving that is none', swept('{ grid: { scale: [1, 2] }, halving: { factor: 1, rungs: 0.5, mood: max } }'));
  await told.file('a halving by a metric that nothing logs', swept('{ grid: { scale: [1, 2] }, halving: { metric: test.acuracy } }'));
  await told.file('a halving of nothing', swept('{ halving: { metric: test.accuracy } }'));
  await expect(told.text).toMatchFileSnapshot('told/sweeps.txt');
  expect(told.summary).toEqual({ told: 18, problems: [] });
});

test('files under files, named stages, quick forms', async () => {
  const told = new Transcript();
  const named = (stages: string) => `plugins: [${plugins.toy}]\nstages:\n${stages}`;
  write({
    'base.yaml': `${walk}question: [Why?]\n`,
    'broken.yaml': 'plugins: [\n',
    'first.yaml': 'extends: [second.yaml]\n',
    'second.yaml': 'extends: [first.yaml]\n',
  });
  await told.file('a file that is not there', `extends: [bsae.yaml]\n${walk}`);
  await told.file('no list', `extends: base.yaml\n${walk}`);
  await told.command('a circle', ['run', 'first.yaml']);
  await told.file('a mistake in the file under it', 'extends: [base.yaml]\nseeds: [a]\n');
  await told.file('a file under it that cannot be read', 'extends: [broken.yaml]\n');
  await told.file('a stage that needs one that is not there', named('  first: { name: walk }\n  second: { name: walk, needs: [frist] }\n'));
  await told.file('needs that are no list', named('  first: { name: walk }\n  second: { name: walk, needs: first }\n'));
  await told.file('needs in a circle', named('  first: { name: walk, needs: [second] }\n  second: { name: walk, needs: [first] }\n'));
  await told.file('a name that is none for a stage', named('  "first one": { name: walk }\n'));
  await told.file('no stages', `plugins: [${plugins.toy}]\nstages: {}\n`);
  await told.file('a quick form with a key that nothing has', `${walk}quick: { stages.0.stepz: 2, sedes: [0] }\n`);
  await told.file('a quick form with a value of another type', `${walk}quick: { stages.0.steps: few, "a b": 1 }\n`);
  write({ 'plain.yaml': walk });
  await told.command('no quick form', ['reproduce', 'plain.yaml', '--quick']);
  await expect(told.text).toMatchFileSnapshot('told/layers.txt');
  expect(told.summary).toEqual({ told: 13, problems: [] });
});

test('claims', async () => {
  const told = new Transcript();
  const claim = (expectation: string) => `${swept('{ grid: { scale: [1, 2, 3] } }')}claims:\n  - says: it goes far\n    expect: ${expectation}\n`;
  await told.file('misspelt keys', claim('{ metric: test.accuracy, higer: { scale: 1 }, than: { scale: 2 } }').replace('says', 'say'));
  await told.file('a variable that the sweep has not', claim('{ metric: test.accuracy, higher: { sclae: 1 }, than: { scale: 2 } }'));
  await told.file('a value that no variant has', claim('{ metric: test.accuracy, higher: { scale: 7 }, than: { scale: 2 } }'));
  await told.file('several variants', claim('{ metric: test.accuracy, higher: {}, than: { scale: 2 } }'));
  await told.file('two statements', claim('{ metric: test.accuracy, higher: { scale: 1 }, lower: { scale: 2 }, than: { scale: 3 } }'));
  await told.file('half a statement', claim('{ metric: test.accuracy, higher: { scale: 1 } }'));
  await told.file('no statement', claim('{ metric: test.accuracy }'));
  await told.file('bounds the wrong way round', claim('{ metric: test.accuracy, of: { scale: 1 }, atLeast: 0.9, atMost: 0.1 }'));
  await told.file('a key of another statement', claim('{ metric: test.accuracy, of: { scale: 1 }, atLeast: 0.1, within: 0.2 }'));
  await told.file('a claim without a metric', claim('{ of: { scale: 1 }, atLeast: 0.1 }'));
  await expect(told.text).toMatchFileSnapshot('told/claims.txt');
  expect(told.summary).toEqual({ told: 10, problems: [] });
});

test('configs that are modules', async () => {
  const told = new Transcript();
  const body = (stage: string) => `export default { plugins: [${plugins.toy}], stages: [${stage}] };\n`;
  await told.file('one that throws', 'throw new Error("no luck");\n', [], 'throws.mjs');
  await told.file('no default export', 'export const experiment = {};\n', [], 'named.mjs');
  await told.file('a function', 'export default () => ({});\n', [], 'function.mjs');
  await told.file('values that are no data', body('{ name: "walk", steps: () => 3, when: new Date(0), scale: NaN, wait: 3n }'), [], 'values.mjs');
  await told.file('misspelt keys', body('{ name: "walk", stepz: 3 }'), [], 'keys.mjs');
  await told.file('a value out of range', body('{ name: "walk", steps: 0 }'), [], 'range.mjs');
  await expect(told.text).toMatchFileSnapshot('told/modules.txt');
  expect(told.summary).toEqual({ told: 6, problems: [] });
});
