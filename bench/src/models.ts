// The networks' parameters in the order in which every contestant holds them, and the parts of the U-Net.
import type { Parameter } from './numbers.ts';
import type { Problem, ProblemOf } from './problem.ts';

const inputsOf = (shape: readonly number[]): number => shape.slice(1).reduce((product, size) => product * size, 1);
/** ±1/√fan-in, as PyTorch starts them. */
const spreadOf = (shape: readonly number[]): number => Math.fround(1 / Math.sqrt(inputsOf(shape)));
const weight = (shape: readonly number[]): Parameter => ({ shape, center: 0, spread: spreadOf(shape) });
const perOutput = ([outputs = 0]: readonly number[], center: number, spread: number): Parameter => ({ shape: [outputs], center, spread });
const withBias = (...shape: number[]): Parameter[] => [weight(shape), perOutput(shape, 0, spreadOf(shape))];
/** A convolution without bias, then batch norm. */
const normalized = (...shape: number[]): Parameter[] => [weight(shape), perOutput(shape, 1, 0.25), perOutput(shape, 0, 0.25)];

/** The CIFAR form: stages of this width, and how often each repeats its block. */
export const resnetWidths = [16, 32, 64] as const;
export const resnetBlocks = 3;

function resnetParameters(): Parameter[] {
  const parameters = normalized(16, 3, 3, 3);
  let channels = 16;
  for (const width of resnetWidths) {
    for (let block = 0; block < resnetBlocks; block++) {
      parameters.push(...normalized(width, channels, 3, 3), ...normalized(width, width, 3, 3));
      if (channels !== width) parameters.push(...normalized(width, channels, 1, 1));
      channels = width;
    }
  }
  return [...parameters, ...withBias(10, 64)];
}

/** Features of the U-Net's embedding of time, before and after its dense layers. */
export const timeFeatures = { sinusoids: 32, embedding: 128 } as const;
export const unetGroups = 8;
const unetWidths = [32, 64, 64] as const;
const unetBlocks = 2;

/** One part of the U-Net. Blocks of the way up first append what the way down kept at the same size. */
export type UnetPart =
  | { readonly kind: 'block'; readonly inputs: number; readonly outputs: number; readonly attention: boolean; readonly skip: 'keep' | 'append' | 'none' }
  | { readonly kind: 'down' | 'up'; readonly channels: number };

/**
 * The U-Net of DDPM (Ho et al. 2020, arXiv 2006.11239): three sizes, two residual blocks at each on the way down and
 * three on the way up, attention in all blocks of the smallest size. What follows the first convolution is kept too.
 */
export function unetParts(): UnetPart[] {
  const parts: UnetPart[] = [];
  const kept: number[] = [unetWidths[0]];
  let channels: number = unetWidths[0];
  const smallest = unetWidths.length - 1;
  unetWidths.forEach((width, level) => {
    for (let block = 0; block < unetBlocks; block++) {
      parts.push({ kind: 'block', inputs: channels, outputs: width, attention: level === smallest, skip: 'keep' });
      channels = width;
      kept.push(channels);
    }
    if (level === smallest) return;
    parts.push({ kind: 'down', channels });
    kept.push(channels);
  });
  for (const attention of [true, false]) parts.push({ kind: 'block', inputs: channels, outputs: channels, attention, skip: 'none' });
  for (let level = smallest; level >= 0; level--) {
    const width = unetWidths[level] ?? 0;
    for (let block = 0; block <= unetBlocks; block++) {
      parts.push({ kind: 'block', inputs: channels + (kept.pop() ?? 0), outputs: width, attention: level === smallest, skip: 'append' });
      channels = width;
    }
    if (level > 0) parts.push({ kind: 'up', channels });
  }
  return parts;
}

/** γ and β of a group norm. */
const affine = (channels: number): Parameter[] => [perOutput([channels], 1, 0.25), perOutput([channels], 0, 0.25)];

function unetParameters(): Parameter[] {
  const { sinusoids, embedding } = timeFeatures;
  const [first] = unetWidths;
  const parts = unetParts().flatMap((part): Parameter[] => {
    if (part.kind !== 'block') return withBias(part.channels, part.channels, 3, 3);
    const { inputs, outputs, attention } = part;
    return [
      ...affine(inputs), ...withBias(outputs, inputs, 3, 3), ...withBias(outputs, embedding), ...affine(outputs), ...withBias(outputs, outputs, 3, 3),
      ...(inputs === outputs ? [] : withBias(outputs, inputs, 1, 1)),
      ...(attention ? [...affine(outputs), ...withBias(3 * outputs, outputs, 1, 1), ...withBias(outputs, outputs, 1, 1)] : []),
    ];
  });
  return [
    ...withBias(embedding, sinusoids), ...withBias(embedding, embedding), ...withBias(first, 1, 3, 3),
    ...parts,
    ...affine(first), ...withBias(1, first, 3, 3),
  ];
}

export type ModelProblem = ProblemOf<'lenet5' | 'resnet20' | 'mlp' | 'unet'>;

export function isModel(problem: Problem): problem is ModelProblem {
  return problem.kind === 'lenet5' || problem.kind === 'resnet20' || problem.kind === 'mlp' || problem.kind === 'unet';
}

/** Parameters of a network, in the order of its layers. */
export function parametersOf(problem: ModelProblem): Parameter[] {
  switch (problem.kind) {
    case 'lenet5':
      return [...withBias(6, 1, 5, 5), ...withBias(16, 6, 5, 5), ...withBias(120, 400), ...withBias(84, 120), ...withBias(10, 84)];
    case 'resnet20':
      return resnetParameters();
    case 'mlp':
      return problem.sizes.slice(1).flatMap((size, layer) => withBias(size, problem.sizes[layer] ?? 0));
    case 'unet':
      return unetParameters();
    default:
      return problem satisfies never;
  }
}
