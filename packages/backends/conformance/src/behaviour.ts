// Tests of a backend as a whole: memory, runs one after the other, errors, limits, long graphs.
import {
  arrayOf,
  bytesOf,
  canonicalize,
  combine,
  dtypes,
  elementCount,
  setCollective,
  type Backend,
  type Dtype,
  type Memory,
  type Node,
  type TypedArray,
} from '@athanor/core/backend';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { add, exp, matmul, mul, reduce, softmax, unary } from './compose.ts';
import { check } from './run.ts';
import type { MakeBackend } from './suite.ts';
import { given, leaf, valuesOf } from './values.ts';

/** Declares the tests inside the suite's `describe`. */
export function behaviour(makeBackend: MakeBackend): void {
  let backend: Backend;
  beforeEach(async () => {
    backend = await makeBackend({ fuse: true, poison: true });
  });
  afterEach(() => backend.dispose());

  it.each(Object.keys(dtypes) as Dtype[])('writes and reads %s', async (dtype) => {
    for (const count of [0, 1, 3, 1000]) {
      const memory = backend.allocate(count * bytesOf(dtype));
      const values = valuesOf(dtype, count, 201);
      backend.write(memory, values);
      const copy = await backend.read(memory, dtype, count);
      expect(copy).toEqual(values);
      copy.fill(1);
      expect(await backend.read(memory, dtype, count)).toEqual(values);
      backend.free(memory);
    }
  });

  it('counts what is allocated, and only that', () => {
    const before = backend.memory();
    const memories = [64, 1000, 4].map((bytes) => backend.allocate(bytes));
    expect(backend.memory().allocations - before.allocations).toBe(3);
    expect(backend.memory().owned - before.owned).toBeGreaterThanOrEqual(1068);
    for (const memory of memories) backend.free(memory);
    expect(backend.memory()).toMatchObject({ owned: before.owned, allocations: before.allocations });
  });

  it('lets memory that outlives it be freed', async () => {
    const other = await makeBackend({ fuse: true, poison: true });
    const memory = other.allocate(1000);
    await other.dispose();
    expect(() => other.free(memory)).not.toThrow();
  });

  it('shares one arena between programs and keeps it from run to run', async () => {
    const large = programOf(backend, [softmax(matmul(leaf([90, 80], 'float32', 202), leaf([80, 70], 'float32', 203)), 1)]);
    const small = programOf(backend, [reduce('sum', matmul(leaf([9, 8], 'float32', 204), leaf([8, 7], 'float32', 205)), 0)]);
    await large.run();
    await small.run();
    const first = [await large.results(), await small.results()];
    const { arena } = backend.memory();
    for (let i = 0; i < 20; i++) {
      await small.run();
      await large.run();
    }
    expect(backend.memory().arena).toBe(arena);
    expect([await large.results(), await small.results()]).toEqual(first);
  });

  it('gives the same bits for the same inputs, and others for others', async () => {
    const x = leaf([50, 37], 'float32', 206);
    const program = programOf(backend, [reduce('sum', exp(x), 0), softmax(x, 1)]);
    await program.run();
    const first = await program.results();
    await program.run([valuesOf('float32', 50 * 37, 207)]);
    expect(await program.results()).not.toEqual(first);
    await program.run();
    expect(await program.results()).toEqual(first);
  });

  it('profiles a program with the results of a run, and a time for each command', async () => {
    if (backend.profile === undefined) return;
    const program = programOf(backend, [reduce('sum', matmul(leaf([90, 80], 'float32', 210), leaf([80, 70], 'float32', 211)), 0), softmax(leaf([30, 40], 'float32', 212), 1)]);
    await program.run();
    const first = await program.results();
    await program.run([valuesOf('float32', 90 * 80, 213), valuesOf('float32', 80 * 70, 214), valuesOf('float32', 30 * 40, 215)]);
    const times = program.profile();
    expect(await program.results()).toEqual(first);
    expect(times).toHaveLength(program.commands);
    expect(Math.min(...times)).toBeGreaterThan(0);
    const wrong = programOf(backend, [combine.gather(leaf([5], 'float32', 208), given([7], 'int32'), 0)]);
    expect(() => wrong.profile()).toThrow('out of range');
  });

  it('adds up over replicas in the order of the program', async () => {
    const given: number[][] = [];
    setCollective({
      size: 2,
      rank: 0,
      allReduce(values) {
        given.push([...values]);
        for (let i = 0; i < values.length; i++) values[i] = (values[i] ?? 0) + 10 * given.length;
      },
    });
    try {
      const x = leaf([3], 'float32', 216);
      const first = combine.allReduce(mul(x, 2));
      const program = programOf(backend, [add(combine.allReduce(add(first, 1)), 0.5)]);
      await program.run();
      const [result] = await program.results();
      const [a = 0, b = 0, c = 0] = valuesOf('float32', 3, 216);
      const wanted = [a, b, c].map((value) => 2 * value);
      expect(given).toHaveLength(2);
      wanted.forEach((value, i) => {
        expect(given[0]?.[i]).toBeCloseTo(value, 5);
        expect(given[1]?.[i]).toBeCloseTo(value + 11, 5);
        expect(result?.[i]).toBeCloseTo(value + 31.5, 5);
      });
    } finally {
      setCollective(undefined);
    }
  });

  it('goes on after an index out of range', async () => {
    const table = leaf([5], 'float32', 208);
    const wrong = programOf(backend, [combine.gather(table, given([7], 'int32'), 0)]);
    const right = programOf(backend, [combine.gather(table, given([3], 'int32'), 0)]);
    await expect(async () => wrong.run()).rejects.toThrow('an index of gather or scatterAdd was out of range');
    await right.run();
    await expect(async () => wrong.run()).rejects.toThrow('out of range');
    await right.run();
    expect((await right.results())[0]?.[0]).toBeCloseTo(valuesOf('float32', 5, 208)[3] ?? NaN, 6);
  });

  it('adds up more leaves than a kernel has arguments', async () => {
    const leaves = Array.from({ length: 150 }, (_, i) => leaf([33], 'float32', 300 + i));
    const total = leaves.reduce((sum, x) => add(sum, mul(x, 0.5)));
    expect(await check(backend, { outputs: [total] }, { ulps: 64, scale: 64 })).toEqual([]);
  });

  it('runs a chain of 3,000 operations', async () => {
    let x: Node = leaf([5], 'float32', 209);
    for (let i = 0; i < 3000; i++) x = i % 2 === 0 ? unary('sin', x) : add(x, 0.25);
    expect(await check(backend, { outputs: [x] }, { ulps: 4000, scale: 1 })).toEqual([]);
  });

  it('refuses the memory and the programs of another backend', async () => {
    const foreign: Memory = { bytes: 4 };
    expect(() => backend.write(foreign, new Float32Array(1))).toThrow('another backend');
    await expect(async () => backend.run({}, { inputs: [], variables: [], outputs: [] })).rejects.toThrow('another backend');
  });
}

/** Compiled outputs with memory of their own; the backend's disposal frees it. */
function programOf(backend: Backend, outputs: readonly Node[]) {
  const graph = canonicalize({ outputs, assignments: [] });
  const executable = backend.compile(graph);
  const memories = graph.outputs.map(({ shape, dtype }) => backend.allocate(elementCount(shape) * bytesOf(dtype)));
  const own = graph.inputs.map((node) => (node.op === 'data' ? node.attributes.leaf.data : undefined) ?? arrayOf('uint8', 0));
  return {
    commands: executable.program?.commands.length ?? 0,
    profile: () => backend.profile?.(executable, { inputs: own, variables: [], outputs: memories }) ?? [],
    run: (inputs: readonly TypedArray[] = own) => backend.run(executable, { inputs, variables: [], outputs: memories }),
    results: () =>
      Promise.all(graph.outputs.map(({ shape, dtype }, i) => backend.read(memories[i] ?? { bytes: 0 }, dtype, elementCount(shape)))),
  };
}
