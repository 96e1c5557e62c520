// The command line.
import { parseArgs } from 'node:util';
import { UserError } from '@athanor/core';

export interface Options {
  readonly json: string | undefined;
  /** Workloads to run; undefined runs all. */
  readonly only: readonly string[] | undefined;
  readonly cases: readonly string[] | undefined;
  readonly backends: readonly string[];
  readonly threads: number;
  /** Peers to compare with; undefined takes all that are installed. */
  readonly peers: readonly string[] | undefined;
  /** Seconds of timing for a row, shared by everybody who takes part in it. */
  readonly seconds: number;
  readonly engineFeatures: boolean;
  /** Measure first steps in new processes instead of steady ones. */
  readonly firstStep: boolean;
  /** Show this many of the slowest kernels of each step instead of timing it. */
  readonly profile: number | undefined;
}

export const help = `npm run bench -- [options]

  --only W1,W5         these workloads only
  --case NN-512        these cases only
  --backend wasm,cpu   backends: wasm, cpu, native, reference (default: wasm and cpu)
  --threads N          threads of the backend and of PyTorch (default 1)
  --peers torch        these peers only: tfjs-wasm, torch, torch-tuned, torch-channels-last
  --no-peers           leave TensorFlow.js and PyTorch out
  --time SECONDS       timing of one row, shared by all who take part (default 5)
  --engine-features    turn on what the JavaScript engine offers behind flags (relaxed SIMD, wider vectors)
  --first-step         the first step in a new process, with an empty cache of compiled code and with a filled one
  --profile N          the N slowest kernels of each step, each beside what this machine can do
  --json FILE          also write the rows as JSON
`;

const backendNames = ['wasm', 'cpu', 'native', 'reference'];
const peerNames = ['tfjs-wasm', 'torch', 'torch-tuned', 'torch-channels-last'];

function list(value: string | undefined): string[] | undefined {
  const names = value?.split(',').map((name) => name.trim()).filter((name) => name !== '');
  return names?.length === 0 ? undefined : names;
}

/** Names that are all among those that exist. */
function known(names: readonly string[], option: string, among: readonly string[]): readonly string[] {
  const unknown = names.filter((name) => !among.includes(name));
  if (unknown.length > 0) throw new UserError(`${option} ${unknown.join(',')}`, { remedy: `choose among ${among.join(', ')}` });
  return names;
}

function number(value: string, option: string, whole: boolean): number {
  const parsed = Number(value);
  if (value.trim() !== '' && parsed > 0 && Number.isFinite(parsed) && (!whole || Number.isInteger(parsed))) return parsed;
  throw new UserError(`${option} ${value}`, { remedy: `give a ${whole ? 'whole ' : ''}number above 0` });
}

/** Options from the words after the program's name; undefined asks for help. */
export function parseOptions(words: readonly string[]): Options | undefined {
  const flag = { type: 'boolean', default: false } as const;
  const text = { type: 'string' } as const;
  const options = { json: text, only: text, case: text, backend: text, threads: text, time: text, peers: text, 'no-peers': flag, 'engine-features': flag, 'first-step': flag, profile: text, help: flag } as const;
  const parsed = (() => {
    try {
      return parseArgs({ args: [...words], options, allowPositionals: false }).values;
    } catch (error) {
      throw new UserError(error instanceof Error ? error.message : String(error), { remedy: 'see --help' });
    }
  })();
  if (parsed.help) return undefined;
  const peers = parsed['no-peers'] ? [] : list(parsed.peers);
  return {
    json: parsed.json,
    only: list(parsed.only),
    cases: list(parsed.case),
    backends: known(list(parsed.backend) ?? ['wasm', 'cpu'], '--backend', backendNames),
    threads: number(parsed.threads ?? '1', '--threads', true),
    peers: peers === undefined ? undefined : known(peers, '--peers', peerNames),
    seconds: number(parsed.time ?? '5', '--time', false),
    engineFeatures: parsed['engine-features'],
    firstStep: parsed['first-step'],
    profile: parsed.profile === undefined ? undefined : number(parsed.profile, '--profile', true),
  };
}
