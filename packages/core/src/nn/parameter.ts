// The two roles that Variables play in modules: what training changes, and what it only keeps.
import { Variable } from '../engine/variable.ts';
import { UserError, formatShape } from '../errors.ts';
import { buildContext } from '../graph/create.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { rootModule } from './calls.ts';

/** A Variable that optimisers change. */
export class Parameter extends Variable {
  /** Whether a module's walk has found it and named it by its path. */
  known = false;

  override get value(): Tensor {
    if (!this.known && rootModule() !== undefined) {
      const place = buildContext.module === '' ? 'the model' : `module ${buildContext.module}`;
      throw new UserError(`${place} reads ${this.name} ${formatShape(this.shape)}, which is not among its parameters: optimisers and checkpoints would miss it`, {
        remedy: 'keep it in a public field, an array or a plain object of the module',
      });
    }
    return super.value;
  }
}

/** A Variable that is saved with the model but not trained: running statistics, masks, scales. */
export class Buffer extends Variable {}
