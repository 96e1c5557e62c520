// Eigenvalues and eigenvectors of symmetric matrices in float64: Householder tridiagonalisation, then implicit QL
// (Golub & Van Loan, Matrix Computations, §8.3).
import type { TypedArray } from '../dtype.ts';

const maximumSweeps = 60;

/**
 * For the symmetric part of each size × size matrix of x: eigenvalues ascending, or orthonormal eigenvectors as
 * columns, each with its component of largest magnitude positive. A matrix that is not finite gives NaN.
 */
export function eighInto(output: TypedArray, x: TypedArray, size: number, wanted: 'values' | 'vectors'): void {
  const vectors = new Float64Array(size * size);
  const values = new Float64Array(size);
  const beside = new Float64Array(size);
  const matrices = size === 0 ? 0 : x.length / (size * size);
  for (let matrix = 0; matrix < matrices; matrix++) {
    const base = matrix * size * size;
    for (let i = 0; i < size; i++) {
      for (let j = 0; j < size; j++) vectors[i * size + j] = ((x[base + i * size + j] ?? 0) + (x[base + j * size + i] ?? 0)) / 2;
    }
    if (vectors.every(Number.isFinite)) {
      tridiagonalise(vectors, values, beside, size);
      diagonalise(vectors, values, beside, size);
    } else {
      vectors.fill(Number.NaN);
      values.fill(Number.NaN);
    }
    const order = Array.from(values.keys()).sort((i, j) => (values[i] ?? 0) - (values[j] ?? 0) || i - j);
    order.forEach((from, to) => {
      if (wanted === 'values') output[matrix * size + to] = values[from] ?? 0;
      else writeVector(output, base + to, vectors, from, size);
    });
  }
}

/** Copies a column with its sign fixed. */
function writeVector(output: TypedArray, at: number, vectors: Float64Array, column: number, size: number): void {
  let largest = 0;
  for (let i = 0; i < size; i++) {
    const component = vectors[i * size + column] ?? 0;
    if (Math.abs(component) > Math.abs(largest) || Number.isNaN(component)) largest = component;
  }
  const sign = largest < 0 ? -1 : 1;
  for (let i = 0; i < size; i++) output[at + i * size] = sign * (vectors[i * size + column] ?? 0);
}

/** Turns a into the orthogonal Q with QᵀAQ tridiagonal: its diagonal, and `beside`[i] between i − 1 and i. */
function tridiagonalise(a: Float64Array, diagonal: Float64Array, beside: Float64Array, size: number): void {
  const get = (i: number, j: number): number => a[i * size + j] ?? 0;
  const reflector = new Float64Array(size);
  const image = new Float64Array(size);
  const reflectors: { readonly length: number; readonly vector: Float64Array; readonly norm: number }[] = [];
  beside[0] = 0;
  for (let row = size - 1; row >= 1; row--) {
    // H = I − vvᵀ/norm sends the row's first `row` elements to a multiple of the last axis.
    let scale = 0;
    for (let k = 0; k < row; k++) scale = Math.max(scale, Math.abs(get(row, k)));
    let sum = 0;
    for (let k = 0; k < row; k++) {
      const component = scale === 0 ? 0 : get(row, k) / scale;
      reflector[k] = component;
      sum += component * component;
    }
    const last = reflector[row - 1] ?? 0;
    const length = last > 0 ? -Math.sqrt(sum) : Math.sqrt(sum);
    beside[row] = scale * length;
    const norm = sum - last * length;
    if (norm === 0) continue;
    reflector[row - 1] = last - length;
    let inner = 0;
    for (let i = 0; i < row; i++) {
      let total = 0;
      for (let k = 0; k < row; k++) total += get(i, k) * (reflector[k] ?? 0);
      image[i] = total / norm;
      inner += (reflector[i] ?? 0) * total;
    }
    const half = inner / (2 * norm * norm);
    for (let i = 0; i < row; i++) image[i] = (image[i] ?? 0) - half * (reflector[i] ?? 0);
    for (let i = 0; i < row; i++) {
      for (let k = 0; k < row; k++) {
        a[i * size + k] = get(i, k) - (reflector[i] ?? 0) * (image[k] ?? 0) - (image[i] ?? 0) * (reflector[k] ?? 0);
      }
    }
    reflectors.push({ length: row, vector: reflector.slice(0, row), norm });
  }
  for (let i = 0; i < size; i++) diagonal[i] = get(i, i);
  a.fill(0);
  for (let i = 0; i < size; i++) a[i * (size + 1)] = 1;
  for (const { length, vector, norm } of reflectors.reverse()) {
    for (let column = 0; column < size; column++) {
      let inner = 0;
      for (let k = 0; k < length; k++) inner += (vector[k] ?? 0) * get(k, column);
      inner /= norm;
      for (let k = 0; k < length; k++) a[k * size + column] = get(k, column) - inner * (vector[k] ?? 0);
    }
  }
}

/** Implicit QL with Wilkinson's shift; `vectors` collects the rotations. */
function diagonalise(vectors: Float64Array, diagonal: Float64Array, beside: Float64Array, size: number): void {
  const d = (i: number): number => diagonal[i] ?? 0;
  const off = (i: number): number => beside[i + 1] ?? 0; // between i and i + 1
  for (let low = 0; low < size; low++) {
    for (let sweep = 0; sweep < maximumSweeps; sweep++) {
      let high = low;
      while (high < size - 1 && Math.abs(off(high)) > Number.EPSILON * (Math.abs(d(high)) + Math.abs(d(high + 1)))) high++;
      if (high === low) break;
      const gap = (d(low + 1) - d(low)) / (2 * off(low));
      const root = Math.hypot(gap, 1);
      let bulge = d(high) - d(low) + off(low) / (gap + (gap >= 0 ? root : -root));
      let [sine, cosine, shift] = [1, 1, 0];
      for (let i = high - 1; i >= low; i--) {
        const crossed = sine * off(i);
        const kept = cosine * off(i);
        const radius = Math.hypot(bulge, crossed);
        beside[i + 2] = radius;
        if (radius === 0) {
          diagonal[i + 1] = d(i + 1) - shift;
          beside[high + 1] = 0;
          bulge = Number.NaN;
          break;
        }
        sine = crossed / radius;
        cosine = bulge / radius;
        const corner = d(i + 1) - shift;
        const turned = (d(i) - corner) * sine + 2 * cosine * kept;
        shift = sine * turned;
        diagonal[i + 1] = corner + shift;
        bulge = cosine * turned - kept;
        rotate(vectors, i, { sine, cosine, size });
      }
      if (Number.isNaN(bulge)) continue;
      diagonal[low] = d(low) - shift;
      beside[low + 1] = bulge;
      beside[high + 1] = 0;
    }
  }
}

function rotate(vectors: Float64Array, column: number, turn: { sine: number; cosine: number; size: number }): void {
  const { sine, cosine, size } = turn;
  for (let at = column; at < size * size; at += size) {
    const left = vectors[at] ?? 0;
    const right = vectors[at + 1] ?? 0;
    vectors[at + 1] = sine * left + cosine * right;
    vectors[at] = cosine * left - sine * right;
  }
}
