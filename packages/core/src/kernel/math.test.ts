// The float32 expansions against float64, by an interpreter that rounds every step (twice in multiplyAdd).
import { describe, expect, it } from 'vitest';
import { castNumber } from '../dtype.ts';
import { elementwise, type ElementwiseOp } from '../graph/elementwise.ts';
import { expandMath, type MathInstruction } from './math.ts';

const words = new DataView(new ArrayBuffer(4));
const bitsOf = (x: number): number => {
  words.setFloat32(0, x);
  return words.getInt32(0);
};
const fromBits = (bits: number): number => {
  words.setInt32(0, bits);
  return words.getFloat32(0);
};

function build(name: ElementwiseOp): (x: number, y?: number) => number {
  const program: MathInstruction[] = [];
  const arity = elementwise[name].arity;
  const result = expandMath(name, 'float32', arity === 1 ? [0] : [0, 1], (instruction) => program.push(instruction) - 1 + arity);
  if (result === undefined) throw new Error(`no expansion of ${name}`);
  return (x, y = 0) => {
    const values = arity === 1 ? [x] : [x, y];
    const at = (value: number) => values[value] ?? 0;
    for (const step of program) values.push(run(step, at));
    return at(result);
  };
}

function run(step: MathInstruction, at: (value: number) => number): number {
  switch (step.op) {
    case 'constant':
      return step.value;
    case 'elementwise': {
      const value = elementwise[step.name].evaluate(at(step.inputs[0] ?? 0), at(step.inputs[1] ?? 0));
      if (step.name === 'not') return value & 1;
      return step.dtype === 'int32' ? value | 0 : castNumber(value, step.dtype);
    }
    case 'where':
      return at(step.inputs[0]) === 0 ? at(step.inputs[2]) : at(step.inputs[1]);
    case 'cast':
      return castNumber(at(step.inputs[0]), step.dtype);
    case 'bitcast':
      return step.dtype === 'int32' ? bitsOf(at(step.inputs[0])) : fromBits(at(step.inputs[0]));
    case 'multiplyAdd': {
      const product = castNumber(at(step.inputs[0]) * at(step.inputs[1]), step.dtype);
      return castNumber(product + at(step.inputs[2]), step.dtype);
    }
    case 'exact':
      return at(step.mask) === 0 ? at(step.fast) : Math.fround(elementwise[step.name].evaluate(at(step.inputs[0] ?? 0), at(step.inputs[1] ?? 0)));
  }
}

/** Distance of a float32 result from the true value, in units of the true value's last place. */
function ulps(result: number, truth: number): number {
  const rounded = Math.fround(truth);
  if (Object.is(result, rounded) || (Number.isNaN(result) && Number.isNaN(truth))) return 0;
  if (!Number.isFinite(rounded) || !Number.isFinite(result)) return Number.isFinite(result) && Math.abs(result) > 3.4e38 ? 0 : Infinity;
  const size = Math.max(Math.abs(truth), 2 ** -126);
  return Math.abs(result - truth) / 2 ** (Math.floor(Math.log2(size)) - 23);
}

/** float32 values spread over all exponents between the bit patterns of two positive numbers, and their negatives. */
function* spread(low: number, high: number, count: number): Generator<number> {
  const [first, last] = [bitsOf(low), bitsOf(high)];
  for (let i = 0; i < count; i++) {
    const x = fromBits(Math.round(first + ((last - first) * (i + ((i * 7) % 11) / 11)) / count));
    yield x;
    yield -x;
  }
}

const cases: { name: ElementwiseOp; low: number; high: number; bound: number }[] = [
  { name: 'exp', low: 1e-8, high: 110, bound: 1.1 },
  { name: 'expm1', low: 1e-8, high: 110, bound: 2 },
  { name: 'log', low: 1e-44, high: 3e38, bound: 1.5 },
  { name: 'log1p', low: 1e-30, high: 3e38, bound: 2.5 },
  { name: 'sin', low: 1e-8, high: 1.5, bound: 1.5 },
  { name: 'cos', low: 1e-8, high: 1.5, bound: 1.5 },
  { name: 'atan', low: 1e-20, high: 1e20, bound: 2.5 },
  { name: 'tanh', low: 1e-20, high: 100, bound: 5 },
  { name: 'erf', low: 1e-20, high: 10, bound: 2 },
];

describe('expansions of float32 functions', () => {
  it.each(cases)('$name stays within $bound ulp', ({ name, low, high, bound }) => {
    const f = build(name);
    const truth = (x: number) => elementwise[name].evaluate(x, 0);
    let worst = 0;
    let where = 0;
    for (const x of spread(low, high, 20_000)) {
      const error = ulps(f(x), truth(x));
      if (error > worst) [worst, where] = [error, x];
    }
    expect(worst, `at ${where}`).toBeLessThanOrEqual(bound);
  });

  it.each(['sin', 'cos'] as const)('%s keeps its absolute error over many periods', (name) => {
    const f = build(name);
    for (const x of spread(1, 1e6, 3000)) {
      const truth = Math[name](x);
      expect(Math.abs(f(x) - truth)).toBeLessThanOrEqual(1.2e-7 + 2 ** -24 * 1e-4 * Math.abs(x));
    }
  });

  it('pow stays within 1.5 ulp', () => {
    const f = build('pow');
    let worst = 0;
    for (const x of spread(1e-6, 1e6, 300)) {
      for (const y of [-3, -2.5, -1, -0.5, 0.1, 0.5, 1, 1.5, 2, 3, 4, 7.25]) {
        worst = Math.max(worst, ulps(f(x, Math.fround(y)), x ** Math.fround(y)));
      }
    }
    expect(worst).toBeLessThanOrEqual(1.5);
  });

  const special = [0, -0, 1, -1, Infinity, -Infinity, NaN, 3.4028234663852886e38, -3.4028234663852886e38, 1e-45, -1e-45].map(Math.fround);

  it.each(cases.map(({ name }) => name))('%s keeps the edge cases', (name) => {
    const f = build(name);
    for (const x of special) expect(ulps(f(x), elementwise[name].evaluate(x, 0)), `${name}(${x}) = ${f(x)}`).toBeLessThanOrEqual(5);
  });

  it('pow keeps the edge cases', () => {
    const f = build('pow');
    for (const x of special) {
      for (const y of [...special, 0.5, 2, 3, -2, -3, -0.5]) {
        const truth = elementwise.pow.evaluate(x, y);
        expect(ulps(f(x, y), truth), `pow(${x}, ${y}) = ${f(x, y)}, not ${truth}`).toBeLessThanOrEqual(2);
      }
    }
  });

  it('has no expansion for simple operations and other dtypes', () => {
    const none = () => {
      throw new Error('nothing to emit');
    };
    expect(expandMath('add', 'float32', [0, 1], none)).toBeUndefined();
    expect(expandMath('exp', 'float64', [0], none)).toBeUndefined();
  });
});
