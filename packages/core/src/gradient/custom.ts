// Gradients given by hand: a value that the gradient walk does not look into, with the rule that replaces what is inside.
import type { Node } from '../graph/node.ts';
import { alias } from './helpers.ts';

/** Cotangents of the inputs from the cotangent of the value; undefined means none. */
export type GradientRule = (cotangent: Node) => readonly (Node | undefined)[];

interface CustomGradient {
  readonly inputs: readonly Node[];
  readonly rule: GradientRule;
}

const customGradients = new WeakMap<Node, CustomGradient>();

/** The value again, as a node whose gradient goes by `rule` straight to `inputs`. */
export function withGradient(value: Node, inputs: readonly Node[], rule: GradientRule): Node {
  const node = alias(value);
  customGradients.set(node, { inputs, rule });
  return node;
}

/** The value again, as a node that no gradient passes. */
export function stopGradient(value: Node): Node {
  return withGradient(value, [], () => []);
}

/** The rule given to a node by `withGradient`, if any. */
export function customGradient(node: Node): CustomGradient | undefined {
  return customGradients.get(node);
}
