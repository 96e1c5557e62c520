// State by name: what checkpoints hold. Saved are copies on the host; loading checks everything before it changes anything.
import type { Dtype, TypedArray } from '../dtype.ts';
import { UserError, formatShape } from '../errors.ts';
import { Variable } from './variable.ts';
import { sameShape, type Shape } from '../shape.ts';
import { readAll, Tensor } from '../tensor/tensor.ts';

/** Live Variables by name. */
export type StateDict = Record<string, Variable>;

/** Values on the host. */
export interface HostTensor {
  readonly shape: Shape;
  readonly dtype: Dtype;
  readonly data: TypedArray;
}

/** What can be loaded into a Variable. */
export type Loadable = HostTensor | Tensor | Variable;

export interface LoadOptions {
  /** Missing and unexpected names are errors (default). */
  readonly strict?: boolean;
}

/** Host copies of all values. */
export async function snapshot(state: Readonly<StateDict>): Promise<Record<string, HostTensor>> {
  const entries = Object.entries(state);
  const values = await readAll(entries.map(([, own]) => own.value));
  return Object.fromEntries(entries.map(([name, { shape, dtype }], i) => [name, { shape, dtype, data: values[i] as TypedArray }]));
}

/** Sets Variables to saved values. All mistakes are reported at once, and nothing changes if there is one. */
export function loadState(target: Readonly<StateDict>, source: Readonly<Record<string, Loadable>>, options: LoadOptions = {}): void {
  const { strict = true } = options;
  const problems: string[] = [];
  for (const [name, { shape, dtype }] of Object.entries(target)) {
    const saved = source[name];
    if (saved === undefined) {
      if (strict) problems.push(`${name} ${formatShape(shape)} is missing`);
    } else if (!sameShape(saved.shape, shape) || saved.dtype !== dtype) {
      problems.push(`${name} is ${dtype} ${formatShape(shape)} here, but ${saved.dtype} ${formatShape(saved.shape)} in what is loaded`);
    }
  }
  if (strict) for (const name of Object.keys(source)) if (!Object.hasOwn(target, name)) problems.push(`${name} is not expected`);
  if (problems.length > 0) throw new UserError(`the state does not fit:\n  ${problems.join('\n  ')}`, { remedy: 'load with { strict: false } to take what has a place' });
  for (const [name, own] of Object.entries(target)) {
    const saved = source[name];
    if (saved === undefined) continue;
    own.assign(saved instanceof Variable ? saved.value : saved instanceof Tensor ? saved : saved.data, 'loadStateDict');
  }
}
