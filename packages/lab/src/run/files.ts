// Every change that the lab makes to files goes through here, so that a test can stop the process before any of them.
import { closeSync, constants, copyFileSync, existsSync, fsyncSync, ftruncateSync, linkSync, mkdirSync, openSync, readdirSync, renameSync, rmSync, writeSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

/** One step that changes the disk. */
export interface FileOperation {
  readonly kind: 'make-folder' | 'open' | 'write' | 'truncate' | 'sync' | 'rename' | 'link' | 'remove';
  readonly path: string;
  /** What a `write` is about to write. */
  readonly bytes?: Uint8Array;
}

let watcher: ((operation: FileOperation) => void) | undefined;

/** Calls `listener` before each operation, until the returned function is called. */
export function watchFileOperations(listener: (operation: FileOperation) => void): () => void {
  watcher = listener;
  return () => {
    watcher = undefined;
  };
}

function announce(kind: FileOperation['kind'], path: string, bytes?: Uint8Array): void {
  watcher?.({ kind, path, ...(bytes === undefined ? {} : { bytes }) });
}

/** Makes a folder and its parents. */
export function makeFolder(path: string): void {
  if (existsSync(path)) return;
  announce('make-folder', path);
  mkdirSync(path, { recursive: true });
}

/** Writes a file that is there whole or not at all: temporary name, fsync, rename. */
export function writeFileWhole(path: string, content: string | Uint8Array): void {
  const temporary = temporaryName(path);
  writeFile(temporary, content);
  rename(temporary, path);
}

/** Writes a folder of files that is there whole or not at all. One of that name is replaced. */
export function writeFolderWhole(path: string, files: ReadonlyMap<string, string | Uint8Array>): void {
  const temporary = temporaryName(path);
  if (existsSync(temporary)) remove(temporary);
  makeFolder(temporary);
  for (const [name, content] of files) writeFile(join(temporary, name), content);
  syncFolder(temporary);
  if (existsSync(path)) remove(path);
  rename(temporary, path);
}

/**
 * Makes a folder that shares these files with another one, whole or not at all; where the disk
 * cannot share, they are copied. One of that name is replaced.
 */
export function linkFolderWhole(path: string, from: string, names: readonly string[]): void {
  const temporary = temporaryName(path);
  if (existsSync(temporary)) remove(temporary);
  makeFolder(temporary);
  for (const name of names) linkOrCopy(join(from, name), join(temporary, name));
  syncFolder(temporary);
  if (existsSync(path)) remove(path);
  rename(temporary, path);
}

function linkOrCopy(from: string, to: string): void {
  announce('link', to);
  try {
    linkSync(from, to);
  } catch {
    copyFileSync(from, to, constants.COPYFILE_EXCL);
  }
}

/** Makes `path` with this content unless it exists; then returns false. No reader ever sees a part of it. */
export function createExclusive(path: string, content: string): boolean {
  const temporary = temporaryName(path);
  // An earlier process of this pid may have left a link to the very file: writing would change that.
  remove(temporary);
  writeFile(temporary, content);
  try {
    announce('link', path);
    linkSync(temporary, path);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    throw error;
  } finally {
    remove(temporary);
  }
}

export function rename(from: string, to: string): void {
  announce('rename', to);
  renameSync(from, to);
  syncFolder(dirname(to));
}

/** Removes a file or a folder; nothing happens if it is not there. */
export function remove(path: string): void {
  announce('remove', path);
  rmSync(path, { recursive: true, force: true });
}

/** Removes what writes of processes that are gone have left in a folder and below it. */
export function removeLeftovers(folder: string): void {
  for (const entry of existsSync(folder) ? readdirSync(folder, { withFileTypes: true }) : []) {
    const path = join(folder, entry.name);
    const writer = temporaryPattern.exec(entry.name)?.[1];
    if (writer !== undefined && !isOtherProcess(Number(writer))) remove(path);
    else if (writer === undefined && entry.isDirectory()) removeLeftovers(path);
  }
}

/** A file that only grows: opened at an offset (what lies beyond is cut off), written at its end. */
export class AppendFile {
  readonly #descriptor: number;
  readonly #path: string;
  #size: number;

  constructor(path: string, offset: number) {
    announce('open', path);
    this.#descriptor = openSync(path, existsSync(path) ? 'r+' : 'w+');
    announce('truncate', path);
    ftruncateSync(this.#descriptor, offset);
    this.#path = path;
    this.#size = offset;
  }

  get size(): number {
    return this.#size;
  }

  append(bytes: Uint8Array): void {
    announce('write', this.#path, bytes);
    writeAll(this.#descriptor, bytes, this.#size);
    this.#size += bytes.length;
  }

  sync(): void {
    announce('sync', this.#path);
    fsyncSync(this.#descriptor);
  }

  close(): void {
    closeSync(this.#descriptor);
  }
}

function writeFile(path: string, content: string | Uint8Array): void {
  const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : content;
  announce('open', path);
  const descriptor = openSync(path, 'w');
  try {
    announce('write', path, bytes);
    writeAll(descriptor, bytes, 0);
    announce('sync', path);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

function writeAll(descriptor: number, bytes: Uint8Array, position: number): void {
  for (let done = 0; done < bytes.length; ) done += writeSync(descriptor, bytes, done, bytes.length - done, position + done);
}

/** Makes a rename survive a power cut. Windows cannot open folders and needs no such thing. */
function syncFolder(path: string): void {
  if (process.platform === 'win32') return;
  announce('sync', path);
  const descriptor = openSync(path, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

const temporaryPattern = /^\.unfinished-(\d+)-/;

/** The name under which this process prepares a file; {@link removeLeftovers} knows it. */
export function temporaryName(path: string): string {
  return join(dirname(path), `.unfinished-${process.pid}-${basename(path)}`);
}

function isOtherProcess(pid: number): boolean {
  if (pid === process.pid) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
