// Every elementwise operation on every dtype that it takes and in every shape class.
import { build, dtypes, elementwise, move, type Dtype, type ElementwiseOp } from '@athanor/core/backend';
import { withGradients } from '../compose.ts';
import { exact, type Case, type Tolerance } from '../problem.ts';
import type { Range } from '../values.ts';
import { allShapes, operandOf, type ShapeClass } from '../views.ts';

interface Domain {
  readonly first?: Range;
  readonly second?: Range;
  /** float32 and float64; default exact. */
  readonly tolerance?: Tolerance;
}

const positive = { low: 0.25, high: 6 };

/** Where an operation is not defined, or not exact, everywhere. */
const domains: Partial<Record<ElementwiseOp, Domain>> = {
  floor: { first: { low: -9, high: 9 } },
  ceil: { first: { low: -9, high: 9 } },
  round: { first: { low: -9, high: 9 } },
  trunc: { first: { low: -9, high: 9 } },
  sqrt: { first: positive },
  exp: { first: { low: -9, high: 9 }, tolerance: { ulps: 3 } },
  expm1: { tolerance: { ulps: 4 } },
  log: { first: positive, tolerance: { ulps: 3 } },
  log1p: { first: { low: -0.9, high: 5 }, tolerance: { ulps: 4 } },
  sin: { first: { low: -20, high: 20 }, tolerance: { ulps: 3, scale: 0.25 } },
  cos: { first: { low: -20, high: 20 }, tolerance: { ulps: 3, scale: 0.25 } },
  atan: { first: { low: -20, high: 20 }, tolerance: { ulps: 4 } },
  tanh: { first: { low: -4, high: 4 }, tolerance: { ulps: 6 } },
  erf: { first: { low: -4, high: 4 }, tolerance: { ulps: 4 } },
  pow: { first: positive, second: { low: -3, high: 3 }, tolerance: { ulps: 4 } },
  div: { second: positive },
  floorDivide: { second: { low: -20, high: 20 } },
  mod: { second: { low: -20, high: 20 } },
  shl: { second: { low: 0, high: 40 } },
  shr: { second: { low: 0, high: 40 } },
  ushr: { second: { low: 0, high: 40 } },
};

const allDtypes = Object.keys(dtypes) as Dtype[];

/** The dtypes that an operation takes. */
export function dtypesOf(op: ElementwiseOp): readonly Dtype[] {
  const { dtype: rule } = elementwise[op];
  return allDtypes.filter((dtype) => {
    const { kind } = dtypes[dtype];
    switch (rule) {
      case 'float':
        return kind === 'float';
      case 'number':
        return kind !== 'bool';
      case 'integer':
        return kind === 'integer';
      case 'bits':
        return kind !== 'float';
      default:
        return true;
    }
  });
}

/** Divisors and shift amounts of an unsigned dtype start at 0. */
function fitted(range: Range | undefined, dtype: Dtype): Range | undefined {
  if (range === undefined || dtype === 'bool') return undefined;
  return dtype === 'uint8' ? { low: Math.max(0, range.low), high: range.high } : range;
}

function caseOf(op: ElementwiseOp, dtype: Dtype, shape: ShapeClass): Case {
  const domain = domains[op] ?? {};
  return {
    op,
    dtype,
    shape: shape.name,
    direction: 'forward',
    tolerance: domain.tolerance ?? exact,
    build() {
      const { value } = operandOf(shape, dtype, { seed: 1, range: fitted(domain.first, dtype) });
      if (elementwise[op].arity === 1) return { outputs: [build.apply(op, value)] };
      const other = operandOf(shape, dtype, { seed: 2, range: fitted(domain.second ?? domain.first, dtype) });
      return { outputs: [build.apply(op, value, other.value)] };
    },
  };
}

/** Binary operations whose operands lie in memory in different ways. */
function mixedCase(op: ElementwiseOp, dtype: Dtype): Case {
  const domain = domains[op] ?? {};
  return {
    op,
    dtype,
    shape: 'a transposed operand and an expanded one',
    direction: 'forward',
    tolerance: domain.tolerance ?? exact,
    build() {
      const a: ShapeClass = { name: 'transposed', source: [9, 35], view: (x) => move.permute(x, [1, 0]) };
      const b: ShapeClass = { name: 'expanded', source: [1, 9], view: (x) => move.expand(x, [35, 9]) };
      const first = operandOf(a, dtype, { seed: 3, range: fitted(domain.first, dtype) }).value;
      const second = operandOf(b, dtype, { seed: 4, range: fitted(domain.second ?? domain.first, dtype) }).value;
      return { outputs: [build.apply(op, first, second)] };
    },
  };
}

/** Operations with a gradient. */
const differentiable: readonly ElementwiseOp[] = [
  'neg',
  'abs',
  'sqrt',
  'exp',
  'expm1',
  'log',
  'log1p',
  'sin',
  'cos',
  'atan',
  'tanh',
  'erf',
  'add',
  'sub',
  'mul',
  'div',
  'pow',
  'max',
  'min',
];

function backwardCase(op: ElementwiseOp, dtype: Dtype, shape: ShapeClass): Case {
  const domain = domains[op] ?? {};
  return {
    op,
    dtype,
    shape: shape.name,
    direction: 'backward',
    tolerance: { ulps: 16, scale: 16 },
    build() {
      // Gradients of exp(9) would cancel to the noise of the largest.
      const a = operandOf(shape, dtype, { seed: 21, range: op === 'exp' ? { low: -2, high: 2 } : domain.first });
      if (elementwise[op].arity === 1) return withGradients(build.apply(op, a.value), [a.source]);
      const b = operandOf(shape, dtype, { seed: 22, range: domain.second ?? domain.first });
      return withGradients(build.apply(op, a.value, b.value), [a.source, b.source]);
    },
  };
}

export function elementwiseCases(): Case[] {
  const forward = (Object.keys(elementwise) as ElementwiseOp[]).flatMap((op) =>
    dtypesOf(op).flatMap((dtype) => [
      ...allShapes.map((shape) => caseOf(op, dtype, shape)),
      ...(elementwise[op].arity === 2 ? [mixedCase(op, dtype)] : []),
    ]),
  );
  const floats = ['float32', 'float64'] as const;
  const backward = differentiable.flatMap((op) => floats.flatMap((dtype) => allShapes.map((shape) => backwardCase(op, dtype, shape))));
  return [...forward, ...backward];
}
