// Convolution layers; the number in a name is the number of spatial axes.
import { ShapeError } from '../../errors.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { convolution, convolutionTranspose, type ConvolutionPaddingMode } from '../functional/convolution.ts';
import { perAxis, spatialRank, type Padding, type PerAxis } from '../functional/spatial.ts';
import { fanInUniform, type Initializer } from '../init.ts';
import { Module } from '../module.ts';
import { Parameter } from '../parameter.ts';

interface SharedOptions {
  readonly stride?: PerAxis;
  readonly dilation?: PerAxis;
  readonly groups?: number;
  /** true unless given. */
  readonly bias?: boolean;
  /** U(±1 / √fanIn) unless given. */
  readonly weightInit?: Initializer;
  readonly biasInit?: Initializer;
}

export interface ConvOptions extends SharedOptions {
  /** 0 unless given; `same` keeps sizes at stride 1. */
  readonly padding?: Padding;
  /** What the padding holds: `zeros` unless given. */
  readonly paddingMode?: ConvolutionPaddingMode;
}

export interface ConvTransposeOptions extends SharedOptions {
  readonly padding?: PerAxis;
  readonly outputPadding?: PerAxis;
}

function checkGroups(inputs: number, outputs: number, groups: number, what: string): void {
  if (inputs % groups === 0 && outputs % groups === 0) return;
  throw new ShapeError(`${what}: ${inputs} input and ${outputs} output channels do not divide into ${groups} groups`, { remedy: 'both must be multiples of groups' });
}

function makeBias(outputs: number, weightShape: readonly number[], options: SharedOptions): Parameter | undefined {
  if (options.bias === false) return undefined;
  return new Parameter({ shape: [outputs], initial: (options.biasInit ?? fanInUniform(weightShape))([outputs]) });
}

/** What Conv1d, Conv2d and Conv3d share. */
class Conv extends Module {
  readonly rank: number;
  readonly stride: PerAxis;
  readonly padding: Padding;
  readonly paddingMode: ConvolutionPaddingMode;
  readonly dilation: PerAxis;
  readonly groups: number;
  /** [outputs, inputs / groups, …kernel] */
  readonly weight: Parameter;
  readonly bias: Parameter | undefined;

  constructor(rank: number, channels: { inputs: number; outputs: number }, kernel: PerAxis, options: ConvOptions) {
    super();
    const { inputs, outputs } = channels;
    const { stride = 1, padding = 0, paddingMode = 'zeros', dilation = 1, groups = 1 } = options;
    checkGroups(inputs, outputs, groups, this.constructor.name);
    this.rank = rank;
    this.stride = stride;
    this.padding = padding;
    this.paddingMode = paddingMode;
    this.dilation = dilation;
    this.groups = groups;
    const shape = [outputs, inputs / groups, ...perAxis(kernel, rank, `${this.constructor.name} kernel`, 1)];
    this.weight = new Parameter({ shape, initial: (options.weightInit ?? fanInUniform())(shape) });
    this.bias = makeBias(outputs, shape, options);
  }

  override forward(x: Tensor): Tensor {
    spatialRank(x, `conv${this.rank}d`, this.rank);
    const { stride, padding, paddingMode, dilation, groups, bias } = this;
    return convolution(x, this.weight.value, { stride, padding, paddingMode, dilation, groups, bias: bias?.value });
  }
}

/** [N, inputs, L] → [N, outputs, L′]. */
export class Conv1d extends Conv {
  constructor(inputs: number, outputs: number, kernel: PerAxis, options: ConvOptions = {}) {
    super(1, { inputs, outputs }, kernel, options);
  }
}

/** [N, inputs, H, W] → [N, outputs, H′, W′]. */
export class Conv2d extends Conv {
  constructor(inputs: number, outputs: number, kernel: PerAxis, options: ConvOptions = {}) {
    super(2, { inputs, outputs }, kernel, options);
  }
}

/** [N, inputs, D, H, W] → [N, outputs, D′, H′, W′]. */
export class Conv3d extends Conv {
  constructor(inputs: number, outputs: number, kernel: PerAxis, options: ConvOptions = {}) {
    super(3, { inputs, outputs }, kernel, options);
  }
}

/** What the transposed convolutions share. */
class ConvTranspose extends Module {
  readonly rank: number;
  readonly stride: PerAxis;
  readonly padding: PerAxis;
  readonly outputPadding: PerAxis;
  readonly dilation: PerAxis;
  readonly groups: number;
  /** [inputs, outputs / groups, …kernel] */
  readonly weight: Parameter;
  readonly bias: Parameter | undefined;

  constructor(rank: number, channels: { inputs: number; outputs: number }, kernel: PerAxis, options: ConvTransposeOptions) {
    super();
    const { inputs, outputs } = channels;
    const { stride = 1, padding = 0, outputPadding = 0, dilation = 1, groups = 1 } = options;
    checkGroups(inputs, outputs, groups, this.constructor.name);
    this.rank = rank;
    this.stride = stride;
    this.padding = padding;
    this.outputPadding = outputPadding;
    this.dilation = dilation;
    this.groups = groups;
    const shape = [inputs, outputs / groups, ...perAxis(kernel, rank, `${this.constructor.name} kernel`, 1)];
    this.weight = new Parameter({ shape, initial: (options.weightInit ?? fanInUniform())(shape) });
    this.bias = makeBias(outputs, shape, options);
  }

  override forward(x: Tensor): Tensor {
    spatialRank(x, `convTranspose${this.rank}d`, this.rank);
    const { stride, padding, outputPadding, dilation, groups, bias } = this;
    return convolutionTranspose(x, this.weight.value, { stride, padding, outputPadding, dilation, groups, bias: bias?.value });
  }
}

/** The transpose of a convolution: [N, C, L] to [N, out, L′]. Weight [C, out / groups, K]. */
export class ConvTranspose1d extends ConvTranspose {
  constructor(inputs: number, outputs: number, kernel: PerAxis, options: ConvTransposeOptions = {}) {
    super(1, { inputs, outputs }, kernel, options);
  }
}

/** The transpose of a convolution: [N, C, H, W] to [N, out, H′, W′]. Weight [C, out / groups, K, K]. */
export class ConvTranspose2d extends ConvTranspose {
  constructor(inputs: number, outputs: number, kernel: PerAxis, options: ConvTransposeOptions = {}) {
    super(2, { inputs, outputs }, kernel, options);
  }
}

/** The transpose of a convolution: [N, C, D, H, W] to [N, out, D′, H′, W′]. Weight [C, out / groups, K, K, K]. */
export class ConvTranspose3d extends ConvTranspose {
  constructor(inputs: number, outputs: number, kernel: PerAxis, options: ConvTransposeOptions = {}) {
    super(3, { inputs, outputs }, kernel, options);
  }
}
