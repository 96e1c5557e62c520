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
/** Pads [N, C, L] with zeros. */
export class ZeroPad1d extends Pad {
  constructor(padding: SidePadding) {
    super(1, padding, 0);
  }
}

/** Zeros around [N, C, H, W]. */
/** Pads [N, C, H, W] with zeros. */
export class ZeroPad2d extends Pad {
  constructor(padding: SidePadding) {
    super(2, padding, 0);
  }
}

/** Zeros around [N, C, D, H, W]. */
/** Pads [N, C, D, H, W] with zeros. */
export class ZeroPad3d extends Pad {
  constructor(padding: SidePadding) {
    super(3, padding, 0);
  }
}

/** A value on both sides of L in [N, C, L]. */
/** Pads [N, C, L] with a number. */
export class ConstantPad1d extends Pad {
  constructor(padding: SidePadding, value: number) {
    super(1, padding, value);
  }
}

/** A value around [N, C, H, W]. */
/** Pads [N, C, H, W] with a number. */
export class ConstantPad2d extends Pad {
  constructor(padding: SidePadding, value: number) {
    super(2, padding, value);
  }
}

/** A value around [N, C, D, H, W]. */
/** Pads [N, C, D, H, W] with a number. */
export class ConstantPad3d extends Pad {
  constructor(padding: SidePadding, value: number) {
    super(3, padding, value);
  }
}

/** [N, C, L] continued as in a mirror at its first and last element. */
/** Pads [N, C, L] with its own elements mirrored at the border. */
export class ReflectionPad1d extends Pad {
  constructor(padding: SidePadding) {
    super(1, padding, 'reflect');
  }
}

/** [N, C, H, W] continued as in a mirror at its borders, which are not repeated. */
/** Pads [N, C, H, W] with its own elements mirrored at the border. */
export class ReflectionPad2d extends Pad {
  constructor(padding: SidePadding) {
    super(2, padding, 'reflect');
  }
}

/** [N, C, D, H, W] continued as in a mirror at its borders, which are not repeated. */
/** Pads [N, C, D, H, W] with its own elements mirrored at the border. */
export class ReflectionPad3d extends Pad {
  constructor(padding: SidePadding) {
    super(3, padding, 'reflect');
  }
}

/** [N, C, L] continued by its first and last element. */
/** Pads [N, C, L] with its border elements. */
export class ReplicationPad1d extends Pad {
  constructor(padding: SidePadding) {
    super(1, padding, 'replicate');
  }
}

/** [N, C, H, W] continued by its border. */
/** Pads [N, C, H, W] with its border elements. */
export class ReplicationPad2d extends Pad {
  constructor(padding: SidePadding) {
    super(2, padding, 'replicate');
  }
}

/** [N, C, D, H, W] continued by its border. */
/** Pads [N, C, D, H, W] with its border elements. */
export class ReplicationPad3d extends Pad {
  constructor(padding: SidePadding) {
    super(3, padding, 'replicate');
  }
}

/** [N, C, L] continued by its other end. */
/** Pads [N, C, L] with the elements of the other end. */
export class CircularPad1d extends Pad {
  constructor(padding: SidePadding) {
    super(1, padding, 'circular');
  }
}

/** [N, C, H, W] continued by its opposite sides. */
/** Pads [N, C, H, W] with the elements of the other end. */
export class CircularPad2d extends Pad {
  constructor(padding: SidePadding) {
    super(2, padding, 'circular');
  }
}

/** [N, C, D, H, W] continued by its opposite sides. */
/** Pads [N, C, D, H, W] with the elements of the other end. */
export class CircularPad3d extends Pad {
  constructor(padding: SidePadding) {
    super(3, padding, 'circular');
  }
}
