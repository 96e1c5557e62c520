// Programs that were scheduled and compiled before, on disk by the hash of their graph: a process that meets a known graph
// neither schedules it nor writes C for it.
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { deserialize, serialize } from 'node:v8';
import type { CanonicalGraph, Program } from '@athanor/core/backend';
import type { GeneratedKernel } from '../codegen/kernel.ts';
import { keyOf } from './cache.ts';
import type { CompiledKernel, KernelStore, LoadedKernel } from './store.ts';

/** A program, and its generated kernels in order, ready to run. */
export interface LoadedProgram {
  readonly program: Program;
  readonly kernels: readonly LoadedKernel[];
}

interface SavedProgram {
  readonly program: Program;
  readonly kernels: readonly CompiledKernel[];
}

/** Graphs with fewer nodes are scheduled about as fast as a file is read. */
const fewNodes = 100;

export interface ProgramCacheOptions {
  readonly store: KernelStore;
  readonly schedule: (graph: CanonicalGraph) => Program;
  /** Changes with what `schedule` depends on besides the graph. */
  readonly variant: string;
}

export class ProgramCache {
  readonly #store: KernelStore;
  readonly #schedule: (graph: CanonicalGraph) => Program;
  readonly #base: string;

  constructor({ store, schedule, variant }: ProgramCacheOptions) {
    this.#store = store;
    this.#schedule = schedule;
    this.#base = keyOf(store.base, fingerprint(), process.versions.v8, variant);
  }

  /** The program of a graph. */
  of(graph: CanonicalGraph): LoadedProgram {
    if (graph.nodes.length < fewNodes) return this.loaded(this.#schedule(graph));
    // Kernels are named for the modules that asked for them, of which the hash of the structure knows nothing.
    const key = keyOf(this.#base, graph.hash, ...graph.nodes.map(({ module }) => module));
    const known = this.#read(key);
    if (known !== undefined) return known;
    const made = this.loaded(this.#schedule(graph));
    this.#save(key, made);
    return made;
  }

  /** Compiles the kernels of several graphs at once, which is faster than one graph after the other. */
  prepare(graphs: readonly CanonicalGraph[]): void {
    this.#store.get(graphs.flatMap((graph) => generatedKernels(this.#schedule(graph))));
  }

  /** A scheduled program with its kernels. */
  loaded(program: Program): LoadedProgram {
    return { program, kernels: this.#store.get(generatedKernels(program)) };
  }

  #read(key: string): LoadedProgram | undefined {
    const file = this.#store.files.find(key);
    if (file === undefined) return undefined;
    const { program, kernels } = deserialize(readFileSync(file.path)) as SavedProgram;
    const loaded = this.#store.load(kernels);
    return loaded === undefined ? undefined : { program, kernels: loaded };
  }

  #save(key: string, { program, kernels }: LoadedProgram): void {
    const plain = kernels.map(({ key: own, phases }) => ({ key: own, phases: phases.map(({ function: _, ...phase }) => phase) }));
    const { files } = this.#store;
    const { folder, done } = files.workspace();
    try {
      const file = join(folder, 'program');
      writeFileSync(file, serialize({ program, kernels: plain } satisfies SavedProgram));
      files.store([key], file, 'program');
      files.trim();
    } finally {
      done();
    }
  }
}

export function generatedKernels({ kernels }: Program): GeneratedKernel[] {
  return kernels.filter((kernel) => kernel.kind !== 'routine');
}

let known: string | undefined;

/** Changes with the code that makes programs of graphs and C of kernels. */
function fingerprint(): string {
  if (known !== undefined) return known;
  const core = fileURLToPath(new URL('..', import.meta.resolve('@athanor/core/backend')));
  const codegen = fileURLToPath(new URL('../codegen', import.meta.url));
  const files = [...codeIn(core), ...['graph', 'kernel', 'schedule'].flatMap((name) => codeIn(join(core, name))), ...codeIn(codegen), ...codeIn(join(codegen, 'contract'))];
  known = keyOf(...files.map((file) => readFileSync(file, 'utf8')));
  return known;
}

/** The modules in a folder. */
function codeIn(folder: string): string[] {
  return readdirSync(folder).filter((name) => /(?<!\.d|\.test)\.[jt]s$/.test(name)).sort().map((name) => join(folder, name));
}
