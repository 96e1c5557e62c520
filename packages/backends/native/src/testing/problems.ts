// For tests: graphs of random leaves, their results on a backend and in float64.
import {
  arrayOf,
  build,
  bytesOf,
  canonicalize,
  combine,
  elementCount,
  interpretAll,
  type ConvAttributes,
  type Node,
  type Shape,
  type TypedArray,
} from '@athanor/core/backend';
import type { NativeBackend } from '../backend.ts';

/** Values in [−½, ½), the same for the same seed. */
export function randomValues(count: number, seed: number): Float32Array {
  let state = seed;
  return Float32Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32 - 0.5;
  });
}

export function randomLeaf(shape: Shape, seed: number): Node {
  return build.data(randomValues(elementCount(shape), seed), shape, 'float32');
}

/** x [N, G, C, H, W] with weight [G, O, C, K, K]. */
export function convolution(x: Node, weight: Node, attributes: Partial<ConvAttributes> = {}): Node {
  return combine.conv(x, weight, {
    stride: [1, 1],
    padding: [[1, 1], [1, 1]],
    inputDilation: [1, 1],
    kernelDilation: [1, 1],
    combine: 'multiply-add',
    ...attributes,
  });
}

/** What a backend computes. */
export function resultsOf(backend: NativeBackend, outputs: readonly Node[]): TypedArray[] {
  const graph = canonicalize({ outputs, assignments: [] });
  const memories = graph.outputs.map(({ shape, dtype }) => backend.allocate(elementCount(shape) * bytesOf(dtype)));
  backend.run(backend.compile(graph), { inputs: graph.inputs.map(valuesOf), variables: [], outputs: memories });
  const results = graph.outputs.map(({ shape, dtype }, i) => backend.read(memories[i] ?? { bytes: 0 }, dtype, elementCount(shape)));
  for (const memory of memories) backend.free(memory);
  return results;
}

/** What they are in float64. */
export function exactResults(outputs: readonly Node[]): ReturnType<typeof interpretAll>['outputs'] {
  const graph = canonicalize({ outputs, assignments: [] });
  return interpretAll(graph, graph.inputs.map(valuesOf), []).outputs;
}

/** The largest error of a backend's results against float64, as a share of the largest value of each. */
export function errorOf(backend: NativeBackend, outputs: readonly Node[]): number {
  const want = exactResults(outputs);
  const errors = resultsOf(backend, outputs).map((values, i) => {
    const exact = Array.from(want[i] ?? []);
    const largest = exact.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    return Array.from(values).reduce((most, value, j) => Math.max(most, Math.abs(value - (exact[j] ?? NaN))), 0) / largest;
  });
  return Math.max(...errors);
}

function valuesOf(node: Node): TypedArray {
  return (node.op === 'data' ? node.attributes.leaf.data : undefined) ?? arrayOf('uint8', 0);
}
