// The kernel store: every distinct kernel is compiled once per backend and shared by all programs.
import { InternalError, kernelKey } from '@athanor/core/backend';
import { generateModule, microCount, microModule, usesMicro, type CodegenOptions, type GeneratedKernel } from '../codegen/kernels.ts';
import type { KernelShape } from '../codegen/loop.ts';
import { exactFunctions } from './exact.ts';
import type { Pool } from './pool.ts';

export interface StoredKernel extends KernelShape {
  /** Its place in the function table. */
  readonly entry: number;
}

export class KernelStore {
  private readonly known = new Map<string, StoredKernel>();
  private readonly options: CodegenOptions;
  private readonly memory: WebAssembly.Memory;
  private readonly table: WebAssembly.Table;
  private readonly pool: Pool;
  private entries: number;
  private hasMicro = false;

  constructor(options: CodegenOptions, memory: WebAssembly.Memory, table: WebAssembly.Table, pool: Pool) {
    this.options = options;
    this.memory = memory;
    this.table = table;
    this.pool = pool;
    // The first entries are the micro-kernels'; they come when the first contraction does.
    this.entries = microCount(options.tile);
  }

  /** The compiled forms of kernels; what is new is compiled together as one module. */
  compile(kernels: readonly GeneratedKernel[]): StoredKernel[] {
    const keys = kernels.map(kernelKey);
    const missing = new Map<string, GeneratedKernel>();
    keys.forEach((key, i) => {
      const kernel = kernels[i];
      if (kernel !== undefined && !this.known.has(key)) missing.set(key, kernel);
    });
    if (missing.size > 0) this.add(missing);
    return keys.map((key) => {
      const kernel = this.known.get(key);
      if (kernel === undefined) throw new InternalError('a kernel was not compiled');
      return kernel;
    });
  }

  private add(missing: ReadonlyMap<string, GeneratedKernel>): void {
    if (!this.hasMicro && [...missing.values()].some(usesMicro)) {
      this.load(microModule(this.options.tile, this.options.memory));
      this.hasMicro = true;
    }
    const first = this.entries;
    const { bytes, shapes } = generateModule([...missing.values()], first, this.options);
    this.entries += missing.size;
    while (this.table.length < this.entries) this.table.grow(this.table.length);
    this.load(bytes);
    [...missing.keys()].forEach((key, i) => {
      const shape = shapes[i];
      if (shape !== undefined) this.known.set(key, { ...shape, entry: first + i });
    });
  }

  private load(bytes: Uint8Array<ArrayBuffer>): void {
    const env = { memory: this.memory, table: this.table };
    new WebAssembly.Instance(new WebAssembly.Module(bytes), { env, math: exactFunctions.imports });
    this.pool.load(bytes, this.table.length);
  }
}
