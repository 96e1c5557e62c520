// Event files, decoded by a reader that knows only the published formats.
import { describe, expect, it } from 'vitest';
import { crc32c, eventFileName, writeEvents } from './tensorboard.ts';

/** CRC-32C bit by bit, to hold the table against. */
function slowCrc(data: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of data) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0x82f63b78 : 0);
  }
  return ~crc >>> 0;
}

function records(file: Uint8Array): Uint8Array[] {
  const view = new DataView(file.buffer, file.byteOffset);
  const masked = (data: Uint8Array) => ((((slowCrc(data) >>> 15) | (slowCrc(data) << 17)) >>> 0) + 0xa282ead8) % 2 ** 32;
  const found: Uint8Array[] = [];
  for (let at = 0; at < file.length; ) {
    const length = Number(view.getBigUint64(at, true));
    expect(view.getUint32(at + 8, true)).toBe(masked(file.subarray(at, at + 8)));
    const data = file.subarray(at + 12, at + 12 + length);
    expect(view.getUint32(at + 12 + length, true)).toBe(masked(data));
    found.push(data);
    at += 16 + length;
  }
  return found;
}

/** A protocol buffer's fields: number → bytes, or a varint. */
function fields(data: Uint8Array): Map<number, Uint8Array | bigint> {
  const found = new Map<number, Uint8Array | bigint>();
  let at = 0;
  const varint = () => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = data[at++] ?? 0;
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) return value;
    }
  };
  while (at < data.length) {
    const key = Number(varint());
    const [number, type] = [key >> 3, key & 7];
    if (type === 0) {
      found.set(number, varint());
      continue;
    }
    const length = type === 1 ? 8 : type === 5 ? 4 : Number(varint());
    found.set(number, data.subarray(at, at + length));
    at += length;
  }
  return found;
}

const bytesAt = (data: Map<number, Uint8Array | bigint>, number: number) => {
  const field = data.get(number);
  if (!(field instanceof Uint8Array)) throw new Error(`field ${number} is missing`);
  return field;
};
const view = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

describe('crc32c', () => {
  it('gives the published check values', () => {
    expect(crc32c(new TextEncoder().encode('123456789'))).toBe(0xe3069283);
    expect(crc32c(new Uint8Array(32))).toBe(0x8a9136aa);
    expect(crc32c(new Uint8Array(32).fill(255))).toBe(0x62a8ab43);
  });
});

describe('writeEvents', () => {
  const scalars = [
    { tag: 'train/loss', step: 1, value: 2.5, wallTime: 1_700_000_000.25 },
    { tag: 'test/ä', step: 3_000_000_000, value: Number.NaN, wallTime: 1_700_000_001 },
    { tag: 'train/loss', step: 300, value: 0.1, wallTime: 1_700_000_002 },
  ];
  const file = writeEvents(scalars, { created: 1_700_000_000 });

  it('begins as files of TensorBoard do', () => {
    expect([...file.subarray(0, 13)]).toEqual([0x18, 0, 0, 0, 0, 0, 0, 0, 0xa3, 0x7f, 0x4b, 0x22, 0x09]);
    const [first = new Uint8Array()] = records(file);
    expect(text(bytesAt(fields(first), 3))).toBe('brain.Event:2');
    expect(view(bytesAt(fields(first), 1)).getFloat64(0, true)).toBe(1_700_000_000);
  });

  it('holds each scalar with its tag, step and time', () => {
    const read = records(file)
      .slice(1)
      .map((data) => {
        const event = fields(data);
        const value = fields(bytesAt(fields(bytesAt(event, 5)), 1));
        return { tag: text(bytesAt(value, 1)), step: Number(event.get(2)), value: view(bytesAt(value, 2)).getFloat32(0, true), wallTime: view(bytesAt(event, 1)).getFloat64(0, true) };
      });
    expect(read).toEqual(scalars.map((scalar) => ({ ...scalar, value: Math.fround(scalar.value) })));
  });

  it('names files so that TensorBoard finds them', () => {
    expect(eventFileName(1_700_000_000.9)).toBe('events.out.tfevents.1700000000.athanor');
  });
});
