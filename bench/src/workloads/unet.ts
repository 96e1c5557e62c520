// The U-Net of W9, made of core and norm parts: it predicts the noise in an image from the image and its step of diffusion.
import { arange, cat, type Tensor } from '@athanor/core';
import { Conv2d, Linear, Module, ModuleList } from '@athanor/core/nn';
import { GroupNorm } from '@athanor/norm';
import { timeFeatures, unetGroups, unetParts, type UnetPart } from '../models.ts';
import { epsilon } from '../problem.ts';

const silu = (x: Tensor): Tensor => x.mul(x.sigmoid());
const groupNorm = (channels: number): GroupNorm => new GroupNorm(unetGroups, channels, { eps: epsilon });

/** sin(t·ω), cos(t·ω) for ω from 1 to 1/10000: [N] → [N, features]. */
export function sinusoids(t: Tensor, features: number): Tensor {
  const half = features / 2;
  const ω = arange(half).to('float32').mul(-Math.log(10_000) / (half - 1)).exp();
  const angles = t.to('float32').unsqueeze(1).mul(ω);
  return cat([angles.sin(), angles.cos()], 1);
}

/** Self-attention over all pixels, one head. */
class Attention extends Module {
  readonly norm: GroupNorm;
  readonly qkv: Conv2d;
  readonly out: Conv2d;

  constructor(channels: number) {
    super();
    this.norm = groupNorm(channels);
    this.qkv = new Conv2d(channels, 3 * channels, 1);
    this.out = new Conv2d(channels, channels, 1);
  }

  override forward(x: Tensor): Tensor {
    const [n = 0, c = 0, h = 0, w = 0] = x.shape;
    const [q = x, k = x, v = x] = this.qkv.forward(this.norm.forward(x)).reshape(n, 3, c, h * w).unbind(1);
    const weights = q.transpose(1, 2).matmul(k).mul(1 / Math.sqrt(c)).softmax(-1);
    return x.add(this.out.forward(v.matmul(weights.transpose(1, 2)).reshape(n, c, h, w)));
  }
}

/** x + conv(silu(norm(conv(silu(norm(x))) + time))), then attention if there is any. */
class Block extends Module {
  readonly norm1: GroupNorm;
  readonly conv1: Conv2d;
  readonly time: Linear;
  readonly norm2: GroupNorm;
  readonly conv2: Conv2d;
  readonly shortcut: Conv2d | undefined;
  readonly attention: Attention | undefined;

  constructor(inputs: number, outputs: number, attention: boolean) {
    super();
    this.norm1 = groupNorm(inputs);
    this.conv1 = new Conv2d(inputs, outputs, 3, { padding: 1 });
    this.time = new Linear(timeFeatures.embedding, outputs);
    this.norm2 = groupNorm(outputs);
    this.conv2 = new Conv2d(outputs, outputs, 3, { padding: 1 });
    this.shortcut = inputs === outputs ? undefined : new Conv2d(inputs, outputs, 1);
    this.attention = attention ? new Attention(outputs) : undefined;
  }

  override forward(x: Tensor, time: Tensor): Tensor {
    const shift = this.time.forward(time).unsqueeze(-1).unsqueeze(-1);
    const h = this.conv1.forward(silu(this.norm1.forward(x))).add(shift);
    const residual = this.conv2.forward(silu(this.norm2.forward(h)));
    const y = residual.add(this.shortcut?.forward(x) ?? x);
    return this.attention?.forward(y) ?? y;
  }
}

/** Halves the image's sides. */
class Down extends Module {
  readonly conv: Conv2d;

  constructor(channels: number) {
    super();
    this.conv = new Conv2d(channels, channels, 3, { stride: 2, padding: 1 });
  }

  override forward(x: Tensor): Tensor {
    return this.conv.forward(x);
  }
}

/** Doubles the image's sides: nearest neighbours, then a convolution. */
class Up extends Module {
  readonly conv: Conv2d;

  constructor(channels: number) {
    super();
    this.conv = new Conv2d(channels, channels, 3, { padding: 1 });
  }

  override forward(x: Tensor): Tensor {
    return this.conv.forward(x.repeatInterleave(2, 2).repeatInterleave(2, 3));
  }
}

type Part = { readonly plan: UnetPart; readonly module: Block | Down | Up };

function partOf(plan: UnetPart): Part {
  switch (plan.kind) {
    case 'block':
      return { plan, module: new Block(plan.inputs, plan.outputs, plan.attention) };
    case 'down':
      return { plan, module: new Down(plan.channels) };
    case 'up':
      return { plan, module: new Up(plan.channels) };
    default:
      return plan satisfies never;
  }
}

/** [N, 1, H, W] and steps [N] → the noise, [N, 1, H, W]. */
export class UNet extends Module {
  readonly time1: Linear;
  readonly time2: Linear;
  readonly stem: Conv2d;
  readonly parts: ModuleList<Block | Down | Up>;
  readonly norm: GroupNorm;
  readonly head: Conv2d;
  readonly #plans: readonly UnetPart[];

  constructor() {
    super();
    const { sinusoids: features, embedding } = timeFeatures;
    const parts = unetParts().map(partOf);
    const [first] = parts;
    const width = first?.plan.kind === 'block' ? first.plan.inputs : 1;
    this.time1 = new Linear(features, embedding);
    this.time2 = new Linear(embedding, embedding);
    this.stem = new Conv2d(1, width, 3, { padding: 1 });
    this.parts = new ModuleList(parts.map(({ module }) => module));
    this.#plans = parts.map(({ plan }) => plan);
    this.norm = groupNorm(width);
    this.head = new Conv2d(width, 1, 3, { padding: 1 });
  }

  override forward(x: Tensor, t: Tensor): Tensor {
    const time = silu(this.time2.forward(silu(this.time1.forward(sinusoids(t, timeFeatures.sinusoids)))));
    let h = this.stem.forward(x);
    const kept = [h];
    [...this.parts].forEach((module, i) => {
      const plan = this.#plans[i];
      const skip = plan?.kind === 'block' ? plan.skip : plan?.kind === 'down' ? 'keep' : 'none';
      if (skip === 'append') h = cat([h, kept.pop() ?? h], 1);
      h = module instanceof Block ? module.forward(h, time) : module.forward(h);
      if (skip === 'keep') kept.push(h);
    });
    return this.head.forward(silu(this.norm.forward(h)));
  }
}
