// The README's example runs as a user would run it, against the built package, and prints what it says.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

test('the example prints what it says', () => {
  const folder = fileURLToPath(new URL('..', import.meta.url));
  const [, code = ''] = /```js\n([\s\S]*?)```/.exec(readFileSync(`${folder}README.md`, 'utf8')) ?? [];
  const said = [...code.matchAll(/\/\/ → (.*)/g)].map(([, line]) => line);
  const printed = execFileSync(process.execPath, ['--input-type=module', '--eval', code], {
    cwd: folder,
    encoding: 'utf8',
  });
  expect(said.length).toBeGreaterThan(0);
  expect(printed.trimEnd().split('\n')).toEqual(said);
});
