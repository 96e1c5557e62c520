// What the engine can do: relaxed SIMD, shared memory, sleeping on the current thread; and flags that turn more on.
import { Module } from '../assembler/module.ts';
import type { Tile } from '../codegen/contract/micro.ts';
import { computesCorrectly } from './self-check.ts';

interface NodeModules {
  'node:worker_threads': typeof import('node:worker_threads');
  'node:v8': typeof import('node:v8');
  'node:os': typeof import('node:os');
}

/** A module of Node's where there is one; the backend imports none, so that pages can load it. */
export function nodeModule<K extends keyof NodeModules>(name: K): NodeModules[K] | undefined {
  const { process } = globalThis as { process?: { getBuiltinModule?: (name: string) => NodeModules[K] | undefined } };
  return process?.getBuiltinModule?.(name);
}

let fused: boolean | undefined;

/** Whether the engine has relaxed SIMD and its multiply-add rounds once: asked once, so that a process keeps its numerics. */
export function hasFusedMultiplyAdd(): boolean {
  fused ??= testFused();
  return fused;
}

function testFused(): boolean {
  const module = new Module();
  // (1 + 2⁻²³)² − (1 + 2⁻²²) is 2⁻⁴⁶ when rounded once, 0 when rounded twice.
  const memory = { minimum: 1, maximum: 1, shared: false };
  module.importMemory('env', 'memory', memory);
  module.export('test', module.define([], [], (code) => {
    code.i32(0);
    for (const address of [0, 0, 16]) code.i32(address).memory('v128.load');
    code.op('f32x4.relaxed_madd').memory('v128.store', 32);
  }));
  const bytes = module.encode();
  if (!WebAssembly.validate(bytes)) return false;
  const shared = new WebAssembly.Memory({ initial: 1, maximum: 1 });
  const values = new Float32Array(shared.buffer);
  values.fill(1 + 2 ** -23, 0, 4);
  values.fill(-(1 + 2 ** -22), 4, 8);
  const { test } = new WebAssembly.Instance(new WebAssembly.Module(bytes), { env: { memory: shared } }).exports;
  if (typeof test === 'function') test();
  return values.subarray(8, 12).every((value) => value === 2 ** -46);
}

export function hasSharedMemory(): boolean {
  if (typeof SharedArrayBuffer === 'undefined') return false;
  const { crossOriginIsolated } = globalThis as { crossOriginIsolated?: boolean };
  return crossOriginIsolated !== false || nodeModule('node:worker_threads') !== undefined;
}

/** Whether this thread may sleep in `Atomics.wait`: a page's main thread may not. */
export function maySleep(): boolean {
  return typeof (globalThis as { document?: unknown }).document === 'undefined';
}

export function coreCount(): number {
  const os = nodeModule('node:os');
  if (os !== undefined) return os.availableParallelism();
  return (globalThis as { navigator?: { hardwareConcurrency?: number } }).navigator?.hardwareConcurrency ?? 1;
}

/** What `enableEngineFeatures` turned on. */
export interface EngineFeatures {
  readonly relaxedSimd: boolean;
  readonly revectorizer: boolean;
}

let wide = false;

/** Whether 128-bit code is joined to 256-bit code by the engine. */
export function hasRevectorizer(): boolean {
  return wide;
}

function v8Version(): readonly [major: number, minor: number] {
  const { process } = globalThis as { process?: { versions?: { v8?: string } } };
  const [major = 0, minor = 0] = (process?.versions?.v8 ?? '').split('.').map(Number);
  return [major, minor];
}

/** The register tile that suits the engine: as many sums as its vector registers hold. */
export function registerTile(): Tile {
  const isFused = hasFusedMultiplyAdd();
  const [major] = v8Version();
  const split = major > 0 && major < 13;
  if (wide) return { rows: 6, vectors: 4, fused: isFused, split };
  return { rows: isFused ? 6 : 4, vectors: 2, fused: isFused, split };
}

/**
 * Turns on experimental features of the engine for the whole process; for programs that own their process, before the
 * first backend is made. Node 20: relaxed SIMD; Node ≥ 24: the re-vectorizer. What does not compute correctly is turned
 * off again. `revectorizer: false` leaves that off.
 */
export function enableEngineFeatures(options: { readonly revectorizer?: boolean } = {}): EngineFeatures {
  const v8 = nodeModule('node:v8');
  if (v8 !== undefined && fused === undefined) {
    const [major, minor] = v8Version();
    if (major === 11 && minor >= 3) v8.setFlagsFromString('--experimental-wasm-relaxed-simd');
    if ((major > 13 || (major === 13 && minor >= 6)) && options.revectorizer !== false) {
      v8.setFlagsFromString('--experimental-wasm-revectorize');
      wide = true;
      wide = computesCorrectly(registerTile());
      if (!wide) v8.setFlagsFromString('--no-experimental-wasm-revectorize');
    }
  }
  return { relaxedSimd: hasFusedMultiplyAdd(), revectorizer: wide };
}
