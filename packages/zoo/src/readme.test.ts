// The README's example runs, and prints what it says.
import { readFileSync } from 'node:fs';
import { format } from 'node:util';
import * as core from '@athanor/core';
import * as nn from '@athanor/core/nn';
import * as norm from '@athanor/norm';
import { expect, test } from 'vitest';
import * as zoo from './index.ts';

const modules: Record<string, object> = { '@athanor/core': core, '@athanor/core/nn': nn, '@athanor/norm': norm, '@athanor/zoo': zoo };

test('the example prints what it says', async () => {
  const text = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
  const [, code = ''] = /```js\n([\s\S]*?)```/.exec(text) ?? [];
  const said = [...code.matchAll(/\/\/ → (.*)/g)].map(([, line]) => line);
  const body = code.replaceAll(/^import (\{.*\}) from '(.*)';$/gm, "const $1 = modules['$2'];");
  const printed: string[] = [];
  const run = new Function('modules', 'console', `return (async () => {\n${body}\n})();`) as (given: object, out: object) => Promise<void>;
  await run(modules, { log: (...values: unknown[]) => printed.push(format(...values)) });
  expect(said.length).toBeGreaterThan(0);
  expect(printed).toEqual(said);
});
