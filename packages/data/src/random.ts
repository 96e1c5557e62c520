// Random numbers that are pure functions of a seed, a stream's name and integers such as epoch and index.
import { UserError, threefry2x32 } from '@athanor/core';

/** A 64-bit Threefry key. */
export type StreamKey = readonly [number, number];

/** 32-bit FNV-1a of a name, to tell streams apart. */
function hashName(name: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < name.length; index++) {
    hash = Math.imul(hash ^ name.charCodeAt(index), 0x01000193);
  }
  return hash >>> 0;
}

/** @throws UserError unless the seed is an integer from 0 to 2⁵³ − 1. */
export function checkSeed(seed: number): void {
  if (!Number.isSafeInteger(seed) || seed < 0) {
    throw new UserError(`a seed is an integer from 0 to 2^53 - 1, not ${seed}`);
  }
}

/**
 * The key of a named stream: Threefry of the seed, then of each integer in turn.
 * Different seeds, names or integers give independent streams.
 */
export function streamKey(seed: number, name: string, ...integers: readonly number[]): StreamKey {
  checkSeed(seed);
  const out = new Uint32Array(2);
  threefry2x32(seed >>> 0, Math.floor(seed / 2 ** 32), hashName(name), integers.length, out);
  for (const integer of integers) {
    threefry2x32(out[0] ?? 0, out[1] ?? 0, integer >>> 0, Math.floor(integer / 2 ** 32), out);
  }
  return [out[0] ?? 0, out[1] ?? 0];
}

/** Draws from one stream, in order. Its whole state is a counter. */
export class RandomStream {
  #key: StreamKey;
  #counter = 0;
  #block = new Uint32Array(2);

  constructor(key: StreamKey) {
    this.#key = key;
  }

  /** 32 random bits as an unsigned integer. */
  bits(): number {
    const word = this.#counter & 1;
    if (word === 0) {
      const block = this.#counter / 2;
      threefry2x32(this.#key[0], this.#key[1], block >>> 0, Math.floor(block / 2 ** 32), this.#block);
    }
    this.#counter++;
    return this.#block[word] ?? 0;
  }

  /** Uniform in [0, 1), a multiple of 2⁻³². */
  uniform(): number {
    return this.bits() / 2 ** 32;
  }

  /** A uniform integer in [0, bound), without bias, for bounds up to 2³². */
  integer(bound: number): number {
    const limit = 2 ** 32 - (2 ** 32 % bound);
    let bits = this.bits();
    while (bits >= limit) bits = this.bits();
    return bits % bound;
  }

  /** Uniform in [low, high). */
  between(low: number, high: number): number {
    return low + (high - low) * this.uniform();
  }

  /** True with the given probability. */
  chance(probability: number): boolean {
    return this.uniform() < probability;
  }

  /** Standard normal (Box & Muller 1958, the cosine half). */
  normal(): number {
    const radius = Math.sqrt(-2 * Math.log(1 - this.uniform()));
    return radius * Math.cos(2 * Math.PI * this.uniform());
  }

  /** Gamma with the given shape and unit scale (Marsaglia & Tsang 2000; boosted below shape 1). */
  gamma(shape: number): number {
    if (shape < 1) return this.gamma(shape + 1) * (1 - this.uniform()) ** (1 / shape);
    const d = shape - 1 / 3;
    const c = 1 / Math.sqrt(9 * d);
    for (;;) {
      const x = this.normal();
      const v = (1 + c * x) ** 3;
      if (v > 0 && Math.log(1 - this.uniform()) < 0.5 * x * x + d - d * v + d * Math.log(v)) return d * v;
    }
  }

  /** Beta(a, b), as a ratio of gammas. */
  beta(a: number, b: number): number {
    const x = this.gamma(a);
    const y = this.gamma(b);
    return x + y === 0 ? Number(this.chance(a / (a + b))) : x / (x + y);
  }
}
