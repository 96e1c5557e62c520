// Wrong words on the command line: commands, options, files that are no experiments, runs that are not there.
import { mkdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import { Transcript, inTemporaryFolder, walk, write } from '../testing/transcript.ts';

inTemporaryFolder();

test('wrong words', async () => {
  const told = new Transcript();
  write({ 'walk.yaml': walk, 'picture.png': Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10, 0, 0, 1, 2), 'runs-file': 'no folder\n' });
  mkdirSync('folder');
  await told.command('no command', []);
  await told.command('a misspelt command', ['rum', 'walk.yaml']);
  await told.command('no experiment', ['run']);
  await told.command('a misspelt option', ['run', 'walk.yaml', '--frehs']);
  await told.command('a misspelt file', ['run', 'wlak.yaml']);
  await told.command('a file that is not there, nor one like it', ['run', 'elsewhere/other.yaml']);
  await told.command('a folder', ['run', 'folder']);
  await told.command('a picture', ['run', 'picture.png']);
  await told.command('no value after the equals sign of an option', ['run', 'walk.yaml', '--workers=']);
  await told.command('a text where an option takes a number', ['run', 'walk.yaml', '--workers=many']);
  await told.command('no workers', ['run', 'walk.yaml', '--workers=0']);
  await told.command('a misspelt executor', ['run', 'walk.yaml', '--executor=pol']);
  await told.command('an option for another executor', ['run', 'walk.yaml', '--queue=redis://127.0.0.1']);
  await told.command('a folder of runs that is a file', ['run', 'walk.yaml', '--runs=runs-file']);
  await told.command('a second experiment', ['run', 'walk.yaml', 'walk.yaml']);
  await told.command('resuming nothing', ['resume', 'wakl']);
  await told.command('reporting nothing', ['report', 'cycle']);
  await told.command('reporting a folder that is no run', ['report', 'folder']);
  await told.command('reproducing nothing', ['reproduce', 'folder']);
  await told.command('reproducing what is not there', ['reproduce', 'wlak.yaml']);
  await told.command('listing what is not listed', ['ls', 'rums']);
  await told.command('listing an unknown kind', ['ls', 'components', '--kind', 'datset']);
  await told.command('listing with a plugin that is not there', ['ls', 'components', '--plugin', './absent.ts']);
  await told.command('examining an experiment that is not there', ['doctor', 'wlak.yaml']);
  await expect(told.text).toMatchFileSnapshot('told/words.txt');
  expect(told.summary).toEqual({ told: 24, problems: [] });
});

test('wrong overrides', async () => {
  const told = new Transcript();
  write({ 'walk.yaml': `${walk}sweep: { grid: { stages.0.scale: [1, 2] } }\n` });
  const words: readonly (readonly [string, ...string[]])[] = [
    ['no equals sign', 'steps'],
    ['nothing before it', '=3'],
    ['a key that is none', 'a b=1'],
    ['a value that is no YAML', 'seeds=[1'],
    ['a key that nothing has', 'sede=4'],
    ['a position that a list does not have', 'stages.7.steps=1'],
    ['a name where a list has positions', 'stages.walk.steps=1'],
    ['a key inside a number', 'stages.0.steps.more=2'],
    ['a value of another type', 'stages.0.steps=many'],
    ['a value out of range', 'stages.0.steps=0'],
    ['a text where a list is needed', 'seeds=7'],
    ['a misspelt key of a component', 'stages.0.stepz=3'],
    ['a component that is none', 'stages.0.name=wlak'],
    ['several at once', 'sede=4', 'stages.0.steps=0', 'x'],
  ];
  for (const [what, ...overrides] of words) await told.command(what, ['run', 'walk.yaml', ...overrides]);
  await expect(told.text).toMatchFileSnapshot('told/overrides.txt');
  expect(told.summary).toEqual({ told: 14, problems: [] });
});
