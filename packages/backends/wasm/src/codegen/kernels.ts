// Modules of generated kernels: many kernels become one WebAssembly module. (Modules that import the function table
// make each later change of it slower: only the driver does.)
import { unreachable, type ContractKernel, type LoopKernel } from '@athanor/core/backend';
import type { Code } from '../assembler/code.ts';
import { Module, type MemoryLimits } from '../assembler/module.ts';
import { columnsOf, microCount, microModule, microName, microParameters, type Tile } from './contract/micro.ts';
import { directPlan, emitDirect } from './contract/direct.ts';
import { emitFewChannels, fewChannelsPlan } from './contract/few-channels.ts';
import { plainContraction } from './contract/plain.ts';
import { emitTiledContraction, isProduct, type TiledOptions } from './contract/tiled.ts';
import { emitWinograd, winogradPlan } from './contract/winograd.ts';
import { emitGradient, gradientPlan } from './contract/winograd-gradient.ts';
import { emitLoopKernel, kernelParameters, type KernelShape } from './loop.ts';
import type { MathImports } from './scalar.ts';

export type GeneratedKernel = LoopKernel | ContractKernel;

/** Functions of float64 that kernels import: name → number of arguments. */
export const importedMath = { exp: 1, expm1: 1, log: 1, log1p: 1, sin: 1, cos: 1, atan: 1, tanh: 1, erf: 1, pow: 2 } as const;

export interface CodegenOptions {
  readonly memory: MemoryLimits;
  /** The register tile of contractions; it also says whether multiply-adds round once. */
  readonly tile: Tile;
}

export interface KernelModule {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly shapes: readonly KernelShape[];
}

/** Name under which kernel i of a module is exported. */
export const kernelName = (index: number): string => `k${index}`;

/** One module of many kernels. */
export function generateModule(kernels: readonly GeneratedKernel[], options: CodegenOptions): KernelModule {
  const module = new Module();
  module.importMemory('env', 'memory', options.memory);
  const imports: MathImports = new Map(
    Object.entries(importedMath).map(([name, arity]) => [name, module.importFunction('math', name, arity === 1 ? ['f64'] : ['f64', 'f64'], ['f64'])]),
  );
  const shapes: KernelShape[] = [];
  // Tiles of more than two vectors are made for engines that join them.
  const body = { imports, fused: options.tile.fused, joins: options.tile.vectors > 2, split: options.tile.split };
  const micro = kernels.some(usesMicro)
    ? Array.from({ length: microCount(options.tile) }, (_, i) => module.importFunction('micro', microName(i), [...microParameters], []))
    : [];
  kernels.forEach((kernel, i) => {
    const index = module.define([...kernelParameters], [], (code) => {
      switch (kernel.kind) {
        case 'loop':
          shapes.push(emitLoopKernel(code, kernel, body));
          return;
        case 'contract':
          if (isProduct(kernel)) shapes.push(emitProduct(code, kernel, { ...body, tile: options.tile, micro }));
          else shapes.push(emitLoopKernel(code, plainContraction(kernel), { ...body, products: true }));
          return;
        default:
          unreachable(kernel);
      }
    });
    module.export(kernelName(i), index);
  });
  return { bytes: module.encode(), shapes };
}

/** Whether a kernel calls the micro-kernels. */
export const usesMicro = (kernel: GeneratedKernel): boolean => kernel.kind === 'contract' && isProduct(kernel) && directPlan(kernel) === undefined;

export { microModule };

/** The form of a product is chosen by its shape. */
function emitProduct(code: Code, kernel: ContractKernel, options: TiledOptions): KernelShape {
  const direct = directPlan(kernel);
  if (direct !== undefined) return emitDirect(code, kernel, direct, options);
  const forward = winogradPlan(kernel, columnsOf(options.tile));
  if (forward !== undefined) return emitWinograd(code, kernel, forward, options);
  const gradient = gradientPlan(kernel, columnsOf(options.tile));
  if (gradient !== undefined) return emitGradient(code, kernel, gradient, options);
  const few = fewChannelsPlan(kernel);
  if (few !== undefined) return emitFewChannels(code, kernel, few, options);
  return emitTiledContraction(code, kernel, options);
}
