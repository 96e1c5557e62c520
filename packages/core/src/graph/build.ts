// Node constructors for sources, elementwise operations and reductions, with shape and dtype checks.
// Operands must already have equal shapes; broadcasting and promotion are the tensor layer's.
import type { Dtype, TypedArray } from '../dtype.ts';
import { bytesOf, castNumber, dtypes, isFloat, isInteger } from '../dtype.ts';
import { DtypeError, ShapeError, UserError, formatShape } from '../errors.ts';
import { assertSizes, elementCount, sameShape, type Shape } from '../shape.ts';
import { create, describe, requireDtype } from './create.ts';
import { elementwise, type ElementwiseOp } from './elementwise.ts';
import type { HostLeaf, Node, ReduceOp, VariableSlot } from './node.ts';

/** For callers without types. */
function requireKnown(dtype: Dtype, what: string): void {
  if (Object.hasOwn(dtypes, dtype)) return;
  throw new DtypeError(`${describe(what)}: there is no dtype "${String(dtype)}"`, { remedy: `dtypes are ${Object.keys(dtypes).join(', ')}` });
}

/** A scalar that is part of the program. */
export function constant(value: number, dtype: Dtype): Node {
  requireKnown(dtype, 'constant');
  return create('constant', [], { value: castNumber(value, dtype) }, [], dtype);
}

let nextLeaf = 1;

/** A host leaf. `data` undefined makes a placeholder that must be bound before a run. */
export function data(values: TypedArray | undefined, shape: Shape, dtype: Dtype): Node {
  assertSizes(shape, describe('tensor'));
  requireKnown(dtype, 'tensor');
  if (values !== undefined && values.length !== elementCount(shape)) {
    throw new ShapeError(`${describe('tensor')}: ${values.length} values do not fill shape ${formatShape(shape)}`, {
      remedy: `give ${elementCount(shape)} values`,
    });
  }
  const leaf: HostLeaf = { id: nextLeaf++, data: values };
  return create('data', [], { leaf }, shape, dtype);
}

/** The value that a variable has in one of its versions. */
export function read(variable: VariableSlot, version: number): Node {
  return create('read', [], { variable, version }, variable.shape, variable.dtype);
}

/** int32 [size]: 0, 1, … size − 1. */
export function iota(size: number): Node {
  assertSizes([size], describe('iota'));
  return create('iota', [], { size }, [size], 'int32');
}

/** Uniform int32 bits; `key` int32[2], `counter` int32[] (see random/threefry.ts). */
export function randomBits(key: Node, counter: Node, shape: Shape): Node {
  assertSizes(shape, describe('randomBits'));
  requireDtype(key, ['int32'], 'randomBits key');
  requireDtype(counter, ['int32'], 'randomBits counter');
  return create('randomBits', [key, counter], { shape }, shape, 'int32');
}

function checkDtype(op: ElementwiseOp, dtype: Dtype): void {
  const rule = elementwise[op].dtype;
  const ok =
    rule === 'same' || rule === 'compare'
      ? true
      : rule === 'float'
        ? isFloat(dtype)
        : rule === 'number'
          ? dtype !== 'bool'
          : rule === 'integer'
            ? isInteger(dtype)
            : !isFloat(dtype);
  if (!ok) {
    const wanted = { same: 'any', compare: 'any', float: 'float32 or float64', number: 'a number type', integer: 'an integer type', bits: 'an integer type or bool' }[rule];
    throw new DtypeError(`${describe(op)}: does not work on ${dtype}`, { remedy: `cast to ${wanted} first` });
  }
}

/** An elementwise operation on one operand, or on two of equal shape and dtype. */
export function apply(op: ElementwiseOp, ...inputs: readonly [Node] | readonly [Node, Node]): Node {
  const [a, b] = inputs;
  if (inputs.length !== elementwise[op].arity) {
    throw new UserError(`${describe(op)}: takes ${elementwise[op].arity} operands, got ${inputs.length}`);
  }
  if (b !== undefined) {
    if (!sameShape(a.shape, b.shape)) {
      throw new ShapeError(`${describe(op)}: shapes ${formatShape(a.shape)} and ${formatShape(b.shape)} differ`);
    }
    if (a.dtype !== b.dtype) throw new DtypeError(`${describe(op)}: dtypes ${a.dtype} and ${b.dtype} differ`, { remedy: 'cast one of them' });
  }
  checkDtype(op, a.dtype);
  const dtype = elementwise[op].dtype === 'compare' ? 'bool' : a.dtype;
  return create(op, inputs, {}, a.shape, dtype);
}

/** `condition ? a : b`; condition is bool, all shapes equal. */
export function where(condition: Node, a: Node, b: Node): Node {
  requireDtype(condition, ['bool'], 'where condition');
  if (!sameShape(a.shape, b.shape) || !sameShape(condition.shape, a.shape)) {
    throw new ShapeError(
      `${describe('where')}: shapes ${formatShape(condition.shape)}, ${formatShape(a.shape)} and ${formatShape(b.shape)} differ`,
    );
  }
  if (a.dtype !== b.dtype) throw new DtypeError(`${describe('where')}: dtypes ${a.dtype} and ${b.dtype} differ`, { remedy: 'cast one of them' });
  return create('where', [condition, a, b], {}, a.shape, a.dtype);
}

/** Float to integer truncates, saturates and sends NaN to 0; to bool is `≠ 0`; integers to narrower integers saturate. */
export function cast(x: Node, dtype: Dtype): Node {
  requireKnown(dtype, 'to');
  return x.dtype === dtype ? x : create('cast', [x], { dtype }, x.shape, dtype);
}

/** The same bits as another dtype of the same width (float32 ↔ int32, uint8 ↔ int8). */
export function bitcast(x: Node, dtype: Dtype): Node {
  if (bytesOf(x.dtype) !== bytesOf(dtype) || (x.dtype === 'bool') !== (dtype === 'bool')) {
    throw new DtypeError(`${describe('bitcast')}: ${x.dtype} and ${dtype} differ in width`);
  }
  return x.dtype === dtype ? x : create('bitcast', [x], { dtype }, x.shape, dtype);
}

/** A reduction over sorted non-negative axes, kept with size 1. */
export function reduce(op: ReduceOp, x: Node, axes: readonly number[]): Node {
  if ((op === 'sum' || op === 'prod') && x.dtype === 'bool') {
    throw new DtypeError(`${describe(op)}: does not work on bool`, { remedy: 'cast to int32 first' });
  }
  if (op !== 'sum' && op !== 'prod' && axes.some((axis) => x.shape[axis] === 0)) {
    throw new ShapeError(`${describe(op)}: nothing to reduce over in shape ${formatShape(x.shape)}`);
  }
  if (axes.every((axis) => x.shape[axis] === 1)) return x;
  const shape = x.shape.map((size, axis) => (axes.includes(axis) ? 1 : size));
  return create(op, [x], { axes }, shape, x.dtype);
}
