// Autograd tensor engine: one IR, many backends.
export { DtypeError, InternalError, ShapeError, UserError, formatShape, unreachable } from './errors.ts';
export type { UserErrorOptions } from './errors.ts';
export type { Dtype, TypedArray } from './dtype.ts';
export { Tensor, readAll, type NestedArray } from './tensor/tensor.ts';
export type { Operand } from './tensor/base.ts';
export type { Axes, ReduceOptions, VarianceOptions } from './tensor/reduction.ts';
export type { Index, Sorted } from './tensor/selection.ts';
export type { CloseOptions, NanToNumOptions } from './tensor/functions.ts';
export type { PaddingMode } from './tensor/padding.ts';
export {
  arange,
  cat,
  eye,
  fromBuffer,
  full,
  fullLike,
  linspace,
  meshgrid,
  ones,
  onesLike,
  stack,
  tensor,
  where,
  zeros,
  zerosLike,
  type DtypeOption,
  type TensorOptions,
} from './tensor/create.ts';
export { einsum } from './tensor/einsum.ts';
export { cholesky, eigh, solveTriangular } from './tensor/linalg.ts';
export { allReduce } from './tensor/replicas.ts';
export { replicas, setCollective, type Collective } from './kernel/collective.ts';
export { Variable, variable, type Assignable, type VariableOptions } from './engine/variable.ts';
export { grad, withGradient, type GradientOptions, type GradientTarget } from './engine/differentiate.ts';
export { compile, type CompiledFunction, type CompileOptions, type StepProfile, type TimedCommand } from './engine/compile.ts';
export type { CommandCost, ProgramCost } from './schedule/cost.ts';
export { checkpoint } from './engine/checkpoint.ts';
export { explain, type ExplainOptions } from './engine/explain.ts';
export { memory, scope, type MemoryReport } from './engine/scope.ts';
export { flush, onWarning } from './engine/flush.ts';
export { currentBackend, setBackend } from './engine/state.ts';
export { random, type DrawOptions, type RandomStream } from './random/stream.ts';
export { threefry2x32 } from './random/threefry.ts';
