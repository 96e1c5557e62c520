// Compiled libraries and scheduled programs on disk, found by key. A file is named `<key>-<digest of its content>.<kind>`;
// kernels that were compiled together are links to one file. Several processes may use the folder at once.
import { createHash, randomBytes } from 'node:crypto';
import { copyFileSync, linkSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, renameSync, rmSync, statSync, utimesSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';

/** Files beyond this many bytes go, those first that were used least recently. */
const defaultLimit = 256 * 2 ** 20;
const dayMilliseconds = 24 * 3600 * 1000;
const workPrefix = 'work-';
const namePattern = /^([0-9a-f]{32})-([0-9a-f]{16})\.(?:so|program)$/;

export interface CacheOptions {
  /** Default: `athanor/native` in $XDG_CACHE_HOME or ~/.cache. */
  readonly folder?: string;
  readonly limitBytes?: number;
}

/** What a file holds: a compiled library or a scheduled program. */
export type FileKind = 'so' | 'program';

export interface CachedFile {
  readonly path: string;
  /** Equal for files with equal content. */
  readonly digest: string;
}

export class FileCache {
  readonly folder: string;
  readonly #limit: number;
  readonly #known = new Map<string, CachedFile>();
  /** Digests whose content was checked, and whether it is whole. */
  readonly #checked = new Map<string, boolean>();

  constructor(options: CacheOptions = {}) {
    this.folder = privateFolder(options.folder);
    this.#limit = options.limitBytes ?? defaultLimit;
    for (const name of readdirSync(this.folder)) {
      const match = namePattern.exec(name);
      if (match !== null) this.#known.set(match[1] ?? '', { path: join(this.folder, name), digest: match[2] ?? '' });
    }
  }

  /** A file that is there and whole. */
  find(key: string): CachedFile | undefined {
    const found = this.#known.get(key);
    if (found === undefined) return undefined;
    if (this.#isWhole(found)) return found;
    this.#known.delete(key);
    rmSync(found.path, { force: true });
    return undefined;
  }

  /** A folder for files in the making; `done` removes it. */
  workspace(): { readonly folder: string; readonly done: () => void } {
    const folder = mkdtempSync(join(this.folder, workPrefix));
    return { folder, done: () => rmSync(folder, { recursive: true, force: true }) };
  }

  /** Takes a fresh file in: a library under every key that it has kernels of. */
  store(keys: readonly string[], file: string, kind: FileKind): CachedFile[] {
    const digest = digestOf(readFileSync(file));
    this.#checked.set(digest, true);
    return keys.map((key) => {
      const cached = { path: join(this.folder, `${key}-${digest}.${kind}`), digest };
      place(file, cached.path);
      this.#known.set(key, cached);
      return cached;
    });
  }

  /** Removes the oldest files while the folder is too big, and what processes that died left behind. */
  trim(): void {
    for (const name of readdirSync(this.folder)) {
      const path = join(this.folder, name);
      const left = name.startsWith(workPrefix) && describe(path).some(({ used }) => Date.now() - used > dayMilliseconds);
      if (left) rmSync(path, { recursive: true, force: true });
    }
    const files = readdirSync(this.folder).flatMap((name) => (namePattern.test(name) ? describe(join(this.folder, name)) : []));
    const shares = new Map<number, number>();
    for (const { inode } of files) shares.set(inode, (shares.get(inode) ?? 0) + 1);
    let total = [...new Map(files.map(({ inode, bytes }) => [inode, bytes])).values()].reduce((sum, bytes) => sum + bytes, 0);
    for (const { path, inode, bytes } of files.sort((x, y) => x.used - y.used)) {
      if (total <= this.#limit) return;
      rmSync(path, { force: true });
      const left = (shares.get(inode) ?? 1) - 1;
      shares.set(inode, left);
      if (left === 0) total -= bytes;
    }
  }

  #isWhole({ path, digest }: CachedFile): boolean {
    const checked = this.#checked.get(digest);
    if (checked !== undefined) return checked;
    let whole = false;
    try {
      whole = digestOf(readFileSync(path)) === digest;
      const now = new Date();
      if (now.getTime() - statSync(path).mtimeMs > dayMilliseconds) utimesSync(path, now, now);
    } catch {
      // Another process removed it.
    }
    this.#checked.set(digest, whole);
    return whole;
  }
}

/** The key of what is made from these texts. */
export function keyOf(...parts: readonly string[]): string {
  return createHash('sha256').update(parts.join('\0')).digest('hex').slice(0, 32);
}

export function digestOf(content: string | Uint8Array): string {
  return createHash('sha256').update(content).digest('hex').slice(0, 16);
}

/** A folder that only its owner can write; a fresh temporary one where the usual place is not. */
function privateFolder(wanted: string | undefined): string {
  const folder = wanted ?? join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'athanor', 'native');
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const { uid, mode } = statSync(folder);
    const owned = process.getuid === undefined || uid === process.getuid();
    if (owned && (mode & 0o022) === 0) return folder;
  } catch {
    // Not writable: the kernels of this process are compiled anew.
  }
  const temporary = mkdtempSync(join(tmpdir(), 'athanor-native-'));
  process.once('exit', () => rmSync(temporary, { recursive: true, force: true }));
  return temporary;
}

/** Puts a file under its final name in one step; a copy where the file system has no links. */
function place(file: string, path: string): void {
  try {
    linkSync(file, path);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return;
    const copy = `${path}.${randomBytes(4).toString('hex')}`;
    copyFileSync(file, copy);
    renameSync(copy, path);
  }
}

function describe(path: string): { path: string; inode: number; bytes: number; used: number }[] {
  try {
    const { ino, size, mtimeMs } = statSync(path);
    return [{ path, inode: ino, bytes: size, used: mtimeMs }];
  } catch {
    return [];
  }
}
