// Sums over replicas through pipes: each replica sends its values and waits, the parent adds them up and sends the sums.
import { readSync, writeSync } from 'node:fs';
import type { Duplex } from 'node:stream';
import type { Collective, TypedArray } from '@athanor/core';

// A message is its length in bytes, the bytes of an element (8 for float64, else float32), and the values.
const headerBytes = 8;

/** A replica's file descriptor of the pipe: behind standard input, output, error, and the channel. */
export const sumsDescriptor = 4;

type Floats = Float32Array | Float64Array;

/** The replica's end of the pipe with file descriptor `descriptor`: waits without an event loop, as a program does. */
export function pipeCollective(descriptor: number, size: number, rank: number): Collective {
  return {
    size,
    rank,
    allReduce(values) {
      const bytes = new Uint8Array(headerBytes + values.byteLength);
      new Uint32Array(bytes.buffer, 0, 2).set([values.byteLength, values.BYTES_PER_ELEMENT]);
      bytes.set(bytesOf(values), headerBytes);
      move(bytes, (from) => writeSync(descriptor, bytes, from));
      const sums = new Uint8Array(values.byteLength);
      move(sums, (from) => readSync(descriptor, sums, from, sums.length - from, null));
      bytesOf(values).set(sums);
    },
  };
}

function bytesOf(values: TypedArray): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}

const pause = new Int32Array(new SharedArrayBuffer(4));

/** Repeats a transfer until all bytes are through. A pipe that is full or empty is waited for. */
function move(bytes: Uint8Array, transfer: (from: number) => number): void {
  for (let from = 0; from < bytes.length; ) {
    try {
      const moved = transfer(from);
      if (moved === 0) throw new Error('the other replicas are gone');
      from += moved;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
      Atomics.wait(pause, 0, 0, 0.05);
    }
  }
}

/** The parent's side: adds up what all replicas have sent, in the order of their ranks and in float64. */
export class Exchange {
  readonly #streams: readonly Duplex[];
  readonly #received: Uint8Array[];
  readonly #fail: (error: Error) => void;

  constructor(streams: readonly Duplex[], fail: (error: Error) => void) {
    this.#streams = streams;
    this.#received = streams.map(() => new Uint8Array(0));
    this.#fail = fail;
    streams.forEach((stream, rank) => {
      stream.on('data', (bytes: Uint8Array) => this.#take(rank, bytes));
      // The process's own end says more.
      stream.on('error', () => undefined);
    });
  }

  #take(rank: number, bytes: Uint8Array): void {
    const before = this.#received[rank] ?? new Uint8Array(0);
    const all = new Uint8Array(before.length + bytes.length);
    all.set(before);
    all.set(bytes, before.length);
    this.#received[rank] = all;
    const parts = this.#received.map(valuesIn);
    if (parts.some((part) => part === undefined)) return;
    const values = parts.filter((part) => part !== undefined);
    const [first] = values;
    if (first === undefined) return;
    if (values.some((part) => part.length !== first.length || part.BYTES_PER_ELEMENT !== first.BYTES_PER_ELEMENT)) {
      this.#fail(new Error(`replicas ran different programs: they sent ${values.map(({ length }) => length).join(' and ')} values`));
      return;
    }
    this.#received.forEach((message, i) => (this.#received[i] = message.slice(headerBytes + first.byteLength)));
    const sums = sumOf(values);
    for (const stream of this.#streams) stream.write(bytesOf(sums));
  }
}

/** The values of a message, once it is whole. */
function valuesIn(message: Uint8Array): Floats | undefined {
  if (message.length < headerBytes) return undefined;
  const view = new DataView(message.buffer, message.byteOffset);
  const [length, width] = [view.getUint32(0, true), view.getUint32(4, true)];
  if (message.length < headerBytes + length) return undefined;
  const { buffer } = message.slice(headerBytes, headerBytes + length);
  return width === 8 ? new Float64Array(buffer) : new Float32Array(buffer);
}

/** Element by element, carried in float64. */
export function sumOf(parts: readonly Floats[]): Floats {
  const [first] = parts;
  if (first === undefined) return new Float32Array(0);
  const sums = first.slice();
  for (let i = 0; i < sums.length; i++) {
    let sum = 0;
    for (const part of parts) sum += part[i] ?? 0;
    sums[i] = sum;
  }
  return sums;
}
