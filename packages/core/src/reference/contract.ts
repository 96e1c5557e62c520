// The contractions of the reference, straight from their definitions.
import { isFloat, type Dtype } from '../dtype.ts';
import { evaluator } from '../graph/evaluate.ts';
import { freeAxes } from '../graph/combine.ts';
import type { Combine, NodeOf, Node } from '../graph/node.ts';
import { elementCount, stridesOf, type Shape } from '../shape.ts';
import { offsets } from './offsets.ts';

/** total ⊕ a ⊗ b: multiply-add, or the number of bits in which two words differ. */
function accumulator(combine: Combine, dtype: Dtype): (total: number, a: number, b: number) => number {
  const popcount = evaluator('popcount', 'int32');
  if (combine === 'xor-popcount') return (total, a, b) => total + popcount(a ^ b, 0);
  if (isFloat(dtype)) return (total, a, b) => total + a * b;
  return (total, a, b) => (total + Math.imul(a, b)) | 0;
}

/** Offsets of the elements of some axes, the others at 0. */
function along(shape: Shape, axes: readonly number[]): Int32Array {
  const strides = stridesOf(shape);
  return offsets(axes.map((axis) => shape[axis] ?? 0), axes.map((axis) => strides[axis] ?? 0));
}

/** out[batch, free a, free b] = Σ over the contracted axes. */
export function dotValues(node: NodeOf<'dot'>, a: Float64Array, b: Float64Array): Float64Array {
  const { batch, contract, combine } = node.attributes;
  const [shapeA, shapeB] = shapesOf(node);
  const pairs = [...batch, ...contract];
  const [batchA, batchB] = [along(shapeA, batch.map(([i]) => i)), along(shapeB, batch.map(([, j]) => j))];
  const [sumA, sumB] = [along(shapeA, contract.map(([i]) => i)), along(shapeB, contract.map(([, j]) => j))];
  const rows = along(shapeA, freeAxes(shapeA.length, pairs.map(([i]) => i)));
  const columns = along(shapeB, freeAxes(shapeB.length, pairs.map(([, j]) => j)));
  const step = accumulator(combine, node.dtype);
  const out = new Float64Array(elementCount(node.shape));
  let at = 0;
  for (let n = 0; n < batchA.length; n++) {
    for (const row of rows) {
      for (const column of columns) {
        const startA = (batchA[n] ?? 0) + row;
        const startB = (batchB[n] ?? 0) + column;
        let total = 0;
        for (let k = 0; k < sumA.length; k++) total = step(total, a[startA + (sumA[k] ?? 0)] ?? 0, b[startB + (sumB[k] ?? 0)] ?? 0);
        out[at++] = total;
      }
    }
  }
  return out;
}

/** Each plane of x with zeros between its elements and around it, or cropped where padding is negative. */
function dilateAndPad(node: NodeOf<'conv'>, x: Float64Array): { values: Float64Array; sizes: number[] } {
  const { padding, inputDilation } = node.attributes;
  const [shape] = shapesOf(node);
  const spatial = shape.slice(3);
  const sizes = spatial.map((size, axis) => {
    const [low, high] = padding[axis] ?? [0, 0];
    return (size === 0 ? 0 : (size - 1) * (inputDilation[axis] ?? 1) + 1) + low + high;
  });
  const planes = elementCount(shape.slice(0, 3));
  const [from, to] = [elementCount(spatial), elementCount(sizes)];
  const values = new Float64Array(planes * to);
  const index = new Array<number>(spatial.length).fill(0);
  for (let i = 0; i < from; i++) {
    let rest = i;
    for (let axis = spatial.length - 1; axis >= 0; axis--) {
      const size = spatial[axis] ?? 1;
      index[axis] = (rest % size) * (inputDilation[axis] ?? 1) + (padding[axis]?.[0] ?? 0);
      rest = Math.floor(rest / size);
    }
    if (index.some((at, axis) => at < 0 || at >= (sizes[axis] ?? 0))) continue;
    const target = index.reduce((offset, at, axis) => offset * (sizes[axis] ?? 1) + at, 0);
    for (let plane = 0; plane < planes; plane++) values[plane * to + target] = x[plane * from + i] ?? 0;
  }
  return { values, sizes };
}

/** out[n, g, o, p] = Σ over c, k of padded x[n, g, c, p · stride + k · dilation] ⊗ weight[g, o, c, k]. */
export function convValues(node: NodeOf<'conv'>, x: Float64Array, weight: Float64Array): Float64Array {
  const { stride, kernelDilation, combine } = node.attributes;
  const [, weightShape] = shapesOf(node);
  const [batch = 0, groups = 0, outputs = 0, ...positions] = node.shape;
  const [, , channels = 0, ...kernel] = weightShape;
  const { values, sizes } = dilateAndPad(node, x);
  const strides = stridesOf(sizes);
  const plane = elementCount(sizes);
  const windows = offsets(positions, strides.map((step, axis) => step * (stride[axis] ?? 1)));
  const taps = offsets(kernel, strides.map((step, axis) => step * (kernelDilation[axis] ?? 1)));
  const step = accumulator(combine, node.dtype);
  const out = new Float64Array(elementCount(node.shape));
  let at = 0;
  for (let n = 0; n < batch; n++) {
    for (let g = 0; g < groups; g++) {
      for (let o = 0; o < outputs; o++) {
        for (const window of windows) {
          let total = 0;
          for (let c = 0; c < channels; c++) {
            const startX = ((n * groups + g) * channels + c) * plane + window;
            const startWeight = ((g * outputs + o) * channels + c) * taps.length;
            for (let k = 0; k < taps.length; k++) total = step(total, values[startX + (taps[k] ?? 0)] ?? 0, weight[startWeight + k] ?? 0);
          }
          out[at++] = total;
        }
      }
    }
  }
  return out;
}

function shapesOf(node: Node): [Shape, Shape] {
  return [node.inputs[0]?.shape ?? [], node.inputs[1]?.shape ?? []];
}
