// Convolutions in any number of spatial dimensions, and their transposes.
import { ShapeError, UserError, formatShape } from '../../errors.ts';
import { conv } from '../../graph/combine.ts';
import { describe } from '../../graph/create.ts';
import { flip, permute, reshape } from '../../graph/move.ts';
import type { Node } from '../../graph/node.ts';
import { contractionOperands } from '../../tensor/contraction.ts';
import { padBorder, type PaddingMode } from '../../tensor/padding.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { paddingPairs, perAxis, spatialRank, type Padding, type PerAxis } from './spatial.ts';

export interface ConvolutionOptions {
  /** [O] */
  readonly bias?: Tensor | undefined;
  readonly stride?: PerAxis;
  readonly padding?: Padding;
  /** What the padding holds: `zeros` unless given. */
  readonly paddingMode?: ConvolutionPaddingMode;
  readonly dilation?: PerAxis;
  readonly groups?: number;
}

/** What stands outside of the input: zeros, or values of the input itself. */
/** What the padding of a convolution holds. */
export type ConvolutionPaddingMode = 'zeros' | PaddingMode;

/** [N, C, …] as [N, G, C / G, …]. */
function splitChannels(x: Node, groups: number, what: string): Node {
  const [n = 0, channels = 0, ...spatial] = x.shape;
  if (channels % groups !== 0) throw new ShapeError(`${describe(what)}: ${channels} channels do not divide into ${groups} groups`);
  return reshape(x, [n, groups, channels / groups, ...spatial]);
}

/** [N, G, O, …] as [N, G · O, …], with a bias per channel. */
function joinChannels(x: Tensor, y: Node, bias: Tensor | undefined, what: string): Tensor {
  const [n = 0, groups = 0, outputs = 0, ...spatial] = y.shape;
  const joined = x.wrap(reshape(y, [n, groups * outputs, ...spatial]));
  if (bias === undefined) return joined;
  if (bias.size !== groups * outputs) throw new ShapeError(`${describe(what)}: a bias of shape ${formatShape(bias.shape)} for ${groups * outputs} channels`);
  return joined.add(bias.reshape(-1, ...spatial.map(() => 1)));
}

/**
 * Cross-correlation of x [N, C, …S] with weight [O, C / groups, …K], in as many dimensions as they have: [N, O, …S′].
 * Defaults: stride 1, no padding, dilation 1, one group.
 */
export function convolution(x: Tensor, weight: Tensor, options: ConvolutionOptions = {}): Tensor {
  const what = x.ndim > 2 ? `conv${x.ndim - 2}d` : 'conv';
  const rank = spatialRank(x, what);
  const { bias, groups = 1 } = options;
  const [stride, dilation] = [perAxis(options.stride ?? 1, rank, `${what} stride`, 1), perAxis(options.dilation ?? 1, rank, `${what} dilation`, 1)];
  const [outputs = 0, inputs = 0, ...kernel] = weight.shape;
  if (weight.ndim !== x.ndim || inputs * groups !== x.shape[1] || outputs % groups !== 0) {
    throw new ShapeError(`${describe(what)}: input ${formatShape(x.shape)} and weight ${formatShape(weight.shape)} with ${groups} groups do not fit`, {
      remedy: 'the weight is [outputs, channels / groups, …kernel]',
    });
  }
  const [input, filters] = contractionOperands(x.node, weight.node, what);
  const grouped = reshape(filters, [groups, outputs / groups, inputs, ...kernel]);
  const padding = paddingPairs(options.padding ?? 0, kernel, { stride, dilation, what });
  if (kernel.some((size, axis) => (size - 1) * (dilation[axis] ?? 1) >= (x.shape[axis + 2] ?? 0) + (padding[axis]?.[0] ?? 0) + (padding[axis]?.[1] ?? 0))) {
    throw new ShapeError(`${describe(what)}: weight ${formatShape(weight.shape)} is larger than input ${formatShape(x.shape)} with its padding`);
  }
  const { paddingMode = 'zeros' } = options;
  const padded = paddingMode === 'zeros' ? input : padBorder(input, [[0, 0], [0, 0], ...padding], paddingMode);
  const y = conv(splitChannels(padded, groups, what), grouped, {
    stride,
    padding: paddingMode === 'zeros' ? padding : kernel.map(() => [0, 0]),
    inputDilation: kernel.map(() => 1),
    kernelDilation: dilation,
    combine: 'multiply-add',
  });
  return joinChannels(x, y, bias, what);
}

export interface ConvolutionTransposeOptions {
  /** [O] */
  readonly bias?: Tensor | undefined;
  readonly stride?: PerAxis;
  readonly padding?: PerAxis;
  /** Added to one side of the output, to choose among the sizes that the forward convolution maps to one. */
  readonly outputPadding?: PerAxis;
  readonly dilation?: PerAxis;
  readonly groups?: number;
}

/**
 * The transpose (input gradient) of a convolution: x [N, C, …S], weight [C, O / groups, …K];
 * sizes (S − 1) · stride − 2 · padding + dilation · (K − 1) + outputPadding + 1.
 */
export function convolutionTranspose(x: Tensor, weight: Tensor, options: ConvolutionTransposeOptions = {}): Tensor {
  const what = x.ndim > 2 ? `convTranspose${x.ndim - 2}d` : 'convTranspose';
  const rank = spatialRank(x, what);
  const { bias, groups = 1 } = options;
  const axes = (value: PerAxis | undefined, otherwise: number, name: string): number[] => perAxis(value ?? otherwise, rank, `${what} ${name}`, otherwise);
  const [stride, dilation] = [axes(options.stride, 1, 'stride'), axes(options.dilation, 1, 'dilation')];
  const [padding, outputPadding] = [axes(options.padding, 0, 'padding'), axes(options.outputPadding, 0, 'outputPadding')];
  const [inputs = 0, outputs = 0, ...kernel] = weight.shape;
  if (weight.ndim !== x.ndim || inputs !== x.shape[1] || inputs % groups !== 0) {
    throw new ShapeError(`${describe(what)}: input ${formatShape(x.shape)} and weight ${formatShape(weight.shape)} with ${groups} groups do not fit`, {
      remedy: 'the weight is [channels, outputs / groups, …kernel]',
    });
  }
  if (outputPadding.some((extra, axis) => extra >= Math.max(stride[axis] ?? 1, dilation[axis] ?? 1))) {
    throw new UserError(`${describe(what)}: output padding ${formatShape(outputPadding)} is not smaller than stride or dilation`);
  }
  const [input, filters] = contractionOperands(x.node, weight.node, what);
  const grouped = reshape(filters, [groups, inputs / groups, outputs, ...kernel]);
  const turned = permute(grouped, [0, 2, 1, ...kernel.map((_, axis) => axis + 3)]);
  const y = conv(splitChannels(input, groups, what), flip(turned, kernel.map((_, axis) => axis + 3)), {
    stride: kernel.map(() => 1),
    padding: kernel.map((size, axis) => {
      const border = (size - 1) * (dilation[axis] ?? 1) - (padding[axis] ?? 0);
      return [border, border + (outputPadding[axis] ?? 0)];
    }),
    inputDilation: stride,
    kernelDilation: dilation,
    combine: 'multiply-add',
  });
  return joinChannels(x, y, bias, what);
}
