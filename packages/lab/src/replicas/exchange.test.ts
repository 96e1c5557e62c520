// Sums over replicas: messages in pieces, both kinds of floats, and replicas that disagree.
import { Duplex } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { Exchange, sumOf } from './exchange.ts';

/** A pipe whose other end the test holds. */
class Pipe extends Duplex {
  readonly written: Uint8Array[] = [];

  override _read(): void {
    // Data is pushed by the test.
  }

  override _write(bytes: Uint8Array, _encoding: string, done: () => void): void {
    this.written.push(bytes);
    done();
  }
}

function message(values: Float32Array | Float64Array): Uint8Array {
  const header = Uint32Array.of(values.byteLength, values.BYTES_PER_ELEMENT);
  return Uint8Array.from([...new Uint8Array(header.buffer), ...new Uint8Array(values.buffer)]);
}

function setUp() {
  const pipes = [new Pipe(), new Pipe()] as const;
  const errors: string[] = [];
  new Exchange(pipes, (error) => errors.push(error.message));
  const settle = () => new Promise((resolve) => setImmediate(resolve));
  const send = async (rank: 0 | 1, bytes: Uint8Array) => {
    pipes[rank].push(bytes);
    await settle();
  };
  return { pipes, errors, send };
}

const floats = (bytes: Uint8Array | undefined) => [...new Float32Array(Uint8Array.from(bytes ?? []).buffer)];

describe('Exchange', () => {
  it('answers once all have sent, whatever the pieces', async () => {
    const { pipes, send } = setUp();
    const first = message(Float32Array.of(1, 2, 3));
    await send(0, first.subarray(0, 5));
    await send(0, first.subarray(5, 13));
    await send(1, message(Float32Array.of(10, 20, 30)));
    expect(pipes[0].written).toEqual([]);
    await send(0, first.subarray(13));
    for (const pipe of pipes) expect(floats(pipe.written[0])).toEqual([11, 22, 33]);
  });

  it('keeps what came early for the next sum', async () => {
    const { pipes, send } = setUp();
    await send(0, Uint8Array.from([...message(Float32Array.of(1)), ...message(Float32Array.of(2))]));
    await send(1, message(Float32Array.of(5)));
    await send(1, message(Float32Array.of(7)));
    expect(pipes[1].written.map(floats)).toEqual([[6], [9]]);
  });

  it('adds up float64', async () => {
    const { pipes, send } = setUp();
    await send(0, message(Float64Array.of(1 / 3)));
    await send(1, message(Float64Array.of(1)));
    expect([...new Float64Array(Uint8Array.from(pipes[0].written[0] ?? []).buffer)]).toEqual([1 / 3 + 1]);
  });

  it('tells when replicas ran different programs', async () => {
    const { pipes, errors, send } = setUp();
    await send(0, message(Float32Array.of(1, 2)));
    await send(1, message(Float32Array.of(1)));
    expect(errors).toEqual(['replicas ran different programs: they sent 2 and 1 values']);
    expect(pipes[0].written).toEqual([]);
  });
});

it('sums are carried in float64 and rounded once', () => {
  const parts = [Float32Array.of(1), Float32Array.of(2 ** -24), Float32Array.of(2 ** -24)];
  expect([...sumOf(parts)]).toEqual([1 + 2 ** -23]);
});
