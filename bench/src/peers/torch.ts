// PyTorch as a peer, where a Python with torch is installed: as it comes, tuned, and with images channels-last.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Contestant } from '../contestant.ts';
import type { Problem } from '../problem.ts';
import { childContestant } from './child.ts';

const script = fileURLToPath(new URL('../../src/peers/torch_peer.py', import.meta.url));

/** AVX-512 element kernels (PyTorch 1.13 does not choose them itself), and a malloc that keeps big blocks instead of mapping them anew. */
const tuned = {
  ATEN_CPU_CAPABILITY: 'avx512',
  MALLOC_MMAP_THRESHOLD_: '4294967296',
  MALLOC_TRIM_THRESHOLD_: '4294967296',
};

const withImages: readonly Problem['kind'][] = ['batch-norm', 'conv', 'lenet5', 'resnet20', 'unet'];

interface Variant {
  readonly name: string;
  readonly extra: Readonly<Record<string, string>>;
  readonly concerns?: (problem: Problem) => boolean;
}

const variants: readonly Variant[] = [
  { name: 'torch', extra: {} },
  { name: 'torch-tuned', extra: tuned },
  { name: 'torch-channels-last', extra: { ATHANOR_BENCH_CHANNELS_LAST: '1' }, concerns: ({ kind }) => withImages.includes(kind) },
];

function environment(threads: number, extra: Readonly<Record<string, string>>): NodeJS.ProcessEnv {
  const { OPENBLAS_CORETYPE: _, ...rest } = process.env;
  return { ...rest, OMP_NUM_THREADS: String(threads), OPENBLAS_NUM_THREADS: String(threads), ...extra };
}

let found: string | undefined | null = null;

/** The first Python that can import torch: `ATHANOR_PYTHON`, the one on the path, the system's. */
export function pythonWithTorch(): string | undefined {
  if (found !== null) return found;
  const candidates = [process.env['ATHANOR_PYTHON'], 'python3', '/usr/bin/python3'].filter((python) => python !== undefined);
  found = candidates.find((python) => spawnSync(python, ['-c', 'import torch, numpy'], { stdio: 'ignore', env: environment(1, {}) }).status === 0);
  return found;
}

/** The peers `torch`, `torch-tuned` and `torch-channels-last`; none where torch is not installed. */
export function torchPeers(threads: number): Contestant[] {
  const python = pythonWithTorch();
  if (python === undefined) return [];
  return variants.map(({ extra, ...variant }) => childContestant({ ...variant, command: python, args: [script], environment: environment(threads, extra) }));
}
