// The fuzzer itself: graphs repeat for a seed, broken backends are caught, and what is found is small.
import {
  canonicalize,
  postorder,
  referenceBackend,
  type Backend,
  type Binding,
  type Executable,
  type TypedArray,
} from '@athanor/core/backend';
import { describe, expect, it } from 'vitest';
import { campaign } from './campaign.ts';
import { randomProblem } from './generate.ts';
import { judge } from './judge.ts';
import { print } from './print.ts';

const sizeOf = (seed: number): number => {
  const { outputs, assignments = [] } = randomProblem(seed).problem;
  return postorder([...outputs, ...assignments.map(({ value }) => value)], (node) => node.inputs).length;
};

/** The reference, but for graphs with some operation, whose first result is off by one. */
function brokenFor(op: string): Backend {
  const backend = referenceBackend();
  const broken = new WeakSet<Executable>();
  const spoiled = new WeakSet<object>();
  return {
    name: 'broken',
    limits: backend.limits,
    numerics: backend.numerics,
    threads: 1,
    allocate: (bytes) => backend.allocate(bytes),
    free: (memory) => backend.free(memory),
    write: (memory, values) => backend.write(memory, values),
    compile(graph) {
      const executable = backend.compile(graph);
      if (graph.nodes.some((node) => node.op === op)) broken.add(executable);
      return executable;
    },
    run(executable, binding: Binding) {
      const [first] = binding.outputs;
      if (first !== undefined && broken.has(executable)) spoiled.add(first);
      return backend.run(executable, binding);
    },
    async read(memory, dtype, elements): Promise<TypedArray> {
      const values = await backend.read(memory, dtype, elements);
      if (spoiled.has(memory) && values.length > 0) values[0] = (values[0] ?? 0) === 0 ? 1 : 0;
      return values;
    },
    memory: () => backend.memory(),
    dispose: () => backend.dispose(),
  };
}

describe('random problems', () => {
  it('are the same for the same seed', () => {
    for (const seed of [3, 4]) expect(print(randomProblem(seed).problem)).toBe(print(randomProblem(seed).problem));
    expect(print(randomProblem(3).problem)).not.toBe(print(randomProblem(6).problem));
  });

  it('have 20 to 300 nodes in the main, of many kinds', () => {
    const sizes = Array.from({ length: 60 }, (_, i) => sizeOf(i + 1)).sort((a, b) => a - b);
    expect(sizes[15]).toBeGreaterThan(15);
    expect(sizes[45]).toBeLessThan(400);
    const ops = new Set(
      Array.from({ length: 200 }, (_, i) => randomProblem(i + 1).problem).flatMap(({ outputs }) =>
        canonicalize({ outputs, assignments: [] }).nodes.map(({ op }) => op),
      ),
    );
    expect(
      ['dot', 'conv', 'window', 'scatterAdd', 'sort', 'where', 'pad', 'popcount', 'tanh', 'randomBits'].filter(
        (op) => !ops.has(op as never),
      ),
    ).toEqual([]);
  });

  it('are judged right on the reference itself, and rarely skipped', async () => {
    const { graphs, skipped, failure } = await campaign(referenceBackend(), { seed: 1, graphs: 60 });
    expect(failure).toBeUndefined();
    expect(skipped).toBeLessThan(graphs / 5);
  });
});

describe('a broken backend', () => {
  it.each(['dot', 'flip', 'popcount'])('with a mistake in %s is found out by a graph of few nodes', async (op) => {
    const { failure } = await campaign(brokenFor(op), { seed: 1, graphs: 400 });
    const lines = failure?.graph.split('\n') ?? [];
    expect(lines.filter((line) => line.includes(`= ${op}(`))).toHaveLength(1);
    expect(lines.length).toBeLessThanOrEqual(6);
  });

  it('that throws is wrong, not a crash of the campaign', async () => {
    const backend = {
      ...brokenFor('none'),
      compile: () => {
        throw new Error('no');
      },
    };
    expect(await judge(backend, randomProblem(1).problem, 'exact')).toEqual({ kind: 'wrong', text: 'Error: no' });
  });
});
