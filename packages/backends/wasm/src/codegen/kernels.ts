// Modules of generated kernels: many kernels become one WebAssembly module that fills a part of the function table.
import { unreachable, type ContractKernel, type LoopKernel } from '@athanor/core/backend';
import { Module, type MemoryLimits } from '../assembler/module.ts';
import { plainContraction } from './contract/plain.ts';
import { emitLoopKernel, kernelParameters, type KernelShape } from './loop.ts';
import type { MathImports } from './scalar.ts';

export type GeneratedKernel = LoopKernel | ContractKernel;

/** Functions of float64 that kernels import: name → number of arguments. */
export const importedMath = { exp: 1, expm1: 1, log: 1, log1p: 1, sin: 1, cos: 1, atan: 1, tanh: 1, erf: 1, pow: 2 } as const;

export interface CodegenOptions {
  readonly memory: MemoryLimits;
  /** Multiply-adds round once (relaxed SIMD). */
  readonly fused: boolean;
}

export interface KernelModule {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly shapes: readonly KernelShape[];
}

/** One module whose functions enter the table from `firstEntry` on, in the order of `kernels`. */
export function generateModule(kernels: readonly GeneratedKernel[], firstEntry: number, options: CodegenOptions): KernelModule {
  const module = new Module();
  module.importMemory('env', 'memory', options.memory);
  module.importTable('env', 'table');
  const imports: MathImports = new Map(
    Object.entries(importedMath).map(([name, arity]) => [name, module.importFunction('math', name, arity === 1 ? ['f64'] : ['f64', 'f64'], ['f64'])]),
  );
  const shapes: KernelShape[] = [];
  const functions = kernels.map((kernel) =>
    module.define([...kernelParameters], [], (code) => {
      switch (kernel.kind) {
        case 'loop':
          shapes.push(emitLoopKernel(code, kernel, { imports, fused: options.fused }));
          return;
        case 'contract':
          shapes.push(emitLoopKernel(code, plainContraction(kernel), { imports, fused: options.fused }));
          return;
        default:
          unreachable(kernel);
      }
    }),
  );
  module.fillTable(firstEntry, functions);
  return { bytes: module.encode(), shapes };
}
