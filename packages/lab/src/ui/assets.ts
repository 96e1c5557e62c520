// The page's scripts as a browser can run them: as they were built, or from the sources.
import { readFileSync, readdirSync } from 'node:fs';
import { extname } from 'node:path';
import { transform } from 'sucrase';

const folder = new URL('client/', import.meta.url);
/** Sources in a working copy, built files in a package. */
const ending = extname(import.meta.url);

const entry = `/client/main${ending}`;

/** Where all of the page's scripts are served, the first one first. */
export function scriptPaths(): string[] {
  const names = readdirSync(folder).filter((file) => file.endsWith(ending) && !file.endsWith(`.test${ending}`) && !file.endsWith('.d.ts'));
  return [entry, ...names.map((file) => `/client/${file}`).filter((path) => path !== entry)];
}

/** The script at a path such as `/client/main.js`; undefined if there is none. */
export function readScript(path: string): string | undefined {
  if (!scriptPaths().includes(path)) return undefined;
  const text = readFileSync(new URL(path.slice('/client/'.length), folder), 'utf8');
  return ending === '.ts' ? transform(text, { transforms: ['typescript'], disableESTransforms: true }).code : text.replace(/^\/\/# sourceMappingURL=.*$/m, '');
}
