// Losses as layers: modules of (input, target).
import type { Tensor } from '../../tensor/tensor.ts';
import * as functional from '../functional/loss.ts';
import { Loss } from './loss-base.ts';

/** `functional.crossEntropy` as a layer: logits [N, C, …] against classes or probabilities. */
export class CrossEntropyLoss extends Loss<functional.CrossEntropyOptions> {
  constructor(options: functional.CrossEntropyOptions = {}) {
    super(options);
  }

  override forward(input: Tensor, target: Tensor): Tensor {
    return functional.crossEntropy(input, target, this.options);
  }
}

/** `functional.nllLoss` as a layer: log probabilities [N, C, …] against classes. */
export class NLLLoss extends Loss<functional.ClassLossOptions> {
  constructor(options: functional.ClassLossOptions = {}) {
    super(options);
  }

  override forward(input: Tensor, target: Tensor): Tensor {
    return functional.nllLoss(input, target, this.options);
  }
}

/** `functional.mseLoss` as a layer: squared differences. */
export class MSELoss extends Loss<functional.ReductionOption> {
  constructor(options: functional.ReductionOption = {}) {
    super(options);
  }

  override forward(input: Tensor, target: Tensor): Tensor {
    return functional.mseLoss(input, target, this.options);
  }
}

/** `functional.l1Loss` as a layer: absolute differences. */
export class L1Loss extends Loss<functional.ReductionOption> {
  constructor(options: functional.ReductionOption = {}) {
    super(options);
  }

  override forward(input: Tensor, target: Tensor): Tensor {
    return functional.l1Loss(input, target, this.options);
  }
}

type HuberOptions = functional.ReductionOption & { readonly delta?: number };

/** `functional.huberLoss` as a layer: squares that become lines at δ. */
export class HuberLoss extends Loss<HuberOptions> {
  constructor(options: HuberOptions = {}) {
    super(options);
  }

  override forward(input: Tensor, target: Tensor): Tensor {
    return functional.huberLoss(input, target, this.options);
  }
}

type SmoothL1Options = functional.ReductionOption & { readonly beta?: number };

/** `functional.smoothL1Loss` as a layer: Huber's loss divided by β. */
export class SmoothL1Loss extends Loss<SmoothL1Options> {
  constructor(options: SmoothL1Options = {}) {
    super(options);
  }

  override forward(input: Tensor, target: Tensor): Tensor {
    return functional.smoothL1Loss(input, target, this.options);
  }
}

type BinaryOptions = functional.ReductionOption & { readonly weight?: Tensor };

/** `functional.binaryCrossEntropy` as a layer: probabilities against 0 … 1. */
export class BCELoss extends Loss<BinaryOptions> {
  constructor(options: BinaryOptions = {}) {
    super(options);
  }

  override forward(input: Tensor, target: Tensor): Tensor {
    return functional.binaryCrossEntropy(input, target, this.options);
  }
}

type BinaryLogitsOptions = BinaryOptions & { readonly posWeight?: Tensor };

/** `functional.binaryCrossEntropyWithLogits` as a layer: logits against 0 … 1. */
export class BCEWithLogitsLoss extends Loss<BinaryLogitsOptions> {
  constructor(options: BinaryLogitsOptions = {}) {
    super(options);
  }

  override forward(input: Tensor, target: Tensor): Tensor {
    return functional.binaryCrossEntropyWithLogits(input, target, this.options);
  }
}

/** `functional.klDiv` as a layer: log probabilities against probabilities. */
export class KLDivLoss extends Loss<functional.KlDivergenceOptions> {
  constructor(options: functional.KlDivergenceOptions = {}) {
    super(options);
  }

  override forward(input: Tensor, target: Tensor): Tensor {
    return functional.klDiv(input, target, this.options);
  }
}
