// Dense layers and tables.
import { isFloat } from '../../dtype.ts';
import { DtypeError, ShapeError, formatShape } from '../../errors.ts';
import { dot } from '../../graph/combine.ts';
import { describe } from '../../graph/create.ts';
import { contractionOperands } from '../../tensor/contraction.ts';
import type { Tensor } from '../../tensor/tensor.ts';

/** x Wᵀ + b for x [..., in], weight [out, in], bias [out]. */
export function linear(x: Tensor, weight: Tensor, bias?: Tensor): Tensor {
  if (weight.ndim !== 2 || x.ndim < 1 || x.shape.at(-1) !== weight.shape[1]) {
    throw new ShapeError(`${describe('linear')}: input ${formatShape(x.shape)} and weight [out, in] ${formatShape(weight.shape)} do not fit`, {
      remedy: `the input's last axis must have size ${weight.shape[1]}`,
    });
  }
  const [input, rows] = contractionOperands(x.node, weight.node, 'linear');
  const y = x.wrap(dot(input, rows, { batch: [], contract: [[x.ndim - 1, 1]], combine: 'multiply-add' }));
  return bias === undefined ? y : y.add(bias);
}

/** Rows of a table [count, width] that indices [...] name: [..., width]. Out of range is an error after the run. */
export function embedding(indices: Tensor, table: Tensor): Tensor {
  if (isFloat(indices.dtype)) throw new DtypeError(`${describe('embedding')}: indices of dtype ${indices.dtype}`, { remedy: 'give integers' });
  if (table.ndim !== 2) throw new ShapeError(`${describe('embedding')}: the table ${formatShape(table.shape)} is not [count, width]`);
  const rows = table.indexSelect(0, indices.to('int32').reshape(-1));
  return rows.reshape([...indices.shape, table.shape[1] ?? 0]);
}
