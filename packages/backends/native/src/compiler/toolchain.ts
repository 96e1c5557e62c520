// The system's C compiler: found, asked what the processor has, and called.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { UserError } from '@athanor/core/backend';
import type { Target } from '../codegen/source.ts';

/** Bytes of the widest vectors to use. */
export type VectorBytes = 16 | 32 | 64;

export interface Toolchain extends Target {
  readonly vectorBytes: VectorBytes;
  /** Every multiplyAdd rounds once. */
  readonly fused: boolean;
  /** Program and arguments in front of file names. */
  readonly command: readonly string[];
  /** Changes with the compiler, its flags and the processor's features. */
  readonly key: string;
}

/** Folder of the C files of this package. */
export const sourceFolder = fileURLToPath(new URL('../../c', import.meta.url));

/**
 * The compiler named by $CC, else `cc`, `gcc` or `clang`. Throws a UserError where none works.
 * `widest` limits vectors, for tests: results have the same bits.
 */
export function findToolchain(widest: VectorBytes = 64): Toolchain {
  const { CC } = process.env;
  const candidates = CC === undefined || CC === '' ? [['cc'], ['gcc'], ['clang']] : [CC.split(/\s+/).filter((part) => part !== '')];
  const failures: string[] = [];
  for (const command of candidates) {
    const found = probe(command, widest);
    if (typeof found !== 'string') return found;
    failures.push(`${command.join(' ')}: ${found}`);
  }
  throw new UserError(`the native backend found no C compiler that works (${failures.join('; ')})`, {
    remedy: 'install gcc or clang, name one in $CC, or use the wasm backend',
  });
}

/** A toolchain, or why there is none. */
function probe(command: readonly string[], widest: VectorBytes): Toolchain | string {
  // Arm's baseline has everything that is used here; elsewhere the compiler asks the processor.
  const native = process.arch === 'arm64' ? [] : ['-march=native'];
  const macros = macrosOf([...command, ...native]);
  if (typeof macros === 'string') return macros;
  const has = (...names: readonly string[]) => names.every((name) => macros.has(name));
  const wide = has('__AVX512F__', '__AVX512VL__', '__AVX512DQ__', '__AVX512BW__');
  const able: VectorBytes = wide ? 64 : has('__AVX2__', '__FMA__') ? 32 : 16;
  const vectorBytes = able < widest ? able : widest;
  const narrower = has('__AVX512F__') && vectorBytes < 64 ? ['-mno-avx512f'] : [];
  const preferred = has('__AVX__') ? [`-mprefer-vector-width=${Math.max(128, vectorBytes * 8)}`] : [];
  const flags = [
    ...native,
    ...narrower,
    ...preferred,
    `-DVECTOR_BYTES=${vectorBytes}`,
    '-std=gnu11',
    '-ffp-contract=off',
    '-fno-math-errno',
    '-fno-trapping-math',
    '-fwrapv',
    '-w',
    '-fPIC',
    '-shared',
    `-I${sourceFolder}`,
  ];
  const features = [...macros].map(([name, value]) => `${name} ${value}`).sort();
  const key = createHash('sha256').update(JSON.stringify([command, flags.filter((flag) => !flag.startsWith('-I')), features])).digest('hex');
  return { vectorBytes, fused: has('__FMA__') || has('__ARM_FEATURE_FMA'), command: [...command, ...flags], key };
}

/** What the compiler defines before it reads a line, or why it cannot tell. */
function macrosOf(command: readonly string[]): Map<string, string> | string {
  const [program = '', ...rest] = command;
  const { status, stdout, stderr, error } = spawnSync(program, [...rest, '-dM', '-E', '-x', 'c', '-'], { input: '', encoding: 'utf8' });
  if (error !== undefined) return 'code' in error && error.code === 'ENOENT' ? 'not found' : error.message;
  if (status !== 0) return firstLine(stderr) || `it ended with status ${status}`;
  return new Map([...stdout.matchAll(/^#define (\S+) ?(.*)$/gm)].map(([, name = '', value = '']) => [name, value]));
}

export function firstLine(text: string): string {
  return text.trim().split('\n')[0] ?? '';
}

export interface Compilation {
  readonly source: string;
  readonly output: string;
  /** 3 for what runs long, 1 for what takes longer to optimise than it will ever run. Results do not depend on it. */
  readonly level: 1 | 3;
}

/** Compiles C files to shared libraries, at most two at a time. Throws a UserError that quotes the compiler. */
export function compileAll(toolchain: Toolchain, list: readonly Compilation[]): void {
  const quoted = (text: string) => `'${text.replaceAll("'", String.raw`'\''`)}'`;
  const line = ({ source, output, level }: Compilation) =>
    `${[...toolchain.command, `-O${level}`, source, '-o', output, '-lm', '-lpthread', '-ldl'].map(quoted).join(' ')} || exit 1`;
  const halves = [0, 1].map((half) => list.filter((_, i) => i % 2 === half)).filter((half) => half.length > 0);
  const script = `${halves.map((half) => `( ${half.map(line).join('\n')} ) & jobs="$jobs $!"`).join('\n')}\nfor job in $jobs; do wait $job || exit 1; done`;
  const { status, stderr, error } = spawnSync('/bin/sh', ['-c', script], { encoding: 'utf8', stdio: ['ignore', 'ignore', 'pipe'] });
  if (error === undefined && status === 0) return;
  const message = error?.message ?? stderr.split('\n').find((text) => /error|fatal/i.test(text)) ?? firstLine(stderr);
  throw new UserError(`the C compiler failed: ${message}`, { remedy: 'check the compiler named in $CC, or use the wasm backend' });
}
