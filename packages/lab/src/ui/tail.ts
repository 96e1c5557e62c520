// Reading a metric log that may still grow: each read takes only what has come since the last one.
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { Message, RecordBatchReader } from 'apache-arrow';
import type { RecordBatch } from 'apache-arrow';

/** Columns of the rows that a read has found. */
export interface TailRows {
  readonly steps: Int32Array;
  readonly metrics: readonly string[];
  readonly values: Float64Array;
}

/** What a read has found. `anew`: the log is not the one of the reads before, so what they gave is void. */
export interface TailRead {
  readonly anew: boolean;
  readonly batches: readonly TailRows[];
}

const nothing: TailRead = { anew: false, batches: [] };

/** A log as far as it has been read. */
export class MetricTail {
  readonly #path: string;
  #offset = 0;
  #inode = 0;
  /** The schema's message, which every decoding begins with. */
  #schema = new Uint8Array();

  constructor(path: string) {
    this.#path = path;
  }

  /** The rows that have come since the last read. A batch that is not whole yet waits for the next. */
  read(): TailRead {
    const opened = openIfThere(this.#path);
    if (opened === undefined) {
      const anew = this.#offset > 0;
      this.#forget();
      return anew ? { anew, batches: [] } : nothing;
    }
    try {
      const { size, ino } = fstatSync(opened);
      let anew = this.#offset > 0 && (ino !== this.#inode || size < this.#offset);
      if (anew) this.#forget();
      this.#inode = ino;
      if (size === this.#offset) return nothing;
      let batches = this.#decode(readFrom(opened, this.#offset, size));
      if (batches === undefined && this.#offset > 0) {
        // It was cut back and has grown past where we were, with other batches.
        anew = true;
        this.#forget();
        batches = this.#decode(readFrom(opened, 0, size));
      }
      return { anew, batches: batches ?? [] };
    } finally {
      closeSync(opened);
    }
  }

  #forget(): void {
    this.#offset = 0;
    this.#schema = new Uint8Array();
  }

  /** Decodes the whole messages at the beginning of `bytes`; undefined if they are no messages. */
  #decode(bytes: Uint8Array): TailRows[] | undefined {
    const lengths = wholeMessages(bytes);
    if (lengths === undefined) return undefined;
    const end = lengths.reduce((sum, length) => sum + length, 0);
    const begin = this.#schema.length === 0 ? (lengths[0] ?? 0) : 0;
    const schema = begin > 0 ? bytes.slice(0, begin) : this.#schema;
    if (end === begin) {
      this.#schema = schema;
      this.#offset += end;
      return [];
    }
    try {
      const rows = [...RecordBatchReader.from([schema, bytes.subarray(begin, end)])].map(rowsOf);
      this.#schema = schema;
      this.#offset += end;
      return rows;
    } catch {
      return undefined;
    }
  }
}

function openIfThere(path: string): number | undefined {
  try {
    return openSync(path, 'r');
  } catch {
    return undefined;
  }
}

function readFrom(file: number, begin: number, end: number): Uint8Array {
  const bytes = new Uint8Array(end - begin);
  let done = 0;
  while (done < bytes.length) {
    const count = readSync(file, bytes, done, bytes.length - done, begin + done);
    if (count === 0) break;
    done += count;
  }
  return bytes.subarray(0, done);
}

/**
 * Lengths of the messages that are there whole (Arrow columnar format, "Encapsulated message
 * format"): 0xFFFFFFFF, the metadata's length as int32, the metadata, the body. Undefined if the
 * bytes do not begin like one.
 */
function wholeMessages(bytes: Uint8Array): number[] | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const lengths: number[] = [];
  let at = 0;
  while (at + 8 <= bytes.length) {
    if (view.getUint32(at, true) !== 0xffffffff) return undefined;
    const metadata = view.getInt32(at + 4, true);
    if (metadata < 0) return undefined;
    if (metadata === 0 || at + 8 + metadata > bytes.length) break;
    const body = bodyLength(bytes.subarray(at + 8, at + 8 + metadata));
    if (body === undefined) return undefined;
    const length = 8 + metadata + body;
    if (at + length > bytes.length) break;
    lengths.push(length);
    at += length;
  }
  return lengths;
}

function bodyLength(metadata: Uint8Array): number | undefined {
  try {
    return Number(Message.decode(metadata).bodyLength);
  } catch {
    return undefined;
  }
}

function rowsOf(batch: RecordBatch): TailRows {
  const column = (name: string) => batch.getChild(name);
  const names = column('metric');
  return {
    steps: Int32Array.from((column('step')?.toArray() ?? []) as ArrayLike<number>),
    metrics: Array.from({ length: batch.numRows }, (_, row) => String(names?.get(row))),
    values: Float64Array.from((column('value')?.toArray() ?? []) as ArrayLike<number>),
  };
}
