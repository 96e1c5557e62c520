// The kernel store: every distinct kernel is compiled once per backend and shared by all programs.
import { InternalError, kernelKey } from '@athanor/core/backend';
import { generateModule, kernelName, microModule, usesMicro, type CodegenOptions, type GeneratedKernel } from '../codegen/kernels.ts';
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
  private entries = 0;
  private micro: WebAssembly.ModuleImports | undefined;

  constructor(options: CodegenOptions, memory: WebAssembly.Memory, table: WebAssembly.Table, pool: Pool) {
    this.options = options;
    this.memory = memory;
    this.table = table;
    this.pool = pool;
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
    if (this.micro === undefined && [...missing.values()].some(usesMicro)) {
      const bytes = microModule(this.options.tile, this.options.memory);
      this.micro = importable(this.instantiate(bytes));
      this.pool.load(bytes, { kind: 'micro' });
    }
    const { bytes, shapes } = generateModule([...missing.values()], this.options);
    const first = this.entries;
    this.entries += missing.size;
    while (this.table.length < this.entries) this.table.grow(this.table.length);
    const exports = importable(this.instantiate(bytes));
    for (let i = 0; i < missing.size; i++) this.table.set(first + i, exports[kernelName(i)]);
    this.pool.load(bytes, { kind: 'kernels', first, count: missing.size });
    [...missing.keys()].forEach((key, i) => {
      const shape = shapes[i];
      if (shape !== undefined) this.known.set(key, { ...shape, entry: first + i });
    });
  }

  private instantiate(bytes: Uint8Array<ArrayBuffer>): WebAssembly.Exports {
    const imports = { env: { memory: this.memory }, math: exactFunctions.imports, micro: this.micro ?? {} };
    return new WebAssembly.Instance(new WebAssembly.Module(bytes), imports).exports;
  }
}

/** Exports are importable as they are. */
function importable(exports: WebAssembly.Exports): WebAssembly.ModuleImports {
  return { ...exports };
}
