// `@athanor/core/backend`: what a backend's author needs: the contract, graphs, kernels and programs.
export type * from './backend.ts';
export { indexOutOfRange } from './failures.ts';
export * from '../dtype.ts';
export * from '../shape.ts';
export * from '../errors.ts';
export { buildContext } from '../graph/create.ts';
export { elementwise, isElementwiseOp, type BinaryOp, type ElementwiseOp, type UnaryOp } from '../graph/elementwise.ts';
export type * from '../graph/node.ts';
export type * from '../kernel/ir.ts';
export { kernelKey, loopCount } from '../kernel/ir.ts';
export { canonicalize } from '../graph/canonical.ts';
export { evaluator } from '../graph/evaluate.ts';
export { postorder } from '../graph/order.ts';
export { runRoutine } from '../kernel/routines.ts';
export { referenceBackend } from '../reference/backend.ts';
export { interpret } from '../reference/interpret.ts';
export { schedule, type ScheduleOptions } from '../schedule/schedule.ts';
export { expandMath, type EmitMath, type MathInstruction } from '../kernel/math.ts';
