// Experiment files that are no YAML, or YAML that says something else than its author meant.
import { expect, test } from 'vitest';
import { Transcript, inTemporaryFolder, walk } from '../testing/transcript.ts';

inTemporaryFolder();

test('files that cannot be read', async () => {
  const told = new Transcript();
  await told.file('an empty file', '');
  await told.file('only a comment', '# nothing yet\n');
  await told.file('a list at the top', '- train\n');
  await told.file('a text at the top', 'train\n');
  await told.file('a key twice', `${walk}seeds: [1]\n`);
  await told.file('a key twice inside', 'train: { steps: 3, batch: 4, steps: 5 }\n');
  await told.file('tabs', 'train:\n\tsteps: 3\n');
  await told.file('a quote that is not closed', 'question: "Which norm?\nseeds: [0]\n');
  await told.file('a brace that is not closed', 'train: { steps: 3\nseeds: [0]\n');
  await told.file('a bracket too many', 'seeds: [0]]\n');
  await told.file('a key without a space after its colon', 'seeds:[0]\ntrain: { steps: 1 }\n');
  await told.file('wrong indentation', 'train:\n  batch: 2\n   steps: 3\n');
  await told.file('a number as a key', `${walk}1: x\n`);
  await told.file('a tag', 'train: !secret {}\n');
  await told.file('an alias of nothing', 'train: *base\n');
  await told.file('an anchor inside itself', 'train: &loop { steps: 1, again: *loop }\n');
  await told.file('aliases that grow without end', bomb());
  await told.file('two documents', `${walk}---\n${walk}`);
  await told.file('bytes that are no text', Uint8Array.from({ length: 64 }, (_, index) => (index * 37) & 255));
  await told.file('text in another encoding', new Uint8Array(Uint16Array.from(walk, (letter) => letter.codePointAt(0) ?? 0).buffer));
  await told.file('a file that ends in the middle of a word', walk.slice(0, walk.indexOf('checkpointEvery') + 5));
  await expect(told.text).toMatchFileSnapshot('told/yaml.txt');
  expect(told.summary).toEqual({ told: 21, problems: [] });
});

/** Ten lists, each of ten times the one before. */
function bomb(): string {
  const rows = Array.from({ length: 10 }, (_, level) => {
    const inner = level === 0 ? 'x' : `*a${level - 1}`;
    return `a${level}: &a${level} [${new Array<string>(10).fill(inner).join(', ')}]`;
  });
  return `${rows.join('\n')}\n`;
}
