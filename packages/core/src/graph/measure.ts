// How much work a graph is.
import { elementCount } from '../shape.ts';
import type { Node } from './node.ts';

/** Multiply-accumulates of a node: those of contractions; everything else counts as none. */
export function multiplyAccumulates(node: Node): number {
  const outputs = elementCount(node.shape);
  if (node.op === 'dot') {
    const [a] = node.inputs;
    return node.attributes.contract.reduce((product, [axis]) => product * (a?.shape[axis] ?? 1), outputs);
  }
  if (node.op === 'conv') {
    const [, , channels = 1, ...kernel] = node.inputs[1]?.shape ?? [];
    return outputs * channels * elementCount(kernel);
  }
  return 0;
}
