// A branch beside a shortcut (He et al. 2016).
import { ShapeError, formatShape } from '../../errors.ts';
import { describe } from '../../graph/create.ts';
import { sameShape } from '../../shape.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import type { TensorModule } from '../containers.ts';
import { Module } from '../module.ts';

/** body(x) + x, or body(x) + shortcut(x). */
export class Residual extends Module {
  readonly body: TensorModule;
  readonly shortcut: TensorModule | undefined;

  constructor(body: TensorModule, shortcut?: TensorModule) {
    super();
    this.body = body;
    this.shortcut = shortcut;
  }

  override forward(x: Tensor): Tensor {
    const branch = this.body.forward(x);
    const past = this.shortcut?.forward(x) ?? x;
    if (!sameShape(branch.shape, past.shape)) {
      throw new ShapeError(`${describe('Residual')}: the body gives ${formatShape(branch.shape)}, the shortcut ${formatShape(past.shape)}`, { remedy: 'give a shortcut that makes them equal' });
    }
    return branch.add(past);
  }
}
