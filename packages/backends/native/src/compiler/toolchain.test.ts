import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { compileAll, findToolchain } from './toolchain.ts';

const { CC } = process.env;
afterEach(() => {
  if (CC === undefined) delete process.env['CC'];
  else process.env['CC'] = CC;
});

describe('findToolchain', () => {
  it('tells one key for one compiler, another for narrower vectors', () => {
    expect(findToolchain().key).toBe(findToolchain().key);
    const wide = findToolchain();
    expect(findToolchain(16).key === wide.key).toBe(wide.vectorBytes === 16);
    expect(findToolchain(16).vectorBytes).toBe(16);
  });

  it('says in one line what is missing and what to do', () => {
    process.env['CC'] = '/nowhere/cc -m64';
    expect(() => findToolchain()).toThrowErrorMatchingInlineSnapshot(
      `[UserError: the native backend found no C compiler that works (/nowhere/cc -m64: not found) — install gcc or clang, name one in $CC, or use the wasm backend]`,
    );
  });

  it('quotes a compiler that fails', () => {
    process.env['CC'] = 'false';
    expect(() => findToolchain()).toThrow('false: it ended with status 1');
  });
});

describe('compileAll', () => {
  it('quotes the error of a file that does not compile', () => {
    const folder = mkdtempSync(join(tmpdir(), 'athanor-test-'));
    const files = ['int fine(void) { return 1; }', 'int wrong(void) { return x; }'].map((text, i) => {
      const source = join(folder, `${i}.c`);
      writeFileSync(source, text);
      return { source, output: join(folder, `${i}.so`), level: 1 } as const;
    });
    expect(() => compileAll(findToolchain(), files)).toThrow(/^the C compiler failed: .*‘?'?x.* — check the compiler/);
    rmSync(folder, { recursive: true });
  });
});
