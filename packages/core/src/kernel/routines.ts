// Routines: what is neither a loop nest nor a contraction, as plain JavaScript over contiguous buffers.
// One implementation for every backend; sums are carried in float64, results rounded when stored.
import { wrapInteger, type Dtype, type TypedArray } from '../dtype.ts';
import { InternalError } from '../errors.ts';
import { eighInto } from './eigh.ts';
import { allReduceInto } from './collective.ts';
import type { RoutineKernel } from './ir.ts';

/** Runs a routine; every buffer is contiguous and holds all elements of its shape. */
export function runRoutine(kernel: RoutineKernel, inputs: readonly TypedArray[], output: TypedArray): void {
  const [x, b] = inputs;
  const shape = kernel.shapes[0];
  if (x === undefined || shape === undefined) throw new InternalError(`${kernel.routine} has no input`);
  switch (kernel.routine) {
    case 'sort':
      return sortInto(output, x, shape, kernel.attributes);
    case 'cumulative':
      return cumulativeInto(output, x, shape, { ...kernel.attributes, dtype: kernel.buffers[0]?.dtype ?? 'float64' });
    case 'eigh':
      return eighInto(output, x, shape.at(-1) ?? 0, kernel.attributes.output);
    case 'cholesky':
      return choleskyInto(output, x, shape.at(-1) ?? 0);
    case 'allReduce':
      return allReduceInto(output, x);
    case 'triangularSolve': {
      if (b === undefined) throw new InternalError('triangularSolve has no right-hand side');
      const columns = kernel.shapes[1]?.at(-1) ?? 0;
      return triangularSolveInto(output, x, b, { size: shape.at(-1) ?? 0, columns, ...kernel.attributes });
    }
  }
}

interface Lines {
  /** Elements along the axis. */
  readonly length: number;
  /** Distance of neighbours along the axis. */
  readonly step: number;
  /** First elements of all lines along the axis. */
  readonly starts: Iterable<number>;
}

/** The one-dimensional lines of a row-major tensor along an axis. */
function linesOf(shape: readonly number[], axis: number): Lines {
  const product = (sizes: readonly number[]): number => sizes.reduce((count, size) => count * size, 1);
  const length = shape[axis] ?? 1;
  const step = product(shape.slice(axis + 1));
  const outer = product(shape.slice(0, axis));
  function* starts(): Generator<number> {
    for (let i = 0; i < outer; i++) for (let j = 0; j < step; j++) yield i * length * step + j;
  }
  return { length, step, starts: starts() };
}

function sortInto(
  output: TypedArray,
  x: TypedArray,
  shape: readonly number[],
  options: { axis: number; descending: boolean; output: 'values' | 'indices' },
): void {
  const { length, step, starts } = linesOf(shape, options.axis);
  const line = new Float64Array(length);
  const order = new Uint32Array(length);
  const direction = options.descending ? -1 : 1;
  const compare = (i: number, j: number): number => {
    const [a, b] = [line[i] ?? 0, line[j] ?? 0];
    if (a < b) return -direction;
    if (a > b) return direction;
    return Number(Number.isNaN(a)) - Number(Number.isNaN(b)) || i - j;
  };
  for (const start of starts) {
    for (let i = 0; i < length; i++) {
      line[i] = x[start + i * step] ?? 0;
      order[i] = i;
    }
    order.sort(compare);
    for (let i = 0; i < length; i++) {
      const from = order[i] ?? 0;
      output[start + i * step] = options.output === 'indices' ? from : (line[from] ?? 0);
    }
  }
}

function cumulativeInto(
  output: TypedArray,
  x: TypedArray,
  shape: readonly number[],
  options: { axis: number; combine: 'sum' | 'prod' | 'max' | 'min'; dtype: Dtype },
): void {
  const { length, step, starts } = linesOf(shape, options.axis);
  const integer = options.dtype === 'int32' || options.dtype === 'int8' || options.dtype === 'uint8';
  const combine = {
    sum: (a: number, b: number) => a + b,
    prod: integer ? Math.imul : (a: number, b: number) => a * b,
    max: Math.max,
    min: Math.min,
  }[options.combine];
  for (const start of starts) {
    let total = x[start] ?? 0;
    for (let i = 0; i < length; i++) {
      const at = start + i * step;
      if (i > 0) total = wrapInteger(combine(total, x[at] ?? 0), options.dtype);
      output[at] = total;
    }
  }
}

/** The lower factor of the symmetric part of each matrix; NaN from the first pivot on that is not positive. */
function choleskyInto(output: TypedArray, x: TypedArray, size: number): void {
  const factor = new Float64Array(size * size);
  for (let base = 0; base < x.length; base += size * size) {
    for (let row = 0; row < size; row++) {
      for (let column = 0; column <= row; column++) {
        let rest = ((x[base + row * size + column] ?? 0) + (x[base + column * size + row] ?? 0)) / 2;
        for (let k = 0; k < column; k++) rest -= (factor[row * size + k] ?? 0) * (factor[column * size + k] ?? 0);
        const pivot = factor[column * size + column] ?? 0;
        factor[row * size + column] = row === column ? (rest > 0 ? Math.sqrt(rest) : Number.NaN) : rest / pivot;
      }
    }
    output.set(factor, base);
  }
}

/** Solves op(A) X = B; only the named triangle of A is read. */
function triangularSolveInto(
  output: TypedArray,
  a: TypedArray,
  b: TypedArray,
  options: { size: number; columns: number; lower: boolean; transpose: boolean; unitDiagonal: boolean },
): void {
  const { size, columns } = options;
  const [rowStep, columnStep] = options.transpose ? [1, size] : [size, 1];
  const forward = options.lower !== options.transpose;
  const solution = new Float64Array(size);
  const matrices = size === 0 ? 0 : a.length / (size * size);
  for (let matrix = 0; matrix < matrices; matrix++) {
    for (let column = 0; column < columns; column++) {
      for (let done = 0; done < size; done++) {
        const row = forward ? done : size - 1 - done;
        let rest = b[(matrix * size + row) * columns + column] ?? 0;
        for (let before = 0; before < done; before++) {
          const known = forward ? before : size - 1 - before;
          rest -= (a[matrix * size * size + row * rowStep + known * columnStep] ?? 0) * (solution[known] ?? 0);
        }
        const pivot = a[matrix * size * size + row * (size + 1)] ?? 0;
        solution[row] = options.unitDiagonal ? rest : rest / pivot;
        output[(matrix * size + row) * columns + column] = solution[row] ?? 0;
      }
    }
  }
}
