// Tensors as text: nested brackets, aligned columns, long axes cut in the middle.
import type { Dtype, TypedArray } from '../dtype.ts';
import { isFloat } from '../dtype.ts';
import { formatShape } from '../errors.ts';
import { stridesOf, type Shape } from '../shape.ts';

/** Axes longer than this show their first and last `edge` elements only, once a tensor has more than `limit`. */
const edge = 3;
const limit = 200;

function shown(size: number, cut: boolean): number[] {
  if (!cut || size <= 2 * edge) return Array.from({ length: size }, (_, i) => i);
  return [0, 1, 2, -1, size - 3, size - 2, size - 1];
}

function numberFormat(values: readonly number[], dtype: Dtype): (value: number) => string {
  if (dtype === 'bool') return (value) => (value === 0 ? 'false' : 'true');
  if (!isFloat(dtype) || values.every((value) => !Number.isFinite(value) || (Number.isInteger(value) && Math.abs(value) < 1e6))) return String;
  const sizes = values.filter((value) => Number.isFinite(value) && value !== 0).map(Math.abs);
  const largest = Math.max(...sizes);
  if (largest >= 1e6 || Math.min(...sizes) < 1e-4 || largest / Math.min(...sizes) > 1e5) return (value) => (Number.isFinite(value) ? value.toExponential(4) : String(value));
  return (value) => (Number.isFinite(value) ? value.toFixed(4) : String(value));
}

/** Values in nested brackets, with four decimals. */
export function formatValues(values: TypedArray, shape: Shape, dtype: Dtype): string {
  const strides = stridesOf(shape);
  const cut = values.length > limit;
  const leaves: number[] = [];
  const collect = (axis: number, start: number): void => {
    if (axis === shape.length) {
      leaves.push(values[start] ?? 0);
      return;
    }
    for (const i of shown(shape[axis] ?? 0, cut)) if (i >= 0) collect(axis + 1, start + i * (strides[axis] ?? 1));
  };
  collect(0, 0);
  const format = numberFormat(leaves, dtype);
  const width = Math.max(0, ...leaves.map((value) => format(value).length));
  const write = (axis: number, start: number): string => {
    if (axis === shape.length) return format(values[start] ?? 0).padStart(shape.length === 0 ? 0 : width);
    const parts = shown(shape[axis] ?? 0, cut).map((i) => (i < 0 ? '…' : write(axis + 1, start + i * (strides[axis] ?? 1))));
    const last = axis === shape.length - 1;
    const separator = last ? ', ' : `,${'\n'.repeat(Math.max(1, shape.length - axis - 1))}${' '.repeat(axis + 1)}`;
    return `[${parts.join(separator)}]`;
  };
  return write(0, 0);
}

/** "float32 [2, 3]". */
export function formatType(shape: Shape, dtype: Dtype): string {
  return `${dtype} ${formatShape(shape)}`;
}
