// `node --conditions=@athanor/source --import ./source.mjs …` runs TypeScript sources on any Node: for tests that start processes.
import { createRequire, register } from 'node:module';
import { pathToFileURL } from 'node:url';

const sucrase = pathToFileURL(createRequire(import.meta.url).resolve('sucrase')).href;
const hook = `
import { readFile } from 'node:fs/promises';
import sucrase from ${JSON.stringify(sucrase)};
export async function load(url, context, next) {
  if (!/^file:.*[.]ts$/.test(url)) return next(url, context);
  const { code } = sucrase.transform(await readFile(new URL(url), 'utf8'), { transforms: ['typescript'], disableESTransforms: true });
  return { format: 'module', shortCircuit: true, source: code };
}`;
register(`data:text/javascript,${encodeURIComponent(hook)}`);
