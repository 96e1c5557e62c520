// Every example in the packages' READMEs runs, on the sources, and prints what it says.
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { format } from 'node:util';
import { random, setBackend } from '@athanor/core';
import { referenceBackend } from '@athanor/core/backend';
import { beforeEach, describe, expect, test } from 'vitest';
import { examplesOf } from '../scripts/readme-examples.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));

const documented = ['packages', 'packages/backends']
  .flatMap((parent) => readdirSync(join(root, parent)).map((name) => join(parent, name)))
  .filter((folder) => existsSync(join(root, folder, 'README.md')))
  .map((folder) => ({ folder, examples: examplesOf(readFileSync(join(root, folder, 'README.md'), 'utf8')) }))
  .filter(({ examples }) => examples.length > 0);

/** Import statements as what a function body may hold. */
function asBody(code: string): string {
  return code
    .replaceAll(/^import \* as (\w+) from '(.*)';$/gm, "const $1 = await load('$2');")
    .replaceAll(/^import \{(.*)\} from '(.*)';$/gm, (_, names: string, specifier: string) => `const {${names.replaceAll(' as ', ': ')}} = await load('${specifier}');`);
}

async function printed(code: string): Promise<string[]> {
  const lines: string[] = [];
  const run = new Function('load', 'console', `return (async () => {\n${asBody(code)}\n})();`) as (load: object, out: object) => Promise<void>;
  const load = async (specifier: string): Promise<unknown> => await import(specifier);
  await run(load, { log: (...values: unknown[]) => lines.push(...format(...values).split('\n')) });
  return lines;
}

// An example starts where its reader does: no backend set, nothing drawn.
beforeEach(() => {
  setBackend(referenceBackend());
  random.manualSeed(0);
});

test('packages have examples', () => {
  expect(documented.length).toBeGreaterThan(3);
});

describe.each(documented)('$folder', ({ examples }) => {
  test.each(examples)('line $line', { timeout: 60_000 }, async ({ code, said }) => {
    expect(said.length).toBeGreaterThan(0);
    expect(await printed(code)).toEqual(said);
  });
});
