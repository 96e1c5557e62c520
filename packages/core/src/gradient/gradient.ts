// Reverse-mode differentiation: walks from the output to the targets, users before operands, adding up gradients.
// It builds graph only; what it builds can be differentiated again.
import { isFloat } from '../dtype.ts';
import { InternalError, ShapeError, formatShape } from '../errors.ts';
import { buildContext } from '../graph/create.ts';
import type { Node, Op } from '../graph/node.ts';
import { postorder } from '../graph/order.ts';
import { sameShape } from '../shape.ts';
import { add, alias, like } from './helpers.ts';
import { rules, type Rule } from './rules.ts';

/** The gradients of a value's inputs, in their order, from its own. */
export type GradientRule = (cotangent: Node) => readonly (Node | undefined)[];

interface CustomGradient {
  readonly inputs: readonly Node[];
  readonly rule: GradientRule;
}

const customGradients = new WeakMap<Node, CustomGradient>();

/**
 * The same value, whose gradient is `rule` with respect to `inputs` instead of what lies between: for closed forms
 * that need fewer passes over memory, straight-through estimators, recomputation.
 */
export function withGradient(value: Node, inputs: readonly Node[], rule: GradientRule): Node {
  const marked = alias(value);
  customGradients.set(marked, { inputs, rule });
  return marked;
}

/** The same value, through which no gradient flows. */
export function stopGradient(value: Node): Node {
  return withGradient(value, [], () => []);
}

/** The operands that gradients flow to: through custom rules, not through what they hide. */
export function operandsOf(node: Node): readonly Node[] {
  return isFloat(node.dtype) ? (customGradients.get(node)?.inputs ?? node.inputs) : [];
}

export interface GradientWalkOptions {
  /** Targets count as independent of each other: gradients end at them instead of passing on to what they came from. */
  readonly stopAtTargets?: boolean;
}

/**
 * d output / d target for each target, summed over the output with the weights `cotangent` (ones if undefined).
 * undefined where the output does not depend on a target, or only through operations without a gradient.
 */
export function gradient(
  output: Node,
  cotangent: Node | undefined,
  targets: readonly Node[],
  options: GradientWalkOptions = {},
): (Node | undefined)[] {
  if (cotangent !== undefined && !(sameShape(cotangent.shape, output.shape) && cotangent.dtype === output.dtype)) {
    throw new ShapeError(
      `gradient: the incoming gradient is ${cotangent.dtype} ${formatShape(cotangent.shape)}, the output ${output.dtype} ${formatShape(output.shape)}`,
    );
  }
  const ends = new Set(options.stopAtTargets === true ? targets : []);
  const order = postorder([output], (node) => (ends.has(node) ? [] : operandsOf(node)));
  const reached = nodesThatNeed(targets, order);
  const cotangents = new Map<Node, Node>();
  if (reached.has(output)) cotangents.set(output, cotangent ?? like(output, 1));
  const { module } = buildContext;
  try {
    for (const node of order.reverse()) {
      const dy = cotangents.get(node);
      if (dy === undefined || ends.has(node)) continue;
      buildContext.module = node.module;
      pullBack(node, dy, { reached, cotangents });
    }
  } finally {
    buildContext.module = module;
  }
  return targets.map((target) => cotangents.get(target));
}

/** Float nodes through which an output depends on a target. `order` lists operands before users. */
function nodesThatNeed(targets: readonly Node[], order: readonly Node[]): Set<Node> {
  const needing = new Set(targets.filter((target) => isFloat(target.dtype)));
  for (const node of order) if (operandsOf(node).some((operand) => needing.has(operand))) needing.add(node);
  return needing;
}

interface Walk {
  readonly reached: ReadonlySet<Node>;
  readonly cotangents: Map<Node, Node>;
}

function pullBack(node: Node, dy: Node, walk: Walk): void {
  const custom = customGradients.get(node);
  if (custom !== undefined) {
    if (!custom.inputs.some((input) => walk.reached.has(input))) return;
    const gradients = custom.rule(dy);
    custom.inputs.forEach((input, i) => accumulate(input, gradients[i], walk));
    return;
  }
  const [a = node, b = a, c = b] = node.inputs;
  const table = rules[node.op] as readonly (Rule<Op> | undefined)[];
  node.inputs.forEach((input, i) => {
    if (walk.reached.has(input)) accumulate(input, table[i]?.(dy, node, a, b, c), walk);
  });
}

function accumulate(input: Node, part: Node | undefined, { reached, cotangents }: Walk): void {
  if (part === undefined || !reached.has(input)) return;
  if (!sameShape(part.shape, input.shape) || part.dtype !== input.dtype) {
    throw new InternalError(`the gradient of ${input.op} is ${part.dtype} ${formatShape(part.shape)}, not ${input.dtype} ${formatShape(input.shape)}`);
  }
  const known = cotangents.get(input);
  cotangents.set(input, known === undefined ? part : add(known, part));
}
