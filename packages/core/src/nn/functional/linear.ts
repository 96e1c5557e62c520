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
  if (bias !== undefined && bias.size !== weight.shape[0]) {
    throw new ShapeError(`${describe('linear')}: a bias of shape ${formatShape(bias.shape)} for weight [out, in] ${formatShape(weight.shape)}`);
  }
  const [input, rows] = contractionOperands(x.node, weight.node, 'linear');
  const y = x.wrap(dot(input, rows, { batch: [], contract: [[x.ndim - 1, 1]], combine: 'multiply-add' }));
  return bias === undefined ? y : y.add(bias);
}

/**
 * Rows of a table [count, width] that indices [...] name: [..., width]. Out of range is an error after the run. The row
 * `paddingIdx` gets no gradient.
 */
export function embedding(indices: Tensor, table: Tensor, options: { readonly paddingIdx?: number | undefined } = {}): Tensor {
  if (isFloat(indices.dtype)) throw new DtypeError(`${describe('embedding')}: indices of dtype ${indices.dtype}`, { remedy: 'give integers' });
  if (table.ndim !== 2) throw new ShapeError(`${describe('embedding')}: the table ${formatShape(table.shape)} is not [count, width]`);
  const rows = table.indexSelect(0, indices.to('int32').reshape(-1));
  const found = rows.reshape([...indices.shape, table.shape[1] ?? 0]);
  const { paddingIdx } = options;
  return paddingIdx === undefined ? found : found.where(indices.ne(paddingIdx).unsqueeze(-1), found.detach());
}

/** x1ᵀ W x2 + b for x1 [..., in1], x2 [..., in2], weight [out, in1, in2], bias [out]: [..., out]. */
export function bilinear(x1: Tensor, x2: Tensor, weight: Tensor, bias?: Tensor): Tensor {
  const [outputs = 0, first = 0, second = 0] = weight.shape;
  if (weight.ndim !== 3 || x1.shape.at(-1) !== first || x2.shape.at(-1) !== second) {
    throw new ShapeError(`${describe('bilinear')}: inputs ${formatShape(x1.shape)} and ${formatShape(x2.shape)} and weight [out, in1, in2] ${formatShape(weight.shape)} do not fit`);
  }
  const rows = x1.matmul(weight.permute(1, 0, 2).reshape(first, outputs * second)).unflatten(-1, [outputs, second]);
  const y = rows.mul(x2.unsqueeze(-2)).sum(-1);
  return bias === undefined ? y : y.add(bias);
}
