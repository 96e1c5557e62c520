// Autograd tensor engine: one IR, many backends.
export { DtypeError, InternalError, ShapeError, UserError, formatShape, unreachable } from './errors.ts';
export type { UserErrorOptions } from './errors.ts';
export type { Dtype, TypedArray } from './dtype.ts';
export { threefry2x32 } from './random/threefry.ts';
