// Compiled kernels: in memory by kernel, on disk by source. Missing ones are compiled together, two files at a time.
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { InternalError, UserError, kernelKey } from '@athanor/core/backend';
import { fileText, kernelSource, symbolOf, type GeneratedKernel } from '../codegen/kernel.ts';
import type { Phase, Source } from '../codegen/source.ts';
import { FileCache, keyOf, type CacheOptions } from './cache.ts';
import { loadRuntime, type Runtime } from './library.ts';
import { compileAll, findToolchain, sourceFolder, type Toolchain, type VectorBytes } from './toolchain.ts';

/** A phase of a kernel, ready to run. */
export interface LoadedPhase extends Phase {
  /** Address of its function. */
  readonly function: number;
}

/** A kernel that was compiled, as plain data: what its library is cached under, and its functions. */
export interface CompiledKernel {
  readonly key: string;
  readonly phases: readonly Phase[];
}

/** A kernel that is ready to run. */
export interface LoadedKernel extends CompiledKernel {
  readonly phases: readonly LoadedPhase[];
}

/** Kernels that take less on one thread are compiled with little optimisation. */
const shortNanoseconds = 4000;
/** Text of one file: more would only take more memory. */
const fileCharacters = 200_000;
/** Less text is not worth a second process. */
const fewCharacters = 4000;

export interface StoreOptions extends CacheOptions {
  readonly widest?: VectorBytes;
}

interface Draft extends CompiledKernel {
  readonly source: Source;
}

const stores = new Map<string, KernelStore>();

/** The store of this process for a folder and a width: compiled code is the same for every backend. */
export function kernelStore(options: StoreOptions = {}): KernelStore {
  const key = JSON.stringify([options.folder, options.widest, options.limitBytes, process.env['CC'], process.env['XDG_CACHE_HOME']]);
  const store = stores.get(key) ?? new KernelStore(options);
  stores.set(key, store);
  return store;
}

export class KernelStore {
  readonly toolchain: Toolchain;
  readonly runtime: Runtime;
  readonly files: FileCache;
  /** Part of every key: the compiler and the headers. */
  readonly base: string;
  /** By what they compute. Kernels of one key may differ in their numbers of units. */
  readonly #kernels = new Map<string, LoadedKernel>();
  readonly #libraries = new Map<string, number>();

  constructor(options: StoreOptions = {}) {
    this.toolchain = findToolchain(options.widest);
    this.files = new FileCache(options);
    const headers = readdirSync(sourceFolder).filter((name) => name.endsWith('.h')).sort();
    this.base = keyOf(this.toolchain.key, ...headers.map((name) => readFileSync(join(sourceFolder, name), 'utf8')));
    this.runtime = loadRuntime(this.#runtimePath());
  }

  /** Kernels ready to run, in order; compiles what is not in the cache. */
  get(kernels: readonly GeneratedKernel[]): LoadedKernel[] {
    const structures = kernels.map(kernelKey);
    const missing = new Map(structures.map((structure, i) => [structure, kernels[i]] as const));
    const fresh: (Draft & { readonly structure: string })[] = [];
    for (const [structure, kernel] of missing) {
      if (kernel === undefined || this.#kernels.has(structure)) continue;
      const draft = this.#draft(kernel);
      const found = this.#find(draft);
      if (found === undefined) fresh.push({ structure, ...draft });
      else this.#kernels.set(structure, found);
    }
    if (fresh.length > 0) this.#compile(fresh);
    for (const { structure, ...draft } of fresh) {
      const compiled = this.#find(draft);
      if (compiled === undefined) throw new UserError(`a compiled kernel cannot be loaded: ${this.runtime.error() ?? 'it has no such function'}`);
      this.#kernels.set(structure, compiled);
    }
    return structures.map((structure) => this.#kernels.get(structure) ?? { key: '', phases: [] });
  }

  /** Kernels that were compiled before; undefined where one of them has left the cache. */
  load(kernels: readonly CompiledKernel[]): LoadedKernel[] | undefined {
    const loaded = kernels.flatMap((kernel) => this.#find(kernel) ?? []);
    return loaded.length === kernels.length ? loaded : undefined;
  }

  #draft(kernel: GeneratedKernel): Draft {
    const source = kernelSource(kernel, this.toolchain);
    return { key: keyOf(this.base, source.text, ...source.helpers.map(({ text }) => text)), phases: source.phases, source };
  }

  /** A kernel whose library is in the cache and whole. */
  #find({ key, phases }: CompiledKernel): LoadedKernel | undefined {
    if (phases.length === 0) return { key, phases: [] };
    const file = this.files.find(key);
    const library = file === undefined ? 0 : (this.#libraries.get(file.digest) ?? this.runtime.open(file.path));
    if (file === undefined || library === 0) return undefined;
    this.#libraries.set(file.digest, library);
    const loaded = phases.map((phase) => ({ ...phase, function: this.runtime.symbol(library, symbolOf(key, phase.name)) }));
    return loaded.every((phase) => phase.function !== 0) ? { key, phases: loaded } : undefined;
  }

  #compile(drafts: readonly Draft[]): void {
    const distinct = [...new Map(drafts.map((draft) => [draft.key, draft])).values()];
    const files = ([1, 3] as const).flatMap((level) => {
      const members = distinct.filter(({ source }) => levelOf(source) === level);
      return parts(members).map((batch) => ({ keys: batch.map(({ key }) => key), text: fileText(batch), level }));
    });
    this.#build(files);
  }

  /** Compiles files and takes the libraries into the cache. */
  #build(files: readonly { readonly keys: readonly string[]; readonly text: string; readonly level: 1 | 3 }[]): void {
    const { folder, done } = this.files.workspace();
    try {
      const list = files.map(({ text, level }, i) => {
        const source = join(folder, `${i}.c`);
        writeFileSync(source, text);
        return { source, level, output: join(folder, `${i}.so`) };
      });
      compileAll(this.toolchain, list);
      files.forEach(({ keys }, i) => this.files.store(keys, join(folder, `${i}.so`), 'so'));
      this.files.trim();
    } finally {
      done();
    }
  }

  #runtimePath(): string {
    const text = readFileSync(join(sourceFolder, 'runtime.c'), 'utf8');
    const key = keyOf(this.base, text);
    if (this.files.find(key) === undefined) this.#build([{ keys: [key], text, level: 3 }]);
    const found = this.files.find(key);
    if (found === undefined) throw new InternalError('the runtime library is not there');
    return found.path;
  }
}

function levelOf({ phases }: Source): 1 | 3 {
  return phases.reduce((sum, { nanoseconds }) => sum + nanoseconds, 0) > shortNanoseconds ? 3 : 1;
}

/** Parts with about as much text each: two where it pays, more where files would be too big. */
function parts(drafts: readonly Draft[]): Draft[][] {
  const characters = drafts.reduce((sum, { source }) => sum + source.text.length, 0);
  const count = characters < fewCharacters ? 1 : Math.max(2, Math.ceil(characters / fileCharacters));
  const list = Array.from({ length: count }, (): { drafts: Draft[]; size: number } => ({ drafts: [], size: 0 }));
  for (const draft of drafts.toSorted((x, y) => y.source.text.length - x.source.text.length)) {
    const part = list.reduce((least, other) => (other.size < least.size ? other : least));
    part.drafts.push(draft);
    part.size += draft.source.text.length;
  }
  return list.flatMap((part) => (part.drafts.length > 0 ? [part.drafts] : []));
}
