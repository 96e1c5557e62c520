// TypeScript plugins on a Node that does not strip types itself (before 22.18): a loader hook does it.
import { createRequire, register } from 'node:module';
import { pathToFileURL } from 'node:url';

let enabled = false;

/** From now on `import()` takes `.ts` files; types are removed, nothing is checked. */
export function enableTypeScript(): void {
  if (enabled || ('typescript' in process.features && process.features.typescript !== false)) return;
  enabled = true;
  register(loaderHook());
}

/** URL of the hook: Node runs hooks in a thread of their own, from a module of their own. */
export function loaderHook(): string {
  const sucrase = pathToFileURL(createRequire(import.meta.url).resolve('sucrase')).href;
  const code = `
import { readFile } from 'node:fs/promises';
import sucrase from ${JSON.stringify(sucrase)};
const options = { transforms: ['typescript'], disableESTransforms: true, keepUnusedImports: false };
export async function load(url, context, next) {
  const path = url.split('?')[0];
  if (!path.startsWith('file:') || !/\\.m?ts$/.test(path)) return next(url, context);
  const code = await readFile(new URL(path), 'utf8');
  return { format: 'module', shortCircuit: true, source: sucrase.transform(code, { ...options, filePath: path }).code };
}`;
  return `data:text/javascript,${encodeURIComponent(code)}`;
}
