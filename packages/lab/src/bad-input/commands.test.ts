// Wrong words for the commands that look at runs, write files or prepare work.
import { readdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import { Transcript, athanor, inTemporaryFolder, walk, write } from '../testing/transcript.ts';

inTemporaryFolder();

test('wrong words for other commands', async () => {
  const told = new Transcript();
  write({ 'walk.yaml': `${walk.replace('[0, 1]', '[0]').replace('checkpointEvery: 2', 'scale: "${scale}"')}sweep: { grid: { scale: [1, 2] } }\n`, 'file.txt': 'no folder\n' });
  await athanor('run', 'walk.yaml');
  const [run = ''] = readdirSync('runs').filter((name) => !name.startsWith('.'));
  await told.command('planning a misspelt file', ['plan', 'wlak.yaml']);
  await told.command('planning with an override that is none', ['plan', 'walk.yaml', 'stages.0.stepz=1']);
  await told.command('planning for less than no time', ['plan', 'walk.yaml', '--seconds=-1']);
  await told.command('planning a quick form that is not there', ['plan', 'walk.yaml', '--quick']);
  await told.command('asking why of no run', ['why', 'wakl']);
  await told.command('asking why of no stage', ['why', run, 'wlak']);
  await told.command('showing what is not there', ['show', 'wlak']);
  await told.command('showing a job that is not there', ['show', run, '--job=seed-7']);
  await told.command('overriding a run that is done', ['show', run, 'seeds=[1]']);
  await told.command('a template that is none', ['init', 'clasifier']);
  await told.command('a template into a folder that is a file', ['init', 'classifier', 'file.txt']);
  await athanor('init', 'classifier', 'mine');
  await told.command('a template over what is there', ['init', 'classifier', 'mine']);
  await told.command('exporting no run', ['export', 'wakl']);
  await told.command('exporting to a format that is none', ['export', run, '--format=exel']);
  await told.command('comparing what is not there', ['compare', 'wakl', 'walk']);
  await told.command('several mistakes in comparing', ['compare', run, run, '--metric=test.acuracy', '--against=none']);
  await told.command('comparing a metric that nothing has', ['compare', run, '--metric=test.acuracy']);
  await told.command('comparing against a variant that is none', ['compare', run, '--against=none']);
  await told.command('a port that is none', ['ui', '--port=70000']);
  await told.command('the schema of a folder that is not there', ['schema', 'experimnets']);
  await told.command('a lease of no time', ['worker', '--lease=0']);
  await expect(told.text).toMatchFileSnapshot('told/commands.txt');
  expect(told.summary).toEqual({ told: 21, problems: [] });
});
