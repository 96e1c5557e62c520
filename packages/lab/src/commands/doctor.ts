// `athanor doctor`: what this machine has and what an experiment needs, with what to do about the rest.
import { execFileSync } from 'node:child_process';
import { accessSync, constants, existsSync } from 'node:fs';
import { availableParallelism, cpus, totalmem } from 'node:os';
import { dirname } from 'node:path';
import { UserError } from '@athanor/core';
import { loadExperiment } from '../config/load.ts';
import { builtinPlugins } from '../plugins/builtin.ts';
import { installedPackages, installedRegistry } from '../plugins/installed.ts';
import { formatTable } from '../terminal/format.ts';
import { defineCommand } from './command.ts';
import type { CommandContext } from './context.ts';

/** `missing` keeps things from working; `absent` only leaves something unused. */
export interface Finding {
  readonly state: 'ok' | 'absent' | 'missing';
  readonly what: string;
  readonly detail: string;
}

const marks = { ok: '✓', absent: '–', missing: '✗' } as const;

export const doctor = defineCommand({
  usage: 'doctor [experiment]',
  summary: 'check what this machine has, or what an experiment needs',
  positionals: { experiment: { type: 'string', describe: 'YAML file' } },
  run: ({ experiment }, context) => examine(experiment, context),
});

/** Prints what was found. Throws a UserError if something that is needed is missing. */
async function examine(experiment: string | undefined, context: CommandContext): Promise<void> {
  const findings = [...machine(), ...(await packages()), runsWritable(context.runs)];
  if (experiment !== undefined) findings.push(...(await checkExperiment(experiment, context)));
  const table = formatTable(['', 'what', 'found'], findings.map(({ state, what, detail }) => [marks[state], what, detail]));
  context.out(table);
  const missing = findings.filter(({ state }) => state === 'missing');
  if (missing.length > 0) throw new UserError(`${missing.length} of ${findings.length} checks failed: ${missing.map(({ what }) => what).join(', ')}`);
}

function machine(): Finding[] {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const recent = major > 20 || (major === 20 && minor >= 19);
  const compiler = compilerVersion();
  return [
    {
      state: recent ? 'ok' : 'missing',
      what: 'Node',
      detail: recent ? `${process.version}, V8 ${process.versions.v8}` : `${process.version}: 20.19 or newer is needed`,
    },
    { state: 'ok', what: 'CPU', detail: `${cpus()[0]?.model.trim() ?? 'unknown'}, ${availableParallelism()} usable cores` },
    { state: 'ok', what: 'memory', detail: `${Math.round(totalmem() / 2 ** 30)} GiB` },
    simd('WebAssembly SIMD', simdModule, 'missing'),
    simd('relaxed SIMD', relaxedModule, 'absent'),
    {
      state: typeof SharedArrayBuffer === 'undefined' ? 'absent' : 'ok',
      what: 'shared memory',
      detail: typeof SharedArrayBuffer === 'undefined' ? 'none: one thread only' : 'SharedArrayBuffer: several threads',
    },
    {
      state: compiler === undefined ? 'absent' : 'ok',
      what: 'C compiler',
      detail: compiler ?? 'none: the native backend needs one (Debian: apt-get install gcc)',
    },
  ];
}

/** (func (result v128) i32.const 0, i8x16.splat) */
const simdModule = [0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 8, 1, 6, 0, 65, 0, 253, 15, 11];

/** (func (result v128) three constants, f32x4.relaxed_madd) */
const relaxedModule = [
  0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 19, 1, 17, 0,
  65, 0, 253, 15, 65, 0, 253, 15, 65, 0, 253, 15, 253, 133, 2, 11,
];

function simd(what: string, module: readonly number[], otherwise: 'absent' | 'missing'): Finding {
  const there = WebAssembly.validate(Uint8Array.from(module));
  return { state: there ? 'ok' : otherwise, what, detail: there ? 'yes' : `no (${process.version})` };
}

function compilerVersion(): string | undefined {
  try {
    return execFileSync('cc', ['--version'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).split('\n')[0];
  } catch {
    return undefined;
  }
}

async function packages(): Promise<Finding[]> {
  const found = installedPackages(process.cwd());
  const listed: Finding = {
    state: 'ok',
    what: 'packages',
    detail: found.map(({ name, version }) => `${name.replace('@athanor/', '')} ${version}`).join(', ') || 'none',
  };
  const { registry, failures } = await installedRegistry(process.cwd(), []);
  const count = registry.list().length;
  return [
    listed,
    { state: 'ok', what: 'plugins', detail: `${count} components: athanor ls components` },
    ...failures.map(({ name, message }): Finding => ({ state: 'absent', what: name, detail: message })),
  ];
}

function runsWritable(folder: string): Finding {
  let present = folder;
  while (!existsSync(present)) present = dirname(present);
  try {
    accessSync(present, constants.W_OK);
    return { state: 'ok', what: 'runs folder', detail: folder };
  } catch {
    return { state: 'missing', what: 'runs folder', detail: `${present} cannot be written: choose another with --runs` };
  }
}

/** Loads the experiment, its backends and its data. */
async function checkExperiment(file: string, { dataDir, ownsProcess, progress }: CommandContext): Promise<Finding[]> {
  const experiment = await loadExperiment(file, { builtin: builtinPlugins });
  const { jobs, registry } = experiment;
  const findings: Finding[] = [{ state: 'ok', what: experiment.name, detail: `${jobs.length} ${jobs.length === 1 ? 'run' : 'runs'}` }];
  const seen = new Set<string>();
  const notify = (message: string) => progress.write(`${message}\n`);
  for (const { config } of jobs) {
    const { backend } = config;
    if (backend !== undefined && !seen.has(JSON.stringify(backend))) {
      seen.add(JSON.stringify(backend));
      findings.push(await attempt('backend', async () => {
        const made = await registry.make('backend', backend, { ownsProcess });
        const detail = `${made.name}, ${made.threads} ${made.threads === 1 ? 'thread' : 'threads'}, ${made.numerics}`;
        await made.dispose();
        return detail;
      }));
    }
    for (const ref of config.stages) {
      const data = typeof ref === 'string' ? undefined : ref['data'];
      if (typeof data !== 'object' || data === null || !('name' in data) || seen.has(JSON.stringify(data))) continue;
      seen.add(JSON.stringify(data));
      findings.push(await attempt('data', async () => {
        const { train, test } = await registry.make('dataset', data as { name: string }, { dataDir, notify });
        return `${String(data.name)}: ${train.length} to train, ${test.length} to test`;
      }));
    }
  }
  return findings;
}

async function attempt(what: string, work: () => Promise<string>): Promise<Finding> {
  try {
    return { state: 'ok', what, detail: await work() };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { state: 'missing', what, detail: error.message };
  }
}
