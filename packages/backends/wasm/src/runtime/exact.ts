// Functions of float64 that kernels import: JavaScript's, and those that it lacks or defines otherwise.
import { InternalError, elementwise, isElementwiseOp } from '@athanor/core/backend';
import { importedMath } from '../codegen/kernels.ts';

type Evaluate = (a: number, b: number) => number;

const functions = new Map<string, Evaluate>(
  Object.keys(importedMath).map((name) => {
    if (!isElementwiseOp(name)) throw new InternalError(`${name} is no elementwise operation`);
    return [name, elementwise[name].evaluate];
  }),
);

export const exactFunctions = {
  /** The import object's part for this thread. */
  imports: Object.fromEntries(functions),
  /** The same function as an expression, for threads that share no code. */
  source(name: string): string {
    const known = functions.get(name);
    if (known === undefined) throw new InternalError(`no function ${name}`);
    const { [name]: native } = Object.fromEntries(Object.getOwnPropertyNames(Math).map((key) => [key, key]));
    if (native !== undefined && name !== 'pow') return `Math.${native}`;
    return `(${known.toString()})`;
  },
};
