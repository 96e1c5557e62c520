// Named streams of random numbers. A draw is a pure function of the stream's key (global seed and name), the number of
// the draw and the position of the element, so runs on every backend, compiled or not, give the same numbers.
import { isFloat, type Dtype } from '../dtype.ts';
import { DtypeError, UserError } from '../errors.ts';
import { HostVariable } from '../engine/hostvariable.ts';
import { recordRead, replayRead } from '../engine/replay.ts';
import { engine, openAssignments } from '../engine/state.ts';
import { loadState, type Loadable } from '../engine/statedict.ts';
import type { Variable } from '../engine/variable.ts';
import { data, randomBits } from '../graph/build.ts';
import type { Node } from '../graph/node.ts';
import { elementCount, type Shape } from '../shape.ts';
import type { Operand } from '../tensor/base.ts';
import { Tensor } from '../tensor/tensor.ts';
import { threefry2x32 } from './threefry.ts';

/** 32-bit FNV-1a of a name. */
function hashName(name: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193);
  return hash | 0;
}

/** The key of a stream: Threefry of the seed and the hash of the name. */
function streamKey(seed: number, name: string): [number, number] {
  const out = new Uint32Array(2);
  threefry2x32(seed | 0, Math.floor(seed / 2 ** 32) | 0, hashName(name), 0, out);
  return [(out[0] ?? 0) | 0, (out[1] ?? 0) | 0];
}

/** The number of the next draw. */
class Counter extends HostVariable {
  constructor(name: string) {
    super({ name, shape: [], dtype: 'int32', values: [0], traced: true });
  }

  get next(): number {
    return this.host[0] ?? 0;
  }

  /** Reserves one draw while a function is traced: the program itself counts on. */
  reserveTraced(): Node {
    const node = openAssignments().get(this)?.value ?? this.committed();
    this.assignComputed(new Tensor(node).add(1), 'a random draw');
    return node;
  }

  /** Repeats on the host what a run has counted. */
  advance(draws: number): void {
    this.noteHost(Int32Array.of(this.next + draws));
  }
}

export interface DrawOptions {
  /** float32 unless given. */
  readonly dtype?: Dtype;
}

export class RandomStream {
  readonly name: string;
  readonly key: HostVariable;
  readonly counter: Counter;

  constructor(name: string, seed: number) {
    this.name = name;
    this.key = new HostVariable({ name: `random.${name}.key`, shape: [2], dtype: 'int32', values: streamKey(seed, name), traced: true });
    this.counter = new Counter(`random.${name}.counter`);
  }

  /** Starts the stream anew from a global seed. */
  reset(seed: number): void {
    this.key.assign(Int32Array.from(streamKey(seed, this.name)), 'manualSeed');
    this.counter.assign(0, 'manualSeed');
  }

  /** 32 uniform random bits per element, int32. */
  bits(shape: Shape): Tensor {
    const { key, counter } = this.#reserve();
    return new Tensor(randomBits(key, counter, shape));
  }

  /** Uniform in [0, 1): 24 random bits (53, from two draws, in float64). */
  uniform(shape: Shape, options: DrawOptions = {}): Tensor {
    const { dtype = 'float32' } = options;
    requireFloat(dtype, 'uniform');
    if (dtype === 'float32') return this.bits(shape).ushr(8).to(dtype).mul(2 ** -24);
    const high = this.bits(shape).ushr(5).to(dtype).mul(2 ** -27);
    return high.add(this.bits(shape).ushr(6).to(dtype).mul(2 ** -53));
  }

  /** Standard normal: √(−2 ln(1 − u)) · cos(2πv) for two uniform draws (Box & Muller 1958). */
  normal(shape: Shape, options: DrawOptions = {}): Tensor {
    const radius = this.uniform(shape, options).rsub(1).log().mul(-2).sqrt();
    return radius.mul(this.uniform(shape, options).mul(2 * Math.PI).cos());
  }

  /** true with the given probability. */
  bernoulli(probability: Operand, shape: Shape): Tensor {
    return this.uniform(shape).lt(probability);
  }

  /** Uniform integers in [low, high), int32. */
  integers(low: number, high: number, shape: Shape): Tensor {
    if (!(Number.isInteger(low) && Number.isInteger(high) && low < high)) throw new UserError(`integers: [${low}, ${high}) holds no whole number`);
    return this.uniform(shape, { dtype: 'float64' }).mul(high - low).floor().add(low).to('int32');
  }

  /** The numbers 0 … size − 1 in random order, int32. */
  permutation(size: number): Tensor {
    return this.bits([size]).argsort();
  }

  /** Reserves a draw whose values, those of `uniform`, are computed on the host when they are needed. */
  hostUniform(shape: Shape): () => Float64Array {
    const { key, counter } = this.#reserveHost(1);
    return () => hostUniform(key, counter, elementCount(shape));
  }

  /** Reserves two draws whose values, those of `normal` in float64 arithmetic, are computed on the host when they are needed. */
  hostNormal(shape: Shape): () => Float64Array {
    const { key, counter } = this.#reserveHost(2);
    return () => {
      const count = elementCount(shape);
      const [u, v] = [hostUniform(key, counter, count), hostUniform(key, counter + 1, count)];
      return u.map((value, i) => Math.sqrt(-2 * Math.log(1 - value)) * Math.cos(2 * Math.PI * (v[i] ?? 0)));
    };
  }

  #reserve(): { key: Node; counter: Node } {
    const key = engine.trace === undefined ? data(this.key.host.slice(), [2], 'int32') : this.key.value.node;
    const counter = replayRead(this.counter) ?? this.#reserveCounter();
    recordRead(this.counter, counter);
    return { key, counter };
  }

  #reserveCounter(): Node {
    const { trace } = engine;
    if (trace !== undefined) {
      trace.draws.set(this.counter, (trace.draws.get(this.counter) ?? 0) + 1);
      return this.counter.reserveTraced();
    }
    const { next } = this.counter;
    this.counter.assign(next + 1, 'a random draw');
    return data(Int32Array.of(next), [], 'int32');
  }

  #reserveHost(draws: number): { key: readonly [number, number]; counter: number } {
    if (engine.trace !== undefined && !engine.trace.mayCreate) {
      throw new UserError(`stream ${this.name}: values drawn on the host inside ${engine.trace.name} would be the same at each call`);
    }
    const counter = this.counter.next;
    this.counter.assign(counter + draws, 'a random draw');
    return { key: [this.key.host[0] ?? 0, this.key.host[1] ?? 0], counter };
  }
}

function requireFloat(dtype: Dtype, what: string): void {
  if (!isFloat(dtype)) throw new DtypeError(`${what}: fractions of dtype ${dtype}`, { remedy: 'use float32 or float64' });
}

function hostUniform(key: readonly [number, number], counter: number, count: number): Float64Array {
  const block = new Uint32Array(2);
  const out = new Float64Array(count);
  for (let i = 0; i < count; i++) {
    threefry2x32(key[0], key[1], i, counter, block);
    out[i] = ((block[0] ?? 0) >>> 8) * 2 ** -24;
  }
  return out;
}

const streams = new Map<string, RandomStream>();
let globalSeed = 0;

/** The stream of a name, made at first use. */
function stream(name: string): RandomStream {
  let own = streams.get(name);
  if (own === undefined) {
    own = new RandomStream(name, globalSeed);
    streams.set(name, own);
  }
  return own;
}

/** Seeds all streams, those in use and those to come. The seed is an integer from 0 to 2⁵³ − 1; it is 0 at the start. */
function manualSeed(seed: number): void {
  if (!Number.isSafeInteger(seed) || seed < 0) throw new UserError(`a seed of ${seed}`, { remedy: 'give a whole number from 0 to 2^53 - 1' });
  globalSeed = seed;
  for (const own of streams.values()) own.reset(seed);
}

/** Keys and counters of all streams in use, by name: the part of the training state that randomness has. */
function state(): Record<string, Variable> {
  const entries = [...streams.values()].flatMap(({ key, counter }) => [key, counter]);
  return Object.fromEntries(entries.map((own) => [own.name, own]));
}

/**
 * Restores what `state` gave, making streams that are not in use yet. Streams that were not in use then start anew from
 * the global seed.
 */
function restore(saved: Readonly<Record<string, Loadable>>): void {
  const names = new Set<string>();
  for (const entry of Object.keys(saved)) {
    const name = /^random\.(.*)\.(?:key|counter)$/.exec(entry)?.[1];
    if (name === undefined) throw new UserError(`"${entry}" is not the state of a random stream`, { remedy: 'pass what random.state() gave' });
    names.add(name);
  }
  for (const name of names) stream(name);
  for (const own of streams.values()) if (!names.has(own.name)) own.reset(globalSeed);
  loadState(Object.fromEntries(Object.entries(state()).filter(([name]) => Object.hasOwn(saved, name))), saved);
}

/** Random numbers: `random.stream('dropout').uniform([2, 3])`. The functions that draw use the stream "default". */
export const random = {
  /** The stream of a name, made at first use. */
  stream,
  /** Seeds all streams, those in use and those to come, with a whole number from 0 to 2⁵³ − 1. */
  manualSeed,
  /** Keys and counters of all streams in use, to be saved with a model. */
  state,
  /** Sets all streams to what `state` gave. */
  loadState: restore,
  /** Uniform in [0, 1). */
  uniform: (shape: Shape, options?: DrawOptions): Tensor => stream('default').uniform(shape, options),
  /** Standard normal. */
  normal: (shape: Shape, options?: DrawOptions): Tensor => stream('default').normal(shape, options),
  /** Uniform whole numbers in [low, high), int32. */
  integers: (low: number, high: number, shape: Shape): Tensor => stream('default').integers(low, high, shape),
  /** The numbers 0 … size − 1 in random order, int32. */
  permutation: (size: number): Tensor => stream('default').permutation(size),
} as const;
