// TensorBoard event files: TFRecords of Event messages, written from the published formats.
// TFRecord: https://www.tensorflow.org/tutorials/load_data/tfrecord, Event and Summary: tensorboard/compat/proto/*.proto.

/** A scalar at a step. */
export interface ScalarEvent {
  readonly tag: string;
  readonly step: number;
  /** Written as float32, as TensorBoard keeps it. */
  readonly value: number;
  /** Seconds since 1970. */
  readonly wallTime: number;
}

/** An event file with these scalars. Its name must hold `tfevents`: see {@link eventFileName}. */
export function writeEvents(events: readonly ScalarEvent[], { created }: { readonly created: number }): Uint8Array {
  const version = message([double(1, created), bytes(3, utf8('brain.Event:2'))]);
  const messages = events.map(({ tag, step, value, wallTime }) =>
    message([double(1, wallTime), varintField(2, step), bytes(5, message([bytes(1, message([bytes(1, utf8(tag)), float(2, value)]))]))]),
  );
  return message([version, ...messages].map(record));
}

/** `events.out.tfevents.SECONDS.athanor`. */
export function eventFileName(created: number): string {
  return `events.out.tfevents.${String(Math.floor(created)).padStart(10, '0')}.athanor`;
}

/** A TFRecord: length, its checksum, the data, its checksum; little-endian. */
function record(data: Uint8Array): Uint8Array {
  const length = new Uint8Array(8);
  new DataView(length.buffer).setBigUint64(0, BigInt(data.length), true);
  return message([length, uint32(maskedCrc32c(length)), data, uint32(maskedCrc32c(data))]);
}

/** The checksum of TFRecords: CRC-32C, turned right by 15 bits, plus a constant. */
export function maskedCrc32c(data: Uint8Array): number {
  const crc = crc32c(data);
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}

/** CRC-32C (Castagnoli), reflected polynomial 0x82F63B78 (RFC 3720, B.4). */
export function crc32c(data: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of data) crc = (castagnoli[(crc ^ byte) & 0xff] ?? 0) ^ (crc >>> 8);
  return (crc ^ 0xffffffff) >>> 0;
}

const castagnoli = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = (crc & 1) === 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
  return crc >>> 0;
});

// Protocol buffers: a field is its number and wire type as a varint (0 varint, 1 eight bytes, 2 length and bytes, 5 four bytes), then its value.

function double(field: number, value: number): Uint8Array {
  const data = new Uint8Array(8);
  new DataView(data.buffer).setFloat64(0, value, true);
  return message([varint(field * 8 + 1), data]);
}

function float(field: number, value: number): Uint8Array {
  const data = new Uint8Array(4);
  new DataView(data.buffer).setFloat32(0, value, true);
  return message([varint(field * 8 + 5), data]);
}

function bytes(field: number, data: Uint8Array): Uint8Array {
  return message([varint(field * 8 + 2), varint(data.length), data]);
}

function varintField(field: number, value: number): Uint8Array {
  return message([varint(field * 8), varint(value)]);
}

/** Seven bits a byte, the lowest first. */
function varint(value: number): Uint8Array {
  const data: number[] = [];
  let rest = value;
  while (rest >= 128) {
    data.push((rest % 128) + 128);
    rest = Math.floor(rest / 128);
  }
  return Uint8Array.from([...data, rest]);
}

function uint32(value: number): Uint8Array {
  const data = new Uint8Array(4);
  new DataView(data.buffer).setUint32(0, value, true);
  return data;
}

function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function message(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
