// What loss layers share.
import type { Tensor } from '../../tensor/tensor.ts';
import { Module } from '../module.ts';

/** A loss with settings that do not change. */
export abstract class Loss<Options> extends Module {
  readonly options: Options;

  constructor(options: Options) {
    super();
    this.options = options;
  }

  /** The loss of inputs and targets, reduced as `options.reduction` says. */
  abstract override forward(...inputs: Tensor[]): Tensor;
}
