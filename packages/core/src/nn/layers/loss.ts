// Losses as layers: modules of (input, target).
import type { Tensor } from '../../tensor/tensor.ts';
import * as functional from '../functional/loss.ts';
import { Loss } from './loss-base.ts';

export class CrossEntropyLoss extends Loss<functional.CrossEntropyOptions> {
  constructor(options: functional.CrossEntropyOptions = {}) {
    super(options);
  }

  override forward(input: Tensor, target: Tensor): Tensor {
    return functional.crossEntropy(input, target, this.options);
  }
}

export class NLLLoss extends Loss<functional.ClassLossOptions> {
  constructor(options: functional.ClassLossOptions = {}) {
    super(options);
  }

  override forward(input: Tensor, target: Tensor): Tensor {
    return functional.nllLoss(input, target, this.options);
  }
}

export class MSELoss extends Loss<functional.ReductionOption> {
  constructor(options: functional.ReductionOption = {}) {
    super(options);
  }

  override forward(input: Tensor, target: Tensor): Tensor {
    return functional.mseLoss(input, target, this.options);
  }
}

export class L1Loss extends Loss<functional.ReductionOption> {
  constructor(options: functional.ReductionOption = {}) {
    super(options);
  }

  override forward(input: Tensor, target: Tensor): Tensor {
    return functional.l1Loss(input, target, this.options);
  }
}

type HuberOptions = functional.ReductionOption & { readonly delta?: number };

export class HuberLoss extends Loss<HuberOptions> {
  constructor(options: HuberOptions = {}) {
    super(options);
  }

  override forward(input: Tensor, target: Tensor): Tensor {
    return functional.huberLoss(input, target, this.options);
  }
}

type SmoothL1Options = functional.ReductionOption & { readonly beta?: number };

export class SmoothL1Loss extends Loss<SmoothL1Options> {
  constructor(options: SmoothL1Options = {}) {
    super(options);
  }

  override forward(input: Tensor, target: Tensor): Tensor {
    return functional.smoothL1Loss(input, target, this.options);
  }
}

type BinaryOptions = functional.ReductionOption & { readonly weight?: Tensor };

export class BCELoss extends Loss<BinaryOptions> {
  constructor(options: BinaryOptions = {}) {
    super(options);
  }

  override forward(input: Tensor, target: Tensor): Tensor {
    return functional.binaryCrossEntropy(input, target, this.options);
  }
}

type BinaryLogitsOptions = BinaryOptions & { readonly posWeight?: Tensor };

export class BCEWithLogitsLoss extends Loss<BinaryLogitsOptions> {
  constructor(options: BinaryLogitsOptions = {}) {
    super(options);
  }

  override forward(input: Tensor, target: Tensor): Tensor {
    return functional.binaryCrossEntropyWithLogits(input, target, this.options);
  }
}

export class KLDivLoss extends Loss<functional.KlDivergenceOptions> {
  constructor(options: functional.KlDivergenceOptions = {}) {
    super(options);
  }

  override forward(input: Tensor, target: Tensor): Tensor {
    return functional.klDiv(input, target, this.options);
  }
}
