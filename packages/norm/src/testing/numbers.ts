// For tests: seeded tensors, and gradients against finite differences along random directions.
import { Tensor, fromBuffer, grad, readAll, tensor, threefry2x32, type Dtype } from '@athanor/core';
import { snapshot, type TensorModule } from '@athanor/core/nn';

/** Numbers in [−1, 1), the same for the same seed. */
export function randomNumbers(count: number, seed: number): Float64Array {
  const block = new Uint32Array(2);
  return Float64Array.from({ length: count }, (_, i) => {
    threefry2x32(seed, 5, i, 0, block);
    return (block[0] ?? 0) / 2 ** 31 - 1;
  });
}

/** Standard normal numbers, the same for the same seed. */
export function normalNumbers(count: number, seed: number): Float64Array {
  const [radius, angle] = [randomNumbers(count, seed), randomNumbers(count, seed + 10_000)];
  return radius.map((u, i) => Math.sqrt(-2 * Math.log((1 - u) / 2)) * Math.cos(Math.PI * (angle[i] ?? 0)));
}

export interface RandomOptions {
  readonly scale?: number;
  readonly shift?: number;
  readonly dtype?: Dtype;
}

/** A leaf of standard normal numbers, scaled and shifted; float64 unless asked for otherwise. */
export function randomTensor(shape: readonly number[], seed: number, { scale = 1, shift = 0, dtype = 'float64' }: RandomOptions = {}): Tensor {
  const count = shape.reduce((product, size) => product * size, 1);
  const values = normalNumbers(count, seed).map((x) => x * scale + shift);
  return tensor(values, { shape, dtype });
}

function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  return Array.from(a).reduce((sum, x, i) => sum + x * (b[i] ?? 0), 0);
}

/**
 * The largest relative difference, over random directions through all inputs, between the derivative of Σ weights ·
 * f(inputs) that `grad` gives and central finite differences.
 */
export async function derivativeError(f: (...inputs: Tensor[]) => Tensor, inputs: readonly Tensor[], step = 1e-5): Promise<number> {
  const output = f(...inputs);
  const weights = randomTensor(output.shape, 991);
  const weighted = (...at: Tensor[]): Tensor => f(...at).mul(weights).sum();
  const gradients = await readAll(grad(weighted(...inputs), inputs, { allowUnused: true }));
  const start = await Promise.all(inputs.map((input) => input.data()));
  const scale = Math.max(1e-8, Math.sqrt(gradients.reduce((sum, part) => sum + dot(part, part), 0)));
  let worst = 0;
  for (let direction = 0; direction < 4; direction++) {
    const along = start.map((values, i) => normalNumbers(values.length, 100 * direction + i));
    const at = (distance: number): Promise<number> =>
      weighted(...start.map((values, i) => fromBuffer(Float64Array.from(values, (x, j) => x + distance * (along[i]?.[j] ?? 0)), inputs[i]?.shape ?? []))).item();
    const exact = gradients.reduce((sum, part, i) => sum + dot(part, along[i] ?? []), 0);
    const numeric = ((await at(step)) - (await at(-step))) / (2 * step);
    worst = Math.max(worst, Math.abs(numeric - exact) / scale);
  }
  return worst;
}

/**
 * `derivativeError` of a module with respect to its input and its parameters, whose values are disturbed first. Buffers
 * have the same values at every evaluation.
 */
export async function moduleDerivativeError(module: TensorModule, x: Tensor, step = 1e-5): Promise<number> {
  const parameters = module.parameters();
  for (const [i, parameter] of parameters.entries()) {
    parameter.assign((await parameter.data()).map((value, j) => value + 0.3 * (normalNumbers(parameter.elements, 70 + i)[j] ?? 0)));
  }
  const state = await snapshot(module.stateDict());
  const start = await Promise.all([x, ...parameters].map((input) => input.data()));
  const weighted = (input: Tensor): Tensor => {
    const output = module.forward(input);
    return output.mul(randomTensor(output.shape, 991, { dtype: output.dtype })).sum();
  };
  const gradients = await readAll(grad(weighted(x), [x, ...parameters], { allowUnused: true }));
  const at = async (values: readonly ArrayLike<number>[]): Promise<number> => {
    module.loadStateDict(state);
    for (const [i, parameter] of parameters.entries()) parameter.assign(Float64Array.from(values[i + 1] ?? []));
    return await weighted(fromBuffer(Float64Array.from(values[0] ?? []), x.shape)).item();
  };
  const scale = Math.max(1e-8, Math.sqrt(gradients.reduce((sum, part) => sum + dot(part, part), 0)));
  let worst = 0;
  for (let direction = 0; direction < 4; direction++) {
    const along = start.map((values, i) => normalNumbers(values.length, 100 * direction + i));
    const moved = (distance: number): Float64Array[] => start.map((values, i) => Float64Array.from(values, (value, j) => value + distance * (along[i]?.[j] ?? 0)));
    const exact = gradients.reduce((sum, part, i) => sum + dot(part, along[i] ?? []), 0);
    const numeric = ((await at(moved(step))) - (await at(moved(-step)))) / (2 * step);
    worst = Math.max(worst, Math.abs(numeric - exact) / scale);
  }
  module.loadStateDict(state);
  return worst;
}

/** `derivativeError` of the gradient itself: Σ of the gradients of Σ weights · f, weighted again. */
export async function secondDerivativeError(f: (...inputs: Tensor[]) => Tensor, inputs: readonly Tensor[]): Promise<number> {
  const first = (...at: Tensor[]): Tensor => {
    const output = f(...at);
    const parts = grad(output.mul(randomTensor(output.shape, 313)).sum(), at, { allowUnused: true });
    return parts.map((part, i) => part.mul(randomTensor(part.shape, 500 + i)).sum()).reduce((sum, part) => sum.add(part));
  };
  return await derivativeError(first, inputs, 1e-4);
}

/** The largest difference between two tensors' values, relative to the largest value of the second (at least 1e-30). */
export async function relativeError(actual: Tensor | ArrayLike<number>, expected: Tensor | ArrayLike<number>): Promise<number> {
  const tensors = [actual, expected].filter((side) => side instanceof Tensor);
  const values = await readAll(tensors);
  const [a, b] = [actual, expected].map((side) => (side instanceof Tensor ? (values[tensors.indexOf(side)] ?? []) : side));
  if (a === undefined || b === undefined) return Infinity;
  if (a.length !== b.length) return Infinity;
  let [worst, largest] = [0, 1e-30];
  for (let i = 0; i < b.length; i++) {
    const difference = Math.abs((a[i] ?? NaN) - (b[i] ?? NaN));
    worst = Number.isNaN(difference) ? Infinity : Math.max(worst, difference);
    largest = Math.max(largest, Math.abs(b[i] ?? 0));
  }
  return worst / largest;
}
