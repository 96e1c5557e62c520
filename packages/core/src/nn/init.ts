// Initialisers: how parameters get their first values. Numbers are drawn on the host from stream "init", so they do not
// depend on the backend; they are reserved when a parameter is made and computed when it is first used.
import { arrayOf, type Dtype, type TypedArray } from '../dtype.ts';
import { ShapeError, UserError, formatShape } from '../errors.ts';
import { erf } from '../kernel/scalar.ts';
import { random } from '../random/stream.ts';
import { elementCount, type Shape } from '../shape.ts';
import type { Parameter } from './parameter.ts';

/** Reserves the random numbers that a shape needs; the function returned makes the values. */
export type Initializer = (shape: Shape, dtype?: Dtype) => () => TypedArray;

function initializer(reserve: (shape: Shape) => () => ArrayLike<number>): Initializer {
  return (shape, dtype = 'float32') => {
    const make = reserve(shape);
    return () => {
      const values = arrayOf(dtype, elementCount(shape));
      values.set(make());
      return values;
    };
  };
}

const stream = () => random.stream('init');

function normals(shape: Shape, mean: number, std: number): () => Float64Array {
  const draw = stream().hostNormal(shape);
  return () => draw().map((z) => mean + std * z);
}

function uniforms(shape: Shape, low: number, high: number): () => Float64Array {
  const draw = stream().hostUniform(shape);
  return () => draw().map((u) => low + (high - low) * u);
}

/** Inputs and outputs of each unit of a weight [out, in, …kernel]. */
export function fans(shape: Shape): { fanIn: number; fanOut: number } {
  const [outputs, inputs, ...kernel] = shape;
  if (outputs === undefined || inputs === undefined) {
    throw new ShapeError(`fan in and fan out of shape ${formatShape(shape)}`, { remedy: 'a weight has at least two axes: [out, in, …kernel]' });
  }
  const field = elementCount(kernel);
  return { fanIn: inputs * field, fanOut: outputs * field };
}

/** The same value everywhere. */
export function constant(value: number): Initializer {
  return initializer((shape) => () => new Float64Array(elementCount(shape)).fill(value));
}

/** 0 everywhere. */
export function zeros(): Initializer {
  return constant(0);
}

/** 1 everywhere. */
export function ones(): Initializer {
  return constant(1);
}

/** U(low, high). */
export function uniform(low = 0, high = 1): Initializer {
  return initializer((shape) => uniforms(shape, low, high));
}

/** N(mean, std²). */
export function normal(mean = 0, std = 1): Initializer {
  return initializer((shape) => normals(shape, mean, std));
}

/** The number below which a share p of the standard normal lies, by Newton's method on erf. */
function normalQuantile(p: number): number {
  let z = 0;
  for (let i = 0; i < 60; i++) {
    const step = (0.5 * (1 + erf(z * Math.SQRT1_2)) - p) * Math.sqrt(2 * Math.PI) * Math.exp((z * z) / 2);
    z -= Math.max(-0.5, Math.min(0.5, step));
    if (Math.abs(step) < 1e-14) break;
  }
  return z;
}

/** N(mean, std²) restricted to [low, high] (absolute bounds, ±2 unless given). */
export function truncatedNormal(mean = 0, std = 1, low = -2, high = 2): Initializer {
  const share = (x: number): number => 0.5 * (1 + erf(((x - mean) / std) * Math.SQRT1_2));
  const [from, to] = [share(low), share(high)];
  return initializer((shape) => {
    const draw = stream().hostUniform(shape);
    return () => draw().map((u) => Math.min(high, Math.max(low, mean + std * normalQuantile(from + (to - from) * (u + 2 ** -25)))));
  });
}

/** Activations whose gain is known. */
export type Nonlinearity = 'linear' | 'sigmoid' | 'tanh' | 'relu' | 'leakyRelu' | 'selu';

/** The factor on the standard deviation that a nonlinearity asks for; `slope` is leakyRelu's. */
export function gain(nonlinearity: Nonlinearity, slope = 0.01): number {
  switch (nonlinearity) {
    case 'linear':
    case 'sigmoid':
      return 1;
    case 'tanh':
      return 5 / 3;
    case 'relu':
      return Math.SQRT2;
    case 'leakyRelu':
      return Math.sqrt(2 / (1 + slope ** 2));
    case 'selu':
      return 3 / 4;
  }
}

export interface KaimingOptions {
  /** Slope of leakyRelu, 0 unless given. */
  readonly a?: number;
  readonly mode?: 'fanIn' | 'fanOut';
  /** leakyRelu unless given. */
  readonly nonlinearity?: Nonlinearity;
}

function kaimingStd(shape: Shape, { a = 0, mode = 'fanIn', nonlinearity = 'leakyRelu' }: KaimingOptions): number {
  return gain(nonlinearity, a) / Math.sqrt(fans(shape)[mode]);
}

/** N(0, gain² / fan) (He et al. 2015). */
export function kaimingNormal(options: KaimingOptions = {}): Initializer {
  return initializer((shape) => normals(shape, 0, kaimingStd(shape, options)));
}

/** U(±gain √(3 / fan)). */
export function kaimingUniform(options: KaimingOptions = {}): Initializer {
  return initializer((shape) => {
    const bound = Math.sqrt(3) * kaimingStd(shape, options);
    return uniforms(shape, -bound, bound);
  });
}

/** N(0, gain² · 2 / (fanIn + fanOut)) (Glorot & Bengio 2010). */
export function xavierNormal(factor = 1): Initializer {
  return initializer((shape) => {
    const { fanIn, fanOut } = fans(shape);
    return normals(shape, 0, factor * Math.sqrt(2 / (fanIn + fanOut)));
  });
}

/** U(±gain √(6 / (fanIn + fanOut))). */
export function xavierUniform(factor = 1): Initializer {
  return initializer((shape) => {
    const { fanIn, fanOut } = fans(shape);
    const bound = factor * Math.sqrt(6 / (fanIn + fanOut));
    return uniforms(shape, -bound, bound);
  });
}

/** U(±1 / √fanIn): what PyTorch's linear and convolution layers start with; for biases give the weight's shape. */
export function fanInUniform(weight?: Shape): Initializer {
  return initializer((shape) => {
    const { fanIn } = fans(weight ?? shape);
    const bound = fanIn === 0 ? 0 : 1 / Math.sqrt(fanIn);
    return uniforms(shape, -bound, bound);
  });
}

/** Orthonormal rows (or columns, if there are more rows) times a gain (Saxe et al. 2014): Gram-Schmidt on normals. */
export function orthogonal(factor = 1): Initializer {
  return initializer((shape) => {
    const rows = shape[0] ?? 0;
    const columns = elementCount(shape.slice(1));
    if (shape.length < 2) throw new ShapeError(`orthogonal: ${formatShape(shape)} is no matrix`, { remedy: 'give at least two axes' });
    const draw = normals(shape, 0, 1);
    return () => {
      const [count, length] = [Math.min(rows, columns), Math.max(rows, columns)];
      const flat = draw();
      const vectors = Array.from({ length: count }, (_, i) => flat.slice(i * length, (i + 1) * length));
      vectors.forEach((vector, i) => {
        // Twice, because the first pass leaves rounding errors of the size of what it removes.
        for (const other of [...vectors.slice(0, i), ...vectors.slice(0, i)]) {
          const shared = vector.reduce((sum, x, k) => sum + x * (other[k] ?? 0), 0);
          vector.forEach((x, k) => (vector[k] = x - shared * (other[k] ?? 0)));
        }
        const size = Math.sqrt(vector.reduce((sum, x) => sum + x * x, 0));
        vector.forEach((x, k) => (vector[k] = x / size));
      });
      return flat.map((_, at) => {
        const [row, column] = [Math.floor(at / columns), at % columns];
        return factor * ((rows <= columns ? vectors[row]?.[column] : vectors[column]?.[row]) ?? 0);
      });
    };
  });
}

/** Convolution kernels that pass their input through: weight[i, i, centre] = 1. */
export function dirac(): Initializer {
  return initializer((shape) => () => {
    const [outputs = 0, inputs = 0, ...kernel] = shape;
    const field = elementCount(kernel);
    const centre = kernel.reduce((at, size) => at * size + Math.floor(size / 2), 0);
    const values = new Float64Array(outputs * inputs * field);
    for (let i = 0; i < Math.min(outputs, inputs); i++) values[(i * inputs + i) * field + centre] = 1;
    return values;
  });
}

/** Gives parameters new first values. */
export function initialize(parameters: Parameter | Iterable<Parameter>, how: Initializer): void {
  const list = Symbol.iterator in parameters ? [...parameters] : [parameters];
  if (list.length === 0) throw new UserError('initialize: no parameters', { remedy: 'check how they were picked' });
  for (const parameter of list) parameter.assign(how(parameter.shape, parameter.dtype)(), 'initialize');
}
