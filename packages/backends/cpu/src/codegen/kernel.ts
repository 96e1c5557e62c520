// A kernel as a function: source, compilation, and the cache that all programs of a backend share.
import { UserError, kernelKey, type Kernel, type TypedArray } from '@athanor/core/backend';
import { contractSource } from './contract.ts';
import { loopSource } from './loop.ts';
import { makeRuntime, type Runtime } from './runtime.ts';

/** A kernel's arguments are the program's buffers at `slots`, from `offsets` on. Returns `flags` that were raised. */
export type KernelFunction = (buffers: readonly TypedArray[], slots: readonly number[], offsets: readonly number[]) => number;

type GeneratedKernel = Exclude<Kernel, { kind: 'routine' }>;

/** The text of a kernel's factory; `runtime` is in scope. */
export function kernelSource(kernel: GeneratedKernel): string {
  const { setup, body } = kernel.kind === 'loop' ? loopSource(kernel) : contractSource(kernel);
  const parameters = kernel.buffers.map((_, i) => `const b${i} = buffers[slots[${i}]], o${i} = offsets[${i}];`);
  return `'use strict';
const { fround, imul, erf, roundEven, power, populationCount, floatToBits, bitsToFloat, threefry, sumLanes, multiplyLanes, offsetTable, scratch, multiply } = runtime;
${setup}
return function kernel(buffers, slots, offsets) {
let flag = 0;
${parameters.join('\n')}
${body}
return flag;
};`;
}

/** Compiles kernels, each distinct one once. */
export class KernelStore {
  readonly #runtime: Runtime = makeRuntime();
  readonly #functions = new Map<string, KernelFunction>();

  get size(): number {
    return this.#functions.size;
  }

  get(kernel: GeneratedKernel): KernelFunction {
    const key = kernelKey(kernel);
    const known = this.#functions.get(key);
    if (known !== undefined) return known;
    const made = this.#compile(kernel);
    this.#functions.set(key, made);
    return made;
  }

  clear(): void {
    this.#functions.clear();
  }

  #compile(kernel: GeneratedKernel): KernelFunction {
    const source = kernelSource(kernel);
    try {
      return new Function('runtime', source)(this.#runtime) as KernelFunction;
    } catch (cause) {
      if (!(cause instanceof EvalError)) throw cause;
      throw new UserError('this page forbids code that is made at run time', {
        remedy: "allow 'unsafe-eval' in its Content-Security-Policy, or use the reference backend",
        cause,
      });
    }
  }
}
