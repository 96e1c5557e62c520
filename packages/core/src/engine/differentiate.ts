// Gradients of tensors with respect to tensors and Variables.
import { isFloat } from '../dtype.ts';
import { DtypeError, ShapeError, UserError, formatShape } from '../errors.ts';
import { gradient, operandsOf, withGradient as nodeWithGradient } from '../gradient/gradient.ts';
import { constant } from '../graph/build.ts';
import type { Node } from '../graph/node.ts';
import { postorder } from '../graph/order.ts';
import { sameShape } from '../shape.ts';
import { broadcastNode } from '../tensor/promotion.ts';
import { Tensor } from '../tensor/tensor.ts';
import { computedLeaf, openAssignments, writtenTo } from './state.ts';
import { Variable } from './variable.ts';

/** What gradients can be taken with respect to; a Variable stands for the version that was read. */
export type GradientTarget = Tensor | Variable;

export interface GradientOptions {
  /** The cotangent of the output; left out, the output must be a scalar, with cotangent 1. */
  readonly cotangent?: Tensor;
  /** Give zeros for a target that the output does not depend on, instead of an error. */
  readonly allowUnused?: boolean;
}

/** The nodes that stand for each Variable in a graph: the versions that were read, before or after they were written. */
function readsByVariable(order: readonly Node[]): Map<unknown, Set<Node>> {
  const reads = new Map<unknown, Set<Node>>();
  const note = (variable: unknown, node: Node): void => {
    const nodes = reads.get(variable) ?? new Set();
    reads.set(variable, nodes.add(node));
  };
  for (const node of order) {
    if (node.op === 'read') note(node.attributes.variable, node);
    else for (const storage of writtenTo(node)) note(storage, node);
  }
  return reads;
}

function variableNode(variable: Variable, reads: ReadonlyMap<unknown, ReadonlySet<Node>>, reached: ReadonlySet<Node>): Node | undefined {
  const nodes = new Set(reads.get(variable));
  const assigned = openAssignments().get(variable)?.value;
  if (assigned !== undefined && reached.has(assigned)) nodes.add(assigned);
  const [node, second] = nodes;
  if (second === undefined) return node;
  throw new UserError(`the gradient with respect to ${variable.name} is ambiguous: the output reads it before and after an assignment`, {
    remedy: 'take the gradient with respect to the tensor that `value` gave',
  });
}

/** The node of the graph that stands for a target, or undefined if the output does not depend on it. */
function findNode(target: GradientTarget, order: readonly Node[], reads: ReadonlyMap<unknown, ReadonlySet<Node>>, reached: ReadonlySet<Node>): Node | undefined {
  if (target instanceof Variable) return variableNode(target, reads, reached);
  if (reached.has(target.node)) return target.node;
  return order.find((node) => computedLeaf(node) === target.node);
}

function targetName(target: GradientTarget, position: number): string {
  return target instanceof Variable ? target.name : `target ${position} ${formatShape(target.shape)}`;
}

function checkOutput(output: Tensor, cotangent: Tensor | undefined): void {
  if (!isFloat(output.dtype)) throw new DtypeError(`the gradient of a tensor of dtype ${output.dtype}`, { remedy: 'only floats have gradients' });
  if (cotangent === undefined && output.size !== 1) {
    throw new ShapeError(`the gradient of an output of shape ${formatShape(output.shape)} needs a cotangent`, {
      remedy: 'sum it or take its mean, or pass { cotangent }',
    });
  }
  if (cotangent !== undefined && !sameShape(cotangent.shape, output.shape)) {
    throw new ShapeError(`a cotangent of shape ${formatShape(cotangent.shape)} for an output of shape ${formatShape(output.shape)}`);
  }
}

/** `grad`, with undefined for targets that the output does not depend on. */
export function gradientsOf(output: Tensor, targets: readonly GradientTarget[], cotangent?: Tensor): (Tensor | undefined)[] {
  checkOutput(output, cotangent);
  const order = postorder([output.node], operandsOf);
  const reached = new Set(order);
  const reads = readsByVariable(order);
  const nodes = targets.map((target) => findNode(target, order, reads, reached));
  const found = [...new Set(nodes.filter((node) => node !== undefined))];
  const gradients = new Map(gradient(output.node, cotangent?.node, found).map((node, i) => [found[i], node]));
  return nodes.map((node) => {
    const own = node === undefined ? undefined : gradients.get(node);
    return own === undefined ? undefined : new Tensor(own);
  });
}

/**
 * Gradients of an output with respect to tensors and Variables, as tensors of their shapes; differentiable again.
 * A Variable stands for the version that the output read.
 * @throws UserError for an output that is no scalar (without a cotangent) and for a target that it does not depend on.
 */
export function grad(output: Tensor, targets: readonly GradientTarget[], options: GradientOptions = {}): Tensor[] {
  const { cotangent, allowUnused = false } = options;
  return gradientsOf(output, targets, cotangent).map((own, i) => {
    if (own !== undefined) return own;
    const target = targets[i] as GradientTarget;
    if (!allowUnused) {
      throw new UserError(`the output does not depend on ${targetName(target, i)}`, {
        remedy: 'use it in the computation, leave it out, or allow zeros with { allowUnused: true }',
      });
    }
    return new Tensor(broadcastNode(constant(0, target.dtype), target.shape));
  });
}

/**
 * The same value with a gradient of its own: `rule` gives the cotangents of `inputs` from the value's. For closed forms,
 * straight-through estimators and recomputation.
 */
export function withGradient(value: Tensor, inputs: readonly Tensor[], rule: (cotangent: Tensor) => readonly (Tensor | undefined)[]): Tensor {
  const nodes = inputs.map(({ node }) => node);
  return new Tensor(nodeWithGradient(value.node, nodes, (cotangent) => rule(new Tensor(cotangent)).map((part) => part?.node)));
}
