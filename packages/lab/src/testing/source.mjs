// `node --conditions=@athanor/source --import ./source.mjs …` runs TypeScript sources on any Node: for tests that start processes.
// What has been translated once is kept under the temporary folder, by its content.
import { createRequire, register } from 'node:module';
import { pathToFileURL } from 'node:url';

const sucrase = pathToFileURL(createRequire(import.meta.url).resolve('sucrase')).href;
const hook = `
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
const folder = join(tmpdir(), 'athanor-test-sources');
mkdirSync(folder, { recursive: true });
async function translate(text) {
  const file = join(folder, createHash('sha256').update(text).digest('hex'));
  try {
    return readFileSync(file, 'utf8');
  } catch {
    const { default: sucrase } = await import(${JSON.stringify(sucrase)});
    const { code } = sucrase.transform(text, { transforms: ['typescript'], disableESTransforms: true });
    const temporary = file + '-' + process.pid;
    writeFileSync(temporary, code);
    renameSync(temporary, file);
    return code;
  }
}
export async function load(url, context, next) {
  if (!/^file:.*[.]ts$/.test(url)) return next(url, context);
  return { format: 'module', shortCircuit: true, source: await translate(readFileSync(new URL(url), 'utf8')) };
}`;
register(`data:text/javascript,${encodeURIComponent(hook)}`);
