// Where elements lie: the strided walks that all movement, reductions and contractions of the reference are made of.
import { elementCount, type Shape } from '../shape.ts';

/** start + Σ strides[axis] · index[axis], for every index of `shape` in row-major order. */
export function offsets(shape: Shape, strides: readonly number[], start = 0): Int32Array {
  const out = new Int32Array(elementCount(shape));
  const index = new Array<number>(shape.length).fill(0);
  let offset = start;
  for (let i = 0; i < out.length; i++) {
    out[i] = offset;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      const at = (index[axis] ?? 0) + 1;
      offset += strides[axis] ?? 0;
      if (at < (shape[axis] ?? 1)) {
        index[axis] = at;
        break;
      }
      index[axis] = 0;
      offset -= at * (strides[axis] ?? 0);
    }
  }
  return out;
}

/** The elements that `at` names, in its order. */
export function pick(x: Float64Array, at: Int32Array): Float64Array {
  const out = new Float64Array(at.length);
  for (let i = 0; i < at.length; i++) out[i] = x[at[i] ?? 0] ?? Number.NaN;
  return out;
}
