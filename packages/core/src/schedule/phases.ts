// Convolutions over an input with zeros between its elements (input gradients of strided ones, transposed ones), without
// the zeros: positions of the output that lie the same distance behind an element form a phase, and each phase has taps of
// its own. All phases are one convolution over the input as it is, whose outputs are then interleaved.
import { conv } from '../graph/combine.ts';
import { flip, pad, permute, reshape, slice } from '../graph/move.ts';
import type { Node, NodeOf, PaddingPair } from '../graph/node.ts';

/** One spatial axis: out[dilation · u + v] = Σ_e x[u + e] · w[dilation · e + low − v]. */
interface Phases {
  readonly dilation: number;
  /** First phase that has taps, how many have, and taps of each; all others are zero. */
  readonly first: number;
  readonly count: number;
  readonly taps: number;
  /** Zeros around the kernel, so that each phase has as many taps as all others. */
  readonly kernelPadding: PaddingPair;
  /** Positions of each phase, and of the output. */
  readonly positions: number;
  readonly output: number;
  readonly padding: PaddingPair;
}

/** Whether every axis with zeros between is walked step by step, by a dense kernel that adds products. */
export function hasPhases({ attributes }: NodeOf<'conv'>): boolean {
  const { stride, inputDilation, kernelDilation, combine } = attributes;
  const dilated = inputDilation.flatMap((by, axis) => (by > 1 ? [axis] : []));
  return combine === 'multiply-add' && dilated.length > 0 && dilated.every((axis) => stride[axis] === 1 && kernelDilation[axis] === 1);
}

function phasesOf(node: NodeOf<'conv'>, axis: number): Phases {
  const dilation = node.attributes.inputDilation[axis] ?? 1;
  const [low, high] = node.attributes.padding[axis] ?? [0, 0];
  const [input, kernel, output] = [node.inputs[0]?.shape[axis + 3] ?? 0, node.inputs[1]?.shape[axis + 3] ?? 0, node.shape[axis + 3] ?? 0];
  if (dilation === 1) return { dilation, first: 0, count: 1, taps: kernel, kernelPadding: [0, 0], positions: output, output, padding: [low, high] };
  const before = Math.floor(low / dilation);
  const rest = low - before * dilation;
  const positions = Math.ceil(output / dilation);
  // Phase v begins at tap rest − v: a kernel that none of them wraps around gives one tap to as many phases.
  const single = kernel <= rest + 1;
  const last = single ? -before : Math.floor((kernel - 2 - low + dilation) / dilation);
  const taps = last + before + 1;
  const ahead = dilation - 1 - rest;
  return {
    dilation,
    first: single ? rest - kernel + 1 : 0,
    count: single ? kernel : dilation,
    taps,
    kernelPadding: single ? [0, 0] : [ahead, dilation * taps - kernel - ahead],
    positions,
    output,
    padding: [before, positions + last - input],
  };
}

/** The same values by a convolution without input dilation; `convolve` makes it. */
export function phaseConvolution(node: NodeOf<'conv'>, convolve: (node: NodeOf<'conv'>) => Node): Node {
  const [x, weight] = node.inputs;
  if (x === undefined || weight === undefined) return node;
  const { stride, kernelDilation, inputDilation, combine } = node.attributes;
  const axes = stride.map((_, axis) => phasesOf(node, axis));
  const rank = axes.length;
  const [groups = 1, outputs = 1, channels = 1] = weight.shape;
  const none: PaddingPair = [0, 0];

  // [G, O, C, taps, phases, …]: phases run from the last one to the first.
  const padded = pad(weight, [none, none, none, ...axes.map(({ kernelPadding }) => kernelPadding)], 0);
  const split = reshape(padded, [groups, outputs, channels, ...axes.flatMap(({ taps, count }) => [taps, count])]);
  const ordered = flip(split, axes.map((_, axis) => 4 + 2 * axis));
  const phasesFirst = permute(ordered, [0, 1, ...axes.map((_, axis) => 4 + 2 * axis), 2, ...axes.map((_, axis) => 3 + 2 * axis)]);
  const phases = axes.map(({ count }) => count);
  const product = phases.reduce((all, count) => all * count, outputs);
  const kernel = reshape(phasesFirst, [groups, product, channels, ...axes.map(({ taps }) => taps)]);

  const undilated = inputDilation.map(() => 1);
  const y = conv(x, kernel, { stride, kernelDilation, combine, inputDilation: undilated, padding: axes.map(({ padding }) => padding) });
  const done = y.op === 'conv' ? convolve(y) : y;

  const [samples = 1] = x.shape;
  const apart = reshape(done, [samples, groups, outputs, ...phases, ...axes.map(({ positions }) => positions)]);
  const beside = permute(apart, [0, 1, 2, ...axes.flatMap((_, axis) => [3 + rank + axis, 3 + axis])]);
  const all = pad(beside, [none, none, none, ...axes.flatMap(({ first, count, dilation }): PaddingPair[] => [none, [first, dilation - first - count]])], 0);
  const merged = reshape(all, [samples, groups, outputs, ...axes.map(({ positions, dilation }) => positions * dilation)]);
  return slice(merged, merged.shape.map(() => 0), node.shape, merged.shape.map(() => 1));
}
