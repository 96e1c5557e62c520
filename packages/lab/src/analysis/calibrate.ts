// What this machine can do on one thread with 128-bit vectors, measured with two hand-made WebAssembly loops:
// multiply-add in registers, and copying more memory than the caches hold.

export interface Limits {
  readonly gigaflops: number;
  /** Read and written. */
  readonly gigabytes: number;
}

const v128 = 0x7b;
const i32 = 0x7f;
const accumulators = 12;
const pageBytes = 65_536;

/** Unsigned LEB128. */
function leb(value: number): number[] {
  const bytes: number[] = [];
  for (let rest = value; ; rest >>>= 7) {
    if (rest < 128) return [...bytes, rest];
    bytes.push((rest & 127) | 128);
  }
}

const simd = (opcode: number): number[] => [0xfd, ...leb(opcode)];
const get = (local: number): number[] => [0x20, ...leb(local)];
const set = (local: number): number[] => [0x21, ...leb(local)];
const constant = (value: number): number[] => [0x41, ...signedLeb(value)];
const section = (id: number, content: readonly number[]): number[] => [id, ...leb(content.length), ...content];
const vector = (items: readonly (readonly number[])[]): number[] => [...leb(items.length), ...items.flat()];

function signedLeb(value: number): number[] {
  const bytes: number[] = [];
  for (let rest = value; ; rest >>= 7) {
    const byte = rest & 127;
    if (rest >> 7 === (byte & 64 ? -1 : 0)) return [...bytes, byte];
    bytes.push(byte | 128);
  }
}

/** `body`, then local 0 falls by `by`, while it is above 0. */
const loop = (body: readonly number[], by: number): number[] =>
  [0x03, 0x40, ...body, ...get(0), ...constant(by), 0x6b, 0x22, 0, ...constant(0), 0x4a, 0x0d, 0, 0x0b];

/** acc ← acc · x + y, `accumulators` of them a turn; the sum of all is stored so that none is dead. */
function multiplyAddBody(): number[] {
  const x = 1;
  const first = 2;
  const all = Array.from({ length: accumulators }, (_, i) => first + i);
  const turn = all.flatMap((acc) => [...get(acc), ...get(x), ...simd(0xe6), ...get(x), ...simd(0xe4), ...set(acc)]);
  const total = [...get(first), ...all.slice(1).flatMap((acc) => [...get(acc), ...simd(0xe4)])];
  const half = [0x43, 0, 0, 0, 0x3f, ...simd(0x13), ...set(x)];
  return [...vector([[accumulators + 1, v128]]), ...half, ...loop(turn, 1), ...constant(0), ...total, ...simd(0x0b), 0, 0, 0x0b];
}

/** Copies local 0 bytes from local 1 to local 2, 64 a turn. */
function copyBody(): number[] {
  const moves = [0, 16, 32, 48].map((offset) => [[...get(2), ...get(1), ...simd(0x00), 0, offset], [...simd(0x0b), 0, offset]] as const);
  const turn = moves.flatMap(([load, store]) => [...load, ...store]);
  const advance = [1, 2].flatMap((local) => [...get(local), ...constant(64), 0x6a, ...set(local)]);
  return [...vector([]), ...loop([...turn, ...advance], 64), 0x0b];
}

interface Loops {
  multiplyAdd(turns: number): void;
  copy(bytes: number, from: number, to: number): void;
}

function instantiate(bytes: number): Loops {
  const name = (text: string): number[] => [...leb(text.length), ...new TextEncoder().encode(text)];
  const body = (content: readonly number[]): number[] => [...leb(content.length), ...content];
  const code = new Uint8Array([
    0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0,
    ...section(1, vector([[0x60, 1, i32, 0], [0x60, 3, i32, i32, i32, 0]])),
    ...section(3, vector([[0], [1]])),
    ...section(5, vector([[0x00, ...leb(Math.ceil(bytes / pageBytes))]])),
    ...section(7, vector([[...name('multiplyAdd'), 0, 0], [...name('copy'), 0, 1]])),
    ...section(10, vector([body(multiplyAddBody()), body(copyBody())])),
  ]);
  return new WebAssembly.Instance(new WebAssembly.Module(code)).exports as unknown as Loops;
}

const fewestRuns = 3;

/** The fastest of many short runs, in milliseconds. */
function fastest(run: () => void, seconds: number): number {
  const start = performance.now();
  let best = Infinity;
  for (let runs = 0; runs < fewestRuns || performance.now() - start < seconds * 1000; runs++) {
    const before = performance.now();
    run();
    best = Math.min(best, performance.now() - before);
  }
  return best;
}

/** Measures for about `seconds`. */
export function calibrate(seconds = 1): Limits {
  const turns = 100_000;
  const bytes = 2 ** 26;
  const { multiplyAdd, copy } = instantiate(2 * bytes);
  const computing = fastest(() => {
    multiplyAdd(turns);
  }, seconds / 2);
  const copying = fastest(() => {
    copy(bytes, 0, bytes);
  }, seconds / 2);
  return { gigaflops: (turns * accumulators * 8) / computing / 1e6, gigabytes: (2 * bytes) / copying / 1e6 };
}
