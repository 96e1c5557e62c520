// What an elementwise operation computes on numbers of a dtype: the table's definition, with integers wrapped.
import { isFloat, wrapInteger, type Dtype } from '../dtype.ts';
import { elementwise, type ElementwiseOp } from './elementwise.ts';

/** The scalar function of an operation whose operands have this dtype. Floats are not rounded. */
export function evaluator(op: ElementwiseOp, dtype: Dtype): (a: number, b: number) => number {
  const entry = elementwise[op];
  const evaluate: (a: number, b: number) => number = entry.evaluate;
  if (isFloat(dtype) || entry.dtype === 'compare') return evaluate;
  if (dtype === 'bool') return (a, b) => evaluate(a, b) & 1;
  if (op === 'mul') return (a, b) => wrapInteger(Math.imul(a, b), dtype);
  // These two see the bits of the dtype's own width, not the sign that extends them.
  if (dtype === 'int8' && (op === 'popcount' || op === 'ushr')) return (a, b) => wrapInteger(evaluate(a & 255, b), dtype);
  return (a, b) => wrapInteger(evaluate(a, b), dtype);
}
