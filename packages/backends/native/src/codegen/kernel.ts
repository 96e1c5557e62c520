// Kernels as C: sources, and files of several of them.
import type { ContractKernel, LoopKernel } from '@athanor/core/backend';
import { contractSource } from './contract/contract.ts';
import { loopSource } from './loop.ts';
import type { Source, Target } from './source.ts';

export type GeneratedKernel = LoopKernel | ContractKernel;

export function kernelSource(kernel: GeneratedKernel, target: Target): Source {
  return kernel.kind === 'loop' ? loopSource(kernel, target) : contractSource(kernel, target);
}

/** Name of a kernel's function for one of its phases. */
export function symbolOf(key: string, phase: string): string {
  return `k_${key}_${phase}`;
}

/** One C file with all functions of some kernels. */
export function fileText(kernels: readonly { readonly key: string; readonly source: Source }[]): string {
  const lanes = [...new Set(kernels.flatMap(({ source }) => source.lanes))].sort((x, y) => x - y);
  const types = lanes.map((count) => (count === 1 ? '#include "scalar.h"' : `#define LANES ${count}\n#include "lanes.h"\n#include "seconds.h"\n#include "pack.h"\n#include "winograd.h"\n#undef LANES`));
  const helpers = new Map(kernels.flatMap(({ source }) => source.helpers.map(({ name, text }) => [name, text])));
  const parts = kernels.map(({ key, source }) => `#define KERNEL(name) ${symbolOf(key, '')}##name\n${source.text}#undef KERNEL`);
  return [...types, ...helpers.values(), ...parts, ''].join('\n');
}
