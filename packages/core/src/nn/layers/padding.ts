// Padding as layers; the number in a name is the number of spatial axes of [N, C, …].
import { UserError } from '../../errors.ts';
import type { PaddingMode } from '../../tensor/padding.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { spatialRank } from '../functional/spatial.ts';
import { Module } from '../module.ts';

/** One amount for all sides, or [low, high] of the last axis, then of the one before, …. */
export type SidePadding = number | readonly number[];

/** What the padding layers share. */
class Pad extends Module {
  readonly rank: number;
  readonly padding: readonly number[];
  readonly fill: number | PaddingMode;

  constructor(rank: number, padding: SidePadding, fill: number | PaddingMode) {
    super();
    this.rank = rank;
    this.padding = typeof padding === 'number' ? new Array<number>(2 * rank).fill(padding) : padding;
    this.fill = fill;
    if (this.padding.length !== 2 * rank) throw new UserError(`${this.constructor.name}: ${this.padding.length} paddings`, { remedy: `give one number, or ${2 * rank}` });
  }

  override forward(x: Tensor): Tensor {
    spatialRank(x, this.constructor.name, this.rank);
    return x.pad(this.padding, this.fill);
  }
}

/** Zeros on both sides of L in [N, C, L]. */
export class ZeroPad1d extends Pad {
  constructor(padding: SidePadding) {
    super(1, padding, 0);
  }
}

/** Zeros around [N, C, H, W]. */
export class ZeroPad2d extends Pad {
  constructor(padding: SidePadding) {
    super(2, padding, 0);
  }
}

/** Zeros around [N, C, D, H, W]. */
export class ZeroPad3d extends Pad {
  constructor(padding: SidePadding) {
    super(3, padding, 0);
  }
}

/** A value on both sides of L in [N, C, L]. */
export class ConstantPad1d extends Pad {
  constructor(padding: SidePadding, value: number) {
    super(1, padding, value);
  }
}

/** A value around [N, C, H, W]. */
export class ConstantPad2d extends Pad {
  constructor(padding: SidePadding, value: number) {
    super(2, padding, value);
  }
}

/** A value around [N, C, D, H, W]. */
export class ConstantPad3d extends Pad {
  constructor(padding: SidePadding, value: number) {
    super(3, padding, value);
  }
}

/** [N, C, L] continued as in a mirror at its first and last element. */
export class ReflectionPad1d extends Pad {
  constructor(padding: SidePadding) {
    super(1, padding, 'reflect');
  }
}

/** [N, C, H, W] continued as in a mirror at its borders, which are not repeated. */
export class ReflectionPad2d extends Pad {
  constructor(padding: SidePadding) {
    super(2, padding, 'reflect');
  }
}

/** [N, C, D, H, W] continued as in a mirror at its borders, which are not repeated. */
export class ReflectionPad3d extends Pad {
  constructor(padding: SidePadding) {
    super(3, padding, 'reflect');
  }
}

/** [N, C, L] continued by its first and last element. */
export class ReplicationPad1d extends Pad {
  constructor(padding: SidePadding) {
    super(1, padding, 'replicate');
  }
}

/** [N, C, H, W] continued by its border. */
export class ReplicationPad2d extends Pad {
  constructor(padding: SidePadding) {
    super(2, padding, 'replicate');
  }
}

/** [N, C, D, H, W] continued by its border. */
export class ReplicationPad3d extends Pad {
  constructor(padding: SidePadding) {
    super(3, padding, 'replicate');
  }
}

/** [N, C, L] continued by its other end. */
export class CircularPad1d extends Pad {
  constructor(padding: SidePadding) {
    super(1, padding, 'circular');
  }
}

/** [N, C, H, W] continued by its opposite sides. */
export class CircularPad2d extends Pad {
  constructor(padding: SidePadding) {
    super(2, padding, 'circular');
  }
}

/** [N, C, D, H, W] continued by its opposite sides. */
export class CircularPad3d extends Pad {
  constructor(padding: SidePadding) {
    super(3, padding, 'circular');
  }
}
