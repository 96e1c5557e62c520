// What a step must compute, in plain float64 loops: for every problem that is no network. Results with many elements
// and long sums are checked at some thousand positions.
import type { ModelProblem } from './models.ts';
import { convOutput, inputsOf } from './numbers.ts';
import { epsilon, geluScale, geluShift, type Problem, type ProblemOf } from './problem.ts';

/** Values that one of a step's results must have, at some positions or (left out) everywhere. */
export interface Expected {
  readonly values: Float64Array;
  readonly positions?: Int32Array;
}

export type Expectations = Readonly<Record<string, Expected>>;

/** Positions that are checked where each takes a long sum, and where it does not. */
const fewPositions = 4096;
const manyPositions = 2 ** 20;

/** Positions spread over [0, count), by a step that shares no factor with it. */
function positionsIn(count: number, most: number): Int32Array {
  if (count <= most) return Int32Array.from({ length: count }, (_, i) => i);
  const divides = (a: number, b: number): number => (b === 0 ? a : divides(b, a % b));
  let stride = Math.floor(count / 1.618);
  while (divides(count, stride) !== 1) stride++;
  return Int32Array.from({ length: most }, (_, i) => (i * stride) % count);
}

function sampled(count: number, value: (position: number) => number, most = fewPositions): Expected {
  const positions = positionsIn(count, most);
  return { positions, values: Float64Array.from(positions, value) };
}

const at = (values: ArrayLike<number>, i: number): number => values[i] ?? NaN;
const none = new Float32Array();

function chain({ length }: ProblemOf<'chain'>, x: Float32Array, weight: Float32Array): Expectations {
  let row = Float64Array.from(x);
  for (let link = 0; link < length; link++) {
    row = Float64Array.from(row, (_, i) => {
      let sum = 0;
      for (let k = 0; k < 4; k++) sum += at(row, i - (i % 4) + k) * at(weight, k * 4 + (i % 4));
      return sum;
    });
  }
  return { y: { values: row } };
}

function matmul({ n, form }: ProblemOf<'matmul'>, a: Float32Array, b: Float32Array): Expectations {
  return {
    y: sampled(n * n, (position) => {
      const [row, column] = [Math.floor(position / n), position % n];
      let sum = 0;
      for (let k = 0; k < n; k++) {
        const left = form === 'TN' ? at(a, k * n + row) : at(a, row * n + k);
        sum += left * (form === 'NT' ? at(b, column * n + k) : at(b, k * n + column));
      }
      return sum;
    }),
  };
}

function gelu(x: Float32Array): Expectations {
  const slope = Math.sqrt(2 / Math.PI);
  const value = (position: number): number => {
    const u = at(x, position) * geluScale + geluShift;
    return 0.5 * u * (1 + Math.tanh(slope * (u + 0.044715 * u ** 3)));
  };
  return { y: sampled(x.length, value, manyPositions) };
}

/** How the elements of a norm's input fall into the groups that share statistics, and into features. */
interface NormLayout {
  readonly groups: number;
  readonly perGroup: number;
  readonly position: (group: number, i: number) => number;
  readonly feature: (group: number, i: number) => number;
  readonly features: number;
}

function normLayout(problem: ProblemOf<'batch-norm' | 'layer-norm'>): NormLayout {
  if (problem.kind === 'layer-norm') {
    const [rows, columns] = problem.shape;
    return { groups: rows, perGroup: columns, position: (row, i) => row * columns + i, feature: (_, i) => i, features: columns };
  }
  const [n, c, h, w] = problem.shape;
  const area = h * w;
  const position = (channel: number, i: number): number => (Math.floor(i / area) * c + channel) * area + (i % area);
  return { groups: c, perGroup: n * area, position, feature: (channel) => channel, features: c };
}

function norm(problem: ProblemOf<'batch-norm' | 'layer-norm'>, x: Float32Array): Expectations {
  const { scale = none, shift = none, cotangent = none } = inputsOf(problem).fixed;
  const { groups, perGroup, position, feature, features } = normLayout(problem);
  const [y, dx] = [new Float64Array(x.length), new Float64Array(x.length)];
  const [dscale, dshift] = [new Float64Array(features), new Float64Array(features)];
  const normal = new Float64Array(perGroup);
  for (let group = 0; group < groups; group++) {
    let mean = 0;
    for (let i = 0; i < perGroup; i++) mean += at(x, position(group, i)) / perGroup;
    let variance = 0;
    for (let i = 0; i < perGroup; i++) variance += (at(x, position(group, i)) - mean) ** 2 / perGroup;
    const inverse = 1 / Math.sqrt(variance + epsilon);
    let [sum, product] = [0, 0];
    for (let i = 0; i < perGroup; i++) {
      const [p, f] = [position(group, i), feature(group, i)];
      const x̂ = (at(x, p) - mean) * inverse;
      normal[i] = x̂;
      y[p] = x̂ * at(scale, f) + at(shift, f);
      const g = at(cotangent, p);
      dscale[f] = at(dscale, f) + g * x̂;
      dshift[f] = at(dshift, f) + g;
      sum += (g * at(scale, f)) / perGroup;
      product += (g * at(scale, f) * x̂) / perGroup;
    }
    for (let i = 0; i < perGroup; i++) {
      const [p, f] = [position(group, i), feature(group, i)];
      dx[p] = inverse * (at(cotangent, p) * at(scale, f) - sum - at(normal, i) * product);
    }
  }
  return { y: { values: y }, dx: { values: dx }, dscale: { values: dscale }, dshift: { values: dshift } };
}

function softmax({ shape: [rows, columns] }: ProblemOf<'softmax'>, x: Float32Array, cotangent: Float32Array): Expectations {
  const [y, dx] = [new Float64Array(x.length), new Float64Array(x.length)];
  for (let row = 0; row < rows; row++) {
    const start = row * columns;
    let [total, inner] = [0, 0];
    for (let i = start; i < start + columns; i++) total += Math.exp(at(x, i));
    for (let i = start; i < start + columns; i++) {
      y[i] = Math.exp(at(x, i)) / total;
      inner += at(y, i) * at(cotangent, i);
    }
    for (let i = start; i < start + columns; i++) dx[i] = at(y, i) * (at(cotangent, i) - inner);
  }
  return { y: { values: y }, dx: { values: dx } };
}

function conv(problem: ProblemOf<'conv'>, x: Float32Array): Expectations {
  const { weight = none, cotangent = none } = inputsOf(problem).fixed;
  const { input: [n, channels, height, width], outputs, kernel, padding } = problem;
  const [, , outHeight, outWidth] = convOutput(problem);
  const pixel = (image: number, channel: number, row: number, column: number): number =>
    row < 0 || row >= height || column < 0 || column >= width ? 0 : at(x, ((image * channels + channel) * height + row) * width + column);
  const incoming = (image: number, output: number, row: number, column: number): number =>
    row < 0 || row >= outHeight || column < 0 || column >= outWidth ? 0 : at(cotangent, ((image * outputs + output) * outHeight + row) * outWidth + column);
  const tap = (output: number, channel: number, row: number, column: number): number =>
    at(weight, ((output * channels + channel) * kernel + row) * kernel + column);
  /** The four coordinates of a position in [a, b, c, d]. */
  const split = (position: number, [, b, c, d]: readonly [number, number, number, number]): [number, number, number, number] =>
    [Math.floor(position / (b * c * d)), Math.floor(position / (c * d)) % b, Math.floor(position / d) % c, position % d];
  const sumOver = (count: number, term: (i: number, row: number, column: number) => number, rows = kernel, columns = kernel): number => {
    let sum = 0;
    for (let i = 0; i < count; i++) for (let row = 0; row < rows; row++) for (let column = 0; column < columns; column++) sum += term(i, row, column);
    return sum;
  };
  const y = sampled(n * outputs * outHeight * outWidth, (position) => {
    const [image, output, row, column] = split(position, [n, outputs, outHeight, outWidth]);
    return sumOver(channels, (channel, i, j) => pixel(image, channel, row + i - padding, column + j - padding) * tap(output, channel, i, j));
  });
  if (!problem.train) return { y };
  const dx = sampled(x.length, (position) => {
    const [image, channel, row, column] = split(position, problem.input);
    return sumOver(outputs, (output, i, j) => incoming(image, output, row - i + padding, column - j + padding) * tap(output, channel, i, j));
  });
  const dweight = sampled(weight.length, (position) => {
    const [output, channel, i, j] = split(position, [outputs, channels, kernel, kernel]);
    return sumOver(n, (image, row, column) => incoming(image, output, row, column) * pixel(image, channel, row + i - padding, column + j - padding), outHeight, outWidth);
  });
  return { y, dx, dweight };
}

/** Results of a problem on its first batch. */
export function expectationsOf(problem: Exclude<Problem, ModelProblem>): Expectations {
  const { batches: [first], fixed } = inputsOf(problem);
  const { x = none, second = none } = first ?? {};
  const { weight = none, cotangent = none } = fixed;
  switch (problem.kind) {
    case 'tiny-op':
      return { y: { values: Float64Array.from(x, (value, i) => value + at(weight, i)) } };
    case 'tiny-backward':
      return { loss: { values: Float64Array.of(x.reduce((sum, value, i) => sum + value * at(weight, i), 0)) }, dweight: { values: Float64Array.from(x) } };
    case 'chain':
      return chain(problem, x, weight);
    case 'matmul':
      return matmul(problem, x, second);
    case 'gelu':
      return gelu(x);
    case 'batch-norm':
    case 'layer-norm':
      return norm(problem, x);
    case 'softmax':
      return softmax(problem, x, cotangent);
    case 'conv':
      return conv(problem, x);
    default:
      return problem satisfies never;
  }
}

/** Largest difference between computed and expected values, relative to the largest expected magnitude of each result. */
export function relativeError(results: Readonly<Record<string, ArrayLike<number>>>, expected: Expectations): number {
  let largest = 0;
  for (const [name, { values, positions }] of Object.entries(expected)) {
    const computed = results[name];
    if (computed === undefined) throw new Error(`the step gives no ${name}, only ${Object.keys(results).join(', ')}`);
    let [difference, magnitude] = [0, 0];
    for (let i = 0; i < values.length; i++) {
      const own = Math.abs(at(computed, positions?.[i] ?? i) - at(values, i));
      difference = Number.isNaN(own) ? Infinity : Math.max(difference, own);
      magnitude = Math.max(magnitude, Math.abs(at(values, i)));
    }
    largest = Math.max(largest, difference === 0 ? 0 : difference / magnitude);
  }
  return largest;
}
