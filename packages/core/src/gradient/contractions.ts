// Gradients of dot and conv: contractions again, so that they are closed under differentiation.
import { conv, dot, freeAxes } from '../graph/combine.ts';
import { flip, permute } from '../graph/move.ts';
import type { ConvAttributes, Node, NodeOf, PaddingPair } from '../graph/node.ts';
import { inverseOrder } from './helpers.ts';

/** The gradient of one operand of y = dot(a, b): dy contracted with the other over what only the other has. */
export function dotGradient(dy: Node, y: NodeOf<'dot'>, side: 0 | 1): Node {
  const other = side === 0 ? 1 : 0;
  const [own, partner] = [y.inputs[side], y.inputs[other]];
  if (own === undefined || partner === undefined) return dy;
  const { batch, contract, combine } = y.attributes;
  const pairs = [...batch, ...contract];
  const free = [0, 1].map((operand) => freeAxes(y.inputs[operand]?.shape.length ?? 0, pairs.map((pair) => pair[operand] ?? 0)));
  const [ownFree, partnerFree] = [free[side] ?? [], free[other] ?? []];
  const firstFree = [batch.length, batch.length + (free[0]?.length ?? 0)];
  const batches = batch.map((pair, i) => [i, pair[other]] as const);
  const summed = partnerFree.map((axis, i) => [(firstFree[other] ?? 0) + i, axis] as const);
  const swap = ([i, j]: readonly [number, number]): readonly [number, number] => [j, i];
  // Axes of the operand in the order in which the product has them; partners of contracted axes stand ascending.
  const contracted = contract.toSorted((p, q) => p[other] - q[other]).map((pair) => pair[side]);
  const named = batch.map((pair) => pair[side]);
  const before = permute(dot(dy, partner, { batch: batches, contract: summed, combine }), inverseOrder([...named, ...ownFree, ...contracted]));
  if (before.op === 'dot') return before;
  return permute(
    dot(partner, dy, { batch: batches.map(swap), contract: summed.map(swap), combine }),
    inverseOrder([...named, ...contracted, ...ownFree]),
  );
}

interface Sizes {
  readonly input: number;
  readonly kernel: number;
  readonly output: number;
  readonly low: number;
  readonly stride: number;
  readonly inputDilation: number;
  readonly kernelDilation: number;
}

function sizesOf(y: NodeOf<'conv'>): Sizes[] {
  const { stride, padding, inputDilation, kernelDilation } = y.attributes;
  return stride.map((step, axis) => ({
    input: y.inputs[0]?.shape[axis + 3] ?? 0,
    kernel: y.inputs[1]?.shape[axis + 3] ?? 0,
    output: y.shape[axis + 3] ?? 0,
    low: padding[axis]?.[0] ?? 0,
    stride: step,
    inputDilation: inputDilation[axis] ?? 1,
    kernelDilation: kernelDilation[axis] ?? 1,
  }));
}

/** Swaps axes: [A, G, C, …] and [G, A, C, …] and so on. */
function reorder(x: Node, order: readonly number[]): Node {
  return permute(x, [...order, ...[...x.shape.keys()].slice(3)]);
}

/** Length of n elements with step − 1 zeros between them. */
const spread = (n: number, step: number): number => (n - 1) * step + 1;

/**
 * y[p] = Σ_k x[i] w[k] over p·stride + k·kernelDilation = i·inputDilation + low, solved for i: dy dilated by the stride,
 * correlated with the flipped kernel at steps of the input dilation.
 */
export function convInputGradient(dy: Node, y: NodeOf<'conv'>, weight: Node): Node {
  const sizes = sizesOf(y);
  const flipped = flip(reorder(weight, [0, 2, 1]), sizes.map((_, axis) => axis + 3));
  const padding = sizes.map(({ input, kernel, output, low, stride, inputDilation, kernelDilation }): PaddingPair => {
    const before = (kernel - 1) * kernelDilation - low;
    return [before, spread(input, inputDilation) + spread(kernel, kernelDilation) - 1 - spread(output, stride) - before];
  });
  const attributes: ConvAttributes = {
    stride: sizes.map(({ inputDilation }) => inputDilation),
    padding,
    inputDilation: sizes.map(({ stride }) => stride),
    kernelDilation: sizes.map(({ kernelDilation }) => kernelDilation),
    combine: y.attributes.combine,
  };
  return conv(dy, flipped, attributes);
}

/** The same sum solved for k: x correlated with dy over the batch, stride and kernel dilation change roles. */
export function convWeightGradient(dy: Node, y: NodeOf<'conv'>, x: Node): Node {
  const sizes = sizesOf(y);
  const padding = sizes.map(({ input, kernel, output, low, stride, inputDilation, kernelDilation }): PaddingPair => [
    low,
    spread(kernel, kernelDilation) + spread(output, stride) - 1 - spread(input, inputDilation) - low,
  ]);
  const attributes: ConvAttributes = {
    stride: sizes.map(({ kernelDilation }) => kernelDilation),
    padding,
    inputDilation: sizes.map(({ inputDilation }) => inputDilation),
    kernelDilation: sizes.map(({ stride }) => stride),
    combine: y.attributes.combine,
  };
  return reorder(conv(reorder(x, [2, 1, 0]), reorder(dy, [1, 2, 0]), attributes), [1, 2, 0]);
}
