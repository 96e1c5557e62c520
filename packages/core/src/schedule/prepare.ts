// Rewrites before scheduling: convolutions without padding or input dilation, long reductions in two steps,
// and a value of its own for everything that the program returns or assigns.
import type { CanonicalGraph } from '../backend/backend.ts';
import { conv } from '../graph/combine.ts';
import { buildContext, create } from '../graph/create.ts';
import { reduce } from '../graph/build.ts';
import { pad, permute, reshape, slice } from '../graph/move.ts';
import type { Node, NodeOf, PaddingPair, VariableSlot } from '../graph/node.ts';
import { bytesOf } from '../dtype.ts';
import { elementCount } from '../shape.ts';
import { hasPhases, phaseConvolution } from './phases.ts';
import { isMovement, operand } from './view.ts';

export interface PreparedGraph {
  /** Operands before users. */
  readonly nodes: readonly Node[];
  readonly outputs: readonly Node[];
  readonly assignments: readonly { readonly variable: VariableSlot; readonly value: Node }[];
}

export function prepare(graph: CanonicalGraph): PreparedGraph {
  const replaced = new Map<Node, Node>();
  const padded = new Map<string, Node>();
  const order: Node[] = [];
  const seen = new Set<Node>();
  const visit = (root: Node): void => {
    if (seen.has(root)) return;
    const stack = [root];
    for (let node = stack.at(-1); node !== undefined; node = stack.at(-1)) {
      const before = stack.length;
      for (const input of node.inputs) if (!seen.has(input)) stack.push(input);
      if (stack.length > before) continue;
      stack.pop();
      if (seen.has(node)) continue;
      seen.add(node);
      order.push(node);
    }
  };
  const outside = { ...buildContext };
  for (const node of graph.nodes) {
    buildContext.module = node.module;
    const inputs = node.inputs.map((input) => replaced.get(input) ?? input);
    const moved = inputs.every((input, i) => input === node.inputs[i]) ? node : withInputs(node, inputs);
    const next = rewrite(moved, padded);
    if (next !== node) replaced.set(node, next);
    visit(next);
  }
  Object.assign(buildContext, outside);

  const taken = new Set<Node>();
  const own = (node: Node): Node => {
    const value = sameMemory(replaced.get(node) ?? node);
    const needsCopy = taken.has(value) || isMovement(value) || value.inputs.length === 0;
    const result = needsCopy ? copyOf(value) : value;
    taken.add(result);
    visit(result);
    return result;
  };
  const outputs = graph.outputs.map(own);
  const assignments = graph.assignments.map(({ variable, value }) => ({ variable, value: own(value) }));
  return { nodes: order, outputs, assignments };
}

/** What a reshape reshapes: memory does not know shapes. */
function sameMemory(node: Node): Node {
  let base = node;
  while (base.op === 'reshape') base = operand(base);
  return base;
}

/** A node that must be computed into memory of its own. */
function copyOf(node: Node): Node {
  return create('reshape', [node], { shape: node.shape }, node.shape, node.dtype);
}

function withInputs(node: Node, inputs: readonly Node[]): Node {
  return create(node.op, inputs, node.attributes, node.shape, node.dtype);
}

function rewrite(node: Node, padded: Map<string, Node>): Node {
  switch (node.op) {
    case 'conv':
      return plainConv(node, padded);
    case 'sum':
    case 'prod':
    case 'maxReduce':
    case 'minReduce':
      return splitReduction(node);
    default:
      return node;
  }
}

/** conv(x, w) with padding, cropping and input dilation turned into a padded copy of x, shared between convolutions. */
function plainConv(node: NodeOf<'conv'>, padded: Map<string, Node>): Node {
  const { padding, inputDilation, stride, kernelDilation, combine } = node.attributes;
  const [x, weight] = node.inputs;
  if (x === undefined || weight === undefined) return node;
  if (padding.every(([low, high]) => low === 0 && high === 0) && inputDilation.every((by) => by === 1)) return node;
  if (hasPhases(node)) return phaseConvolution(node, (inner) => plainConv(inner, padded));
  // Padding goes below a permutation of samples, groups and channels: a convolution and its weight gradient share it.
  const order = x.op === 'permute' && x.attributes.order.slice(3).every((axis, i) => axis === i + 3) ? x.attributes.order : undefined;
  const base = order === undefined ? x : operand(x);
  const key = JSON.stringify([base.id, padding, inputDilation]);
  const filled = padded.get(key) ?? paddedInput(base, padding, inputDilation);
  padded.set(key, filled);
  const ready = order === undefined ? filled : permute(filled, order);
  const none: PaddingPair[] = padding.map(() => [0, 0]);
  return conv(ready, weight, { stride, kernelDilation, combine, padding: none, inputDilation: stride.map(() => 1) });
}

/**
 * x [N, G, C, …S] with zeros around and between. Dilation by d is: pad a new axis of size 1 behind the spatial axis to
 * d, then merge the two; padding then counts in whole steps of d, and a slice (free for the convolution) trims it.
 */
function paddedInput(x: Node, padding: readonly PaddingPair[], dilation: readonly number[]): Node {
  const lead = x.shape.slice(0, 3);
  const spatial = x.shape.slice(3);
  const plan = spatial.map((size, axis) => {
    const [low, high] = padding[axis] ?? [0, 0];
    const by = dilation[axis] ?? 1;
    const before = Math.max(0, Math.ceil(low / by));
    const start = before * by - low;
    const length = (size - 1) * by + 1 + low + high;
    const total = Math.max(size + before, Math.ceil((start + length) / by));
    return { by, before, after: total - size - before, start, length, total };
  });
  const spread = reshape(x, [...lead, ...plan.flatMap((axis, i) => [spatial[i] ?? 1, 1].slice(0, axis.by === 1 ? 1 : 2))]);
  const pairs: PaddingPair[] = plan.flatMap((axis): PaddingPair[] =>
    axis.by === 1 ? [[axis.before, axis.after]] : [[axis.before, axis.after], [0, axis.by - 1]],
  );
  const filled = pad(spread, [...lead.map((): PaddingPair => [0, 0]), ...pairs], 0);
  const merged = reshape(filled, [...lead, ...plan.map((axis) => axis.total * axis.by)]);
  return slice(
    merged,
    [0, 0, 0, ...plan.map((axis) => axis.start)],
    [...lead, ...plan.map((axis) => axis.start + axis.length)],
    merged.shape.map(() => 1),
  );
}

const fewOutputs = 4;
const longReduction = 16384;
/** Bytes that caches hold beside whatever else a kernel touches. */
const cachedBytes = 4 * 2 ** 20;
/** Partial results of shorter rows would be as much to read as half of the rows themselves. */
const shortRow = 32;

/**
 * Two reductions in place of one, chosen by shape alone: a long one to few values becomes partial results first, so that
 * threads can share it; one over rows that lie apart, of more than caches hold, becomes one along each row first, so that
 * memory is read from end to end. (Jumping from row to row, the processor cannot look ahead: it reads a third as fast.)
 * Only for reductions over the first axis: where that counts samples, how one is summed must not depend on their number.
 */
function splitReduction(node: NodeOf<'sum'> | NodeOf<'prod'> | NodeOf<'maxReduce'> | NodeOf<'minReduce'>): Node {
  const x = operand(node);
  const outputs = elementCount(node.shape);
  const length = elementCount(x.shape) / Math.max(1, outputs);
  if (!node.attributes.axes.includes(0)) return node;
  const axes = node.attributes.axes.filter((axis) => (x.shape[axis] ?? 1) > 1);
  const [first] = axes;
  if (first === undefined) return node;
  const { before, along } = rowsOf(x.shape, axes);
  const row = elementCount(along.map((axis) => x.shape[axis] ?? 1));
  if (before.length > 0 && row >= shortRow && elementCount(x.shape) * bytesOf(x.dtype) >= cachedBytes) return reduce(node.op, reduce(node.op, x, along), before);
  if (outputs >= fewOutputs || length < longReduction) return node;
  const size = x.shape[first] ?? 1;
  if (axes.length > 1 && size >= 4 && size <= 1024) return reduce(node.op, reduce(node.op, x, axes.slice(1)), [first]);
  const chunks = divisorNear(size, 64);
  if (chunks === 1) return node;
  const split = [...x.shape.slice(0, first), chunks, size / chunks, ...x.shape.slice(first + 1)];
  const rest = node.attributes.axes.map((axis) => (axis >= first ? axis + 1 : axis));
  return reshape(reduce(node.op, reduce(node.op, reshape(x, split), rest), [first]), node.shape);
}

/** Reduced axes that lie side by side at the end, and those before them, where something else lies between. */
function rowsOf(shape: readonly number[], axes: readonly number[]): { before: number[]; along: number[] } {
  let start = shape.length;
  while (start > 0 && (shape[start - 1] === 1 || axes.includes(start - 1))) start--;
  return { before: axes.filter((axis) => axis < start), along: axes.filter((axis) => axis >= start) };
}

/** The divisor of n in [2, 512] that is nearest to a wanted one, or 1. */
function divisorNear(n: number, wanted: number): number {
  let best = 1;
  for (let d = 2; d <= 512; d++) {
    if (n % d === 0 && (best === 1 || Math.abs(d - wanted) < Math.abs(best - wanted))) best = d;
  }
  return best;
}
