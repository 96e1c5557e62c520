// checkpoint: forget intermediate values and compute them again in the backward pass (Chen et al. 2016).
import { isFloat } from '../dtype.ts';
import { gradient, operandsOf, withGradient } from '../gradient/gradient.ts';
import { apply, constant, where } from '../graph/build.ts';
import { buildContext, nodeCount } from '../graph/create.ts';
import { reshape, slice } from '../graph/move.ts';
import type { Node } from '../graph/node.ts';
import { postorder } from '../graph/order.ts';
import { broadcastNode } from '../tensor/promotion.ts';
import { Tensor } from '../tensor/tensor.ts';
import { record, replay } from './replay.ts';

let nextRegion = 1;

/** A bool scalar that is always true, but known only when the cotangent is. */
function trueAfter(cotangent: Node): Node {
  const one = slice(cotangent, cotangent.shape.map(() => 0), cotangent.shape.map(() => 1), cotangent.shape.map(() => 1));
  const scalar = reshape(one, []);
  return apply('or', apply('eq', scalar, scalar), apply('ne', scalar, scalar));
}

/** A value that cannot be computed before the cotangent, so that what follows from it is computed in the backward pass. */
function after(cotangent: Node, value: Node): Node {
  const condition = broadcastNode(trueAfter(cotangent), value.shape);
  return where(condition, value, broadcastNode(constant(0, value.dtype), value.shape));
}

/** Everything older than `start` that gradients reach, and reads of Variables: what the function depends on from outside. */
function boundary(output: Node, start: number): Node[] {
  const outside: Node[] = [];
  const operands = (node: Node): readonly Node[] => {
    if (node.id > start && node.op !== 'read') return operandsOf(node);
    if (isFloat(node.dtype)) outside.push(node);
    return [];
  };
  postorder([output], operands);
  return outside;
}

/**
 * A function whose intermediate values are not kept for the backward pass but computed there again, with the same random
 * draws and without assigning anything twice. The output is one tensor.
 */
export function checkpoint<A extends readonly Tensor[]>(fn: (...inputs: A) => Tensor): (...inputs: A) => Tensor {
  return (...inputs) => {
    const start = nodeCount();
    const { result, reads } = record(() => fn(...inputs));
    const given = inputs.map(({ node }) => node);
    const others = boundary(result.node, start).filter((node) => !given.includes(node));
    const module = buildContext.module;
    const rule = (cotangent: Node): (Node | undefined)[] => {
      const outer = { ...buildContext };
      buildContext.region = nextRegion++;
      buildContext.module = module;
      try {
        const again = given.map((node) => after(cotangent, node));
        const output = replay(reads, () => fn(...(again.map((node) => new Tensor(node)) as unknown as A)));
        return gradient(output.node, cotangent, [...again, ...others], { stopAtTargets: true });
      } finally {
        Object.assign(buildContext, outer);
      }
    };
    return new Tensor(withGradient(result.node, [...given, ...others], rule));
  };
}
