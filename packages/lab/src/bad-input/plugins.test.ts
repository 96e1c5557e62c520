// Plugins that are not there, do not load, are none, or fail while they run.
import { expect, test } from 'vitest';
import { Transcript, inTemporaryFolder, plugins, walk, write } from '../testing/transcript.ts';

inTemporaryFolder();

test('plugins that do not load', async () => {
  const told = new Transcript();
  const using = (specifier: string) => walk.replace('plugins: [', `plugins: [${specifier}, `);
  const schema = '{ safeParse: (data) => ({ success: true, data }), _zod: { def: { type: "object", shape: {} } } }';
  const module = (components: string) => `export default { name: "mine", components: ${components} };\n`;
  write({
    'syntax.mjs': 'export default { name: "mine", components: [ };\n',
    'throws.mjs': 'throw new Error("no luck today");\n',
    'text.mjs': 'throw "no luck";\n',
    'imports.mjs': 'import "absent-package";\nexport default { name: "mine", components: [] };\n',
    'named.mjs': 'export const plugin = { name: "mine", components: [] };\n',
    'wrong.mjs': 'export default { version: 1 };\n',
    'number.mjs': module('[3]'),
    'nameless.mjs': module(`[{ kind: "stage", summary: "", schema: ${schema}, create() {} }]`),
    'schemaless.mjs': module('[{ kind: "stage", name: "mine", summary: "", schema: { steps: "number" }, create() {} }]'),
    'createless.mjs': module(`[{ kind: "stage", name: "mine", summary: "", schema: ${schema} }]`),
    'double.mjs': module(`[{ kind: "stage", name: "walk", summary: "", schema: ${schema}, create() {} }]`),
    'empty.mjs': module('[]'),
    'words.json': '{ "name": "mine" }',
  });
  await told.file('a package that is not installed', using('"@athanor/nrom"'));
  await told.file('a file that is not there', using('./absent.ts'));
  await told.file('a folder', using('./.'));
  await told.file('a syntax error', using('./syntax.mjs'));
  await told.file('one that throws', using('./throws.mjs'));
  await told.file('one that throws a text', using('./text.mjs'));
  await told.file('one that imports what is not there', using('./imports.mjs'));
  await told.file('no default export', using('./named.mjs'));
  await told.file('a default export that is no plugin', using('./wrong.mjs'));
  await told.file('components that are none', using('./number.mjs'));
  await told.file('a component without a name', using('./nameless.mjs'));
  await told.file('a schema that is none', using('./schemaless.mjs'));
  await told.file('a component without create', using('./createless.mjs'));
  await told.file('a component that another plugin has', using('./double.mjs'));
  await told.file('the same plugin twice', using('./empty.mjs, ./empty.mjs'));
  await told.file('not a list', walk.replace(/plugins: .*/, `plugins: ${plugins.toy}`));
  await told.file('several at once', using('./throws.mjs, ./absent.ts, ./wrong.mjs'));
  await expect(told.text).toMatchFileSnapshot('told/plugins.txt');
  expect(told.summary).toEqual({ told: 17, problems: [] });
});

test('plugins that fail while they run', async () => {
  const told = new Transcript();
  for (const how of ['create', 'step', 'step-text', 'state', 'finish', 'no-stage', 'no-steps', 'metric', 'artifact', 'values', 'mistake']) {
    write({ 'faulty.yaml': `plugins: [${plugins.faulty}]\nstages: [{ name: faulty, how: ${how} }]\n` });
    await told.command(how, ['run', 'faulty.yaml'], how === 'mistake' ? 2 : 1);
  }
  write({ 'faulty.yaml': `plugins: [${plugins.faulty}]\nstages: [{ name: faulty, how: "\${how}" }]\nsweep: { grid: { how: [create, mistake, step] } }\n` });
  await told.command('several runs', ['run', 'faulty.yaml'], 1);
  await expect(told.text).toMatchFileSnapshot('told/faults.txt');
  expect(told.summary).toEqual({ told: 12, problems: [] });
});
