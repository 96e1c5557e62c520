// What Variables were read as while a function ran, so that `checkpoint` can run it again with the same values and
// without assigning anything a second time.
import { InternalError } from '../errors.ts';
import type { Node } from '../graph/node.ts';
import type { Storage } from './storage.ts';

/** One read of a Variable. */
export interface RecordedRead {
  readonly storage: Storage;
  readonly node: Node;
}

let recording: RecordedRead[] | undefined;
let replaying: { readonly reads: readonly RecordedRead[]; next: number } | undefined;

/** Whether a function runs again: then assignments are ignored. */
export function isReplaying(): boolean {
  return replaying !== undefined;
}

/** Notes a read if a function is being recorded. */
export function recordRead(storage: Storage, node: Node): void {
  recording?.push({ storage, node });
}

/** What the same read gave when the function first ran; undefined outside of a replay. */
export function replayRead(storage: Storage): Node | undefined {
  if (replaying === undefined) return undefined;
  const read = replaying.reads[replaying.next++];
  if (read?.storage !== storage) throw new InternalError(`a recomputation read ${storage.name} out of order`);
  return read.node;
}

/** Runs a function and lists its reads. */
export function record<T>(fn: () => T): { readonly result: T; readonly reads: readonly RecordedRead[] } {
  const outer = recording;
  const reads: RecordedRead[] = [];
  recording = reads;
  try {
    return { result: fn(), reads };
  } finally {
    recording = outer;
    outer?.push(...reads);
  }
}

/** Runs a function with the reads that it had before. */
export function replay<T>(reads: readonly RecordedRead[], fn: () => T): T {
  const outer = replaying;
  replaying = { reads, next: 0 };
  try {
    return fn();
  } finally {
    replaying = outer;
  }
}
