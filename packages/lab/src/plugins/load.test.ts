// Plugins as Node finds them: packages and files beside the experiment, JavaScript or TypeScript.
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadPlugin } from './load.ts';
import { loaderHook } from './typescript.ts';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'athanor-'));
  const packaged = join(folder, 'node_modules', 'only-esm');
  mkdirSync(packaged, { recursive: true });
  writeFileSync(join(packaged, 'package.json'), '{ "name": "only-esm", "exports": { "import": "./main.mjs" } }');
  writeFileSync(join(packaged, 'main.mjs'), 'export default { name: "only-esm", components: [] };');
  writeFileSync(join(folder, 'local.mjs'), 'export default { name: "local", components: [] };');
  writeFileSync(join(folder, 'words.ts'), 'export const word: string = "typed";\n');
  writeFileSync(
    join(folder, 'typed.ts'),
    `import { word } from './words.ts';
import type { Absent } from './absent.ts';
interface Named { readonly name: string }
const plugin: Named & { components: unknown[] } = { name: word satisfies string, components: [] as Absent[] };
export default plugin;
`,
  );
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('loadPlugin', () => {
  it('finds packages and files from the folder of the experiment', async () => {
    const file = join(folder, 'experiment.yaml');
    expect((await loadPlugin('only-esm', file)).name).toBe('only-esm');
    expect((await loadPlugin('./local.mjs', file)).name).toBe('local');
    await expect(loadPlugin('./absent.mjs', file)).rejects.toThrow(`cannot find plugin "./absent.mjs" — looked for ${join(folder, 'absent.mjs')}`);
    await expect(loadPlugin('only-cjs', file)).rejects.toThrowErrorMatchingInlineSnapshot(`[UserError: cannot find plugin "only-cjs" — npm install only-cjs]`);
  });
});

describe('a syntax error', () => {
  it('is told with its line, as Node finds it', () => {
    writeFileSync(join(folder, 'syntax.mjs'), 'export default {\n  name: "mine", components: [ };\n');
    const program = `
      const { loadPlugin } = await import(${JSON.stringify(new URL('load.ts', import.meta.url).href)});
      await loadPlugin('./syntax.mjs', ${JSON.stringify(join(folder, 'any.yaml'))}).catch((error) => console.log(error.message));`;
    const words = ['--conditions=@athanor/source', '--import', new URL('../testing/source.mjs', import.meta.url).href, '--input-type=module', '-e', program];
    expect(execFileSync(process.execPath, words, { encoding: 'utf8', cwd: folder })).toMatch(
      /^plugin "\.\/syntax\.mjs" failed while loading: Unexpected token '}' \(.*syntax\.mjs:2\)\n$/,
    );
  });
});

describe('loaderHook', () => {
  it('lets Node import TypeScript, with its imports', () => {
    const program = `
      import { register } from 'node:module';
      register(${JSON.stringify(loaderHook())});
      const { default: plugin } = await import(${JSON.stringify(pathToFileURL(join(folder, 'typed.ts')).href)});
      console.log(plugin.name);`;
    expect(execFileSync(process.execPath, ['--input-type=module', '-e', program], { encoding: 'utf8' })).toBe('typed\n');
  });
});
