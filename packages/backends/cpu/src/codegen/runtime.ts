// What generated kernels may call: the functions that JavaScript has no operator for, and lane sums.
import { arrayOf, elementwise, type TypedArray } from '@athanor/core/backend';
import { multiplyFunctions } from './multiply.ts';

/** Logical lanes of a reduction along a vector inner loop (see LoopKernel in core). */
export const lanes = 32;

const bits = new ArrayBuffer(4);
const floatBits = new Float32Array(bits);
const integerBits = new Int32Array(bits);

const floatToBits = (x: number): number => {
  floatBits[0] = x;
  return integerBits[0] ?? 0;
};

const bitsToFloat = (x: number): number => {
  integerBits[0] = x;
  return floatBits[0] ?? 0;
};

const populationCount = (x: number): number => {
  const pairs = (x - ((x >>> 1) & 0x55555555)) | 0;
  const fours = ((pairs & 0x33333333) + ((pairs >>> 2) & 0x33333333)) | 0;
  return Math.imul((fours + (fours >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
};

type Threefry = (key0: number, key1: number, block0: number, block1: number) => number;

/** Word 0 of Threefry-2x32 with 20 rounds, unrolled (core's random/threefry.ts is the readable form). */
function unrolledThreefry(): Threefry {
  const rotations = [13, 15, 26, 6, 17, 29, 16, 24];
  const lines = ['const key2 = 0x1bd11bda ^ key0 ^ key1;', 'let x = (block0 + key0) | 0, y = (block1 + key1) | 0;'];
  for (let round = 0; round < 20; round++) {
    const distance = rotations[round % 8] ?? 0;
    lines.push(`x = (x + y) | 0; y = ((y << ${distance}) | (y >>> ${32 - distance})) ^ x;`);
    const group = (round + 1) / 4;
    if (Number.isInteger(group)) lines.push(`x = (x + key${group % 3}) | 0; y = (y + key${(group + 1) % 3} + ${group}) | 0;`);
  }
  return new Function('key0', 'key1', 'block0', 'block1', `${lines.join('\n')}\nreturn x;`) as Threefry;
}

/** Combines lanes as LoopKernel says: i with i + 16, then i + 8, … i + 1. Lanes from `used` on hold the identity. */
const sumLanes = (values: Float32Array | Float64Array): number => {
  for (let half = lanes / 2; half >= 1; half /= 2) {
    for (let i = 0; i < half; i++) values[i] = (values[i] ?? 0) + (values[i + half] ?? 0);
  }
  return values[0] ?? 0;
};

const multiplyLanes = (values: Float32Array | Float64Array): number => {
  for (let half = lanes / 2; half >= 1; half /= 2) {
    for (let i = 0; i < half; i++) values[i] = (values[i] ?? 0) * (values[i + half] ?? 0);
  }
  return values[0] ?? 0;
};

/** Element offsets of every position of some loops, the last one fastest. */
function offsetTable(loops: readonly number[], strides: readonly number[]): Int32Array {
  let table = new Int32Array(1);
  loops.forEach((size, axis) => {
    const next = new Int32Array(table.length * size);
    const stride = strides[axis] ?? 0;
    let position = 0;
    for (const start of table) for (let i = 0; i < size; i++) next[position++] = start + i * stride;
    table = next;
  });
  return table;
}

export interface Runtime {
  readonly fround: typeof Math.fround;
  readonly imul: typeof Math.imul;
  readonly erf: (x: number) => number;
  readonly roundEven: (x: number) => number;
  readonly power: (a: number, b: number) => number;
  readonly populationCount: (x: number) => number;
  readonly floatToBits: (x: number) => number;
  readonly bitsToFloat: (x: number) => number;
  readonly threefry: Threefry;
  readonly sumLanes: typeof sumLanes;
  readonly multiplyLanes: typeof multiplyLanes;
  readonly offsetTable: typeof offsetTable;
  readonly scratch: (dtype: Parameters<typeof arrayOf>[0], length: number) => TypedArray;
  readonly multiply: ReturnType<typeof multiplyFunctions>;
}

/** A fresh runtime: its functions specialise to the kernels of one backend. */
export function makeRuntime(): Runtime {
  return {
    fround: Math.fround,
    imul: Math.imul,
    erf: (x) => elementwise.erf.evaluate(x),
    roundEven: (x) => elementwise.round.evaluate(x),
    power: (a, b) => elementwise.pow.evaluate(a, b),
    populationCount,
    floatToBits,
    bitsToFloat,
    threefry: unrolledThreefry(),
    sumLanes,
    multiplyLanes,
    offsetTable,
    scratch: arrayOf,
    multiply: multiplyFunctions(populationCount),
  };
}
