// Compiled kernels: in memory by kernel, on disk by source. Missing ones are compiled together, two files at a time.
import { createHash } from 'node:crypto';
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { InternalError, UserError, kernelKey } from '@athanor/core/backend';
import { fileText, kernelSource, symbolOf, type GeneratedKernel } from '../codegen/kernel.ts';
import type { Phase, Source } from '../codegen/source.ts';
import { LibraryCache, type CacheOptions, type CachedLibrary } from './cache.ts';
import { loadRuntime, type Runtime } from './library.ts';
import { compileAll, findToolchain, sourceFolder, type Toolchain, type VectorBytes } from './toolchain.ts';

/** A phase of a kernel, ready to run. */
export interface CompiledPhase extends Phase {
  /** Address of its function. */
  readonly function: number;
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

interface Draft {
  readonly kernel: string;
  readonly key: string;
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
  readonly #cache: LibraryCache;
  /** Part of every key: the compiler and the headers. */
  readonly #base: string;
  readonly #kernels = new Map<string, readonly CompiledPhase[]>();
  readonly #libraries = new Map<string, number>();

  constructor(options: StoreOptions = {}) {
    this.toolchain = findToolchain(options.widest);
    this.#cache = new LibraryCache(options);
    const headers = readdirSync(sourceFolder).filter((name) => name.endsWith('.h')).sort();
    this.#base = keyOf(this.toolchain.key, ...headers.map((name) => readFileSync(join(sourceFolder, name), 'utf8')));
    this.runtime = loadRuntime(this.#runtimePath());
  }

  /** Phases of each kernel, in order. */
  get(kernels: readonly GeneratedKernel[]): (readonly CompiledPhase[])[] {
    const keys = kernels.map(kernelKey);
    const missing = new Map<string, GeneratedKernel>();
    keys.forEach((key, i) => {
      const kernel = kernels[i];
      if (kernel !== undefined && !this.#kernels.has(key)) missing.set(key, kernel);
    });
    this.#add([...missing].map(([kernel, data]) => this.#draft(kernel, data)));
    return keys.map((key) => this.#kernels.get(key) ?? []);
  }

  #draft(kernel: string, data: GeneratedKernel): Draft {
    const source = kernelSource(data, this.toolchain);
    return { kernel, source, key: keyOf(this.#base, source.text, ...source.helpers.map(({ text }) => text)) };
  }

  #add(drafts: readonly Draft[]): void {
    const fresh: Draft[] = [];
    for (const draft of drafts) {
      const found = draft.source.phases.length === 0 ? undefined : this.#cache.find(draft.key);
      const phases = found === undefined ? undefined : this.#load(draft, found);
      if (phases !== undefined) this.#kernels.set(draft.kernel, phases);
      else if (draft.source.phases.length === 0) this.#kernels.set(draft.kernel, []);
      else fresh.push(draft);
    }
    if (fresh.length > 0) this.#compile(fresh);
  }

  #compile(drafts: readonly Draft[]): void {
    const distinct = [...new Map(drafts.map((draft) => [draft.key, draft])).values()];
    const files = ([1, 3] as const).flatMap((level) => {
      const members = distinct.filter(({ source }) => levelOf(source) === level);
      return parts(members).map((batch) => ({ keys: batch.map(({ key }) => key), text: fileText(batch), level }));
    });
    const libraries = this.#build(files);
    for (const draft of drafts) {
      const library = libraries.get(draft.key);
      const phases = library === undefined ? undefined : this.#load(draft, library);
      if (phases === undefined) throw new UserError(`a compiled kernel cannot be loaded: ${this.runtime.error() ?? 'it has no such function'}`);
      this.#kernels.set(draft.kernel, phases);
    }
  }

  /** Compiles files and takes the libraries into the cache. */
  #build(files: readonly { readonly keys: readonly string[]; readonly text: string; readonly level: 1 | 3 }[]): Map<string, CachedLibrary> {
    const { folder, done } = this.#cache.workspace();
    try {
      const list = files.map(({ text, level }, i) => {
        const source = join(folder, `${i}.c`);
        writeFileSync(source, text);
        return { source, level, output: join(folder, `${i}.so`) };
      });
      compileAll(this.toolchain, list);
      const made = files.flatMap(({ keys }, i) => {
        const libraries = this.#cache.store(keys, join(folder, `${i}.so`));
        return keys.map((key, position) => [key, libraries[position]] as const);
      });
      this.#cache.trim();
      return new Map(made.flatMap(([key, library]) => (library === undefined ? [] : [[key, library]])));
    } finally {
      done();
    }
  }

  /** A library's functions of a kernel; undefined where it cannot be opened or lacks one. */
  #load({ key, source }: Draft, library: CachedLibrary): CompiledPhase[] | undefined {
    const known = this.#libraries.get(library.digest) ?? this.runtime.open(library.path);
    if (known === 0) return undefined;
    this.#libraries.set(library.digest, known);
    const phases = source.phases.map((phase) => ({ ...phase, function: this.runtime.symbol(known, symbolOf(key, phase.name)) }));
    return phases.every((phase) => phase.function !== 0) ? phases : undefined;
  }

  #runtimePath(): string {
    const text = readFileSync(join(sourceFolder, 'runtime.c'), 'utf8');
    const key = keyOf(this.#base, text);
    const found = this.#cache.find(key) ?? this.#build([{ keys: [key], text, level: 3 }]).get(key);
    if (found === undefined) throw new InternalError('the runtime library is not there');
    return found.path;
  }
}

function keyOf(...parts: readonly string[]): string {
  return createHash('sha256').update(parts.join('\0')).digest('hex').slice(0, 32);
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
