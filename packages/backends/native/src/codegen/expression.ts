// C expressions of single operations, for one value (lanes = 1) or a vector of them.
import { InternalError, integerRange, unreachable, type Dtype, type ElementwiseOp, type Lowered, type Value } from '@athanor/core/backend';
import { call, registerOf } from './text.ts';

/** Operations that compute a value from values alone. */
export type Pure = Extract<Lowered, { op: 'elementwise' | 'where' | 'cast' | 'bitcast' | 'threefry' | 'multiplyAdd' | 'pick' | 'relu' | 'exact' }>;

export function isPure(instruction: Lowered): instruction is Pure {
  switch (instruction.op) {
    case 'elementwise':
    case 'where':
    case 'cast':
    case 'bitcast':
    case 'threefry':
    case 'multiplyAdd':
    case 'pick':
    case 'relu':
    case 'exact':
      return true;
    default:
      return false;
  }
}

/** `operand` gives the text of a value, `dtypeOf` its dtype. */
export function pureText(instruction: Pure, lanes: number, operand: (value: Value) => string, dtypeOf: (value: Value) => Dtype): string {
  const register = registerOf(instruction.dtype);
  switch (instruction.op) {
    case 'elementwise': {
      const [a, b] = instruction.inputs;
      if (a === undefined) throw new InternalError(`${instruction.name} without operands`);
      return elementwiseText(instruction.name, dtypeOf(a), lanes, operand(a), b === undefined ? '' : operand(b));
    }
    case 'where': {
      const [condition, yes, no] = instruction.inputs;
      return call(`select_${register}`, lanes, operand(condition), operand(yes), operand(no));
    }
    case 'cast':
      return castText(operand(instruction.inputs[0]), dtypeOf(instruction.inputs[0]), instruction.dtype, lanes);
    case 'bitcast':
      return bitcastText(operand(instruction.inputs[0]), dtypeOf(instruction.inputs[0]), instruction.dtype, lanes);
    case 'threefry':
      return call('threefry', lanes, ...instruction.inputs.map(operand));
    case 'multiplyAdd':
      return call(`fma_${register}`, lanes, ...instruction.inputs.map(operand));
    case 'pick':
      return call(`${instruction.name}_${register}`, lanes, ...instruction.inputs.map(operand));
    case 'relu':
      return call(`relu_${register}`, lanes, operand(instruction.inputs[0]));
    case 'exact':
      return call(`exact_${instruction.name}_${register}`, lanes, operand(instruction.mask), operand(instruction.fast), ...instruction.inputs.map(operand));
    default:
      return unreachable(instruction);
  }
}

/** Brings the result of 32-bit arithmetic into an 8-bit dtype's range. */
export function wrapped(text: string, dtype: Dtype, lanes: number): string {
  if (dtype === 'uint8') return call('wrap_u8', lanes, text);
  return dtype === 'int8' ? call('wrap_i8', lanes, text) : text;
}

/** An elementwise operation on operands of `dtype`. Comparisons and operations on bool give a mask. */
export function elementwiseText(name: ElementwiseOp, dtype: Dtype, lanes: number, a: string, b: string): string {
  if (dtype === 'bool') return booleanText(name, lanes, a, b);
  const register = registerOf(dtype);
  const operator = { add: '+', sub: '-', mul: '*', div: '/', and: '&', or: '|', xor: '^' } as const;
  switch (name) {
    case 'add':
    case 'sub':
    case 'mul':
    case 'div':
    case 'and':
    case 'or':
    case 'xor':
      return wrapped(`(${a} ${operator[name]} ${b})`, dtype, lanes);
    case 'neg':
      return wrapped(`(-${a})`, dtype, lanes);
    case 'not':
      return wrapped(`(~${a})`, dtype, lanes);
    case 'ushr':
    case 'popcount': {
      const bits = dtype === 'int8' ? call('wrap_u8', lanes, a) : a;
      return wrapped(call(`${name}_${register}`, lanes, bits, ...(name === 'ushr' ? [b] : [])), dtype, lanes);
    }
    case 'lt':
    case 'le':
    case 'eq':
    case 'ne':
      return call(`${name}_${register}`, lanes, a, b);
    default:
      return wrapped(call(`${name}_${register}`, lanes, a, ...(b === '' ? [] : [b])), dtype, lanes);
  }
}

function booleanText(name: ElementwiseOp, lanes: number, a: string, b: string): string {
  switch (name) {
    case 'and':
    case 'min':
      return `(${a} & ${b})`;
    case 'or':
    case 'max':
      return `(${a} | ${b})`;
    case 'xor':
    case 'ne':
      return `(${a} ^ ${b})`;
    case 'eq':
      return `(~(${a} ^ ${b}))`;
    case 'not':
      return call('not_b', lanes, a);
    case 'lt':
      return `(~${a} & ${b})`;
    case 'le':
      return `(~${a} | ${b})`;
    default:
      throw new InternalError(`${name} on bool`);
  }
}

function castText(text: string, from: Dtype, to: Dtype, lanes: number): string {
  if (from === to) return text;
  const [source, target] = [registerOf(from), registerOf(to)];
  if (to === 'bool') return call(`ne_${source}`, lanes, text, lanes === 1 ? '0' : call(`splat_${source}`, lanes, '0'));
  const number = from === 'bool' ? `(-${text})` : text;
  const numeric = from === 'bool' ? 'i32' : source;
  if (target === 'f32' || target === 'f64') return numeric === target ? number : call(`${target}_of_${numeric}`, lanes, number);
  const whole = numeric === 'i32' ? number : call(`i32_of_${numeric}`, lanes, number);
  const narrows = to !== 'int32' && from !== 'bool';
  if (!narrows) return whole;
  const { low, high } = integerRange[to === 'int8' ? 'int8' : 'uint8'];
  return call('clamp_i32', lanes, whole, String(low), String(high));
}

function bitcastText(text: string, from: Dtype, to: Dtype, lanes: number): string {
  if (from === to) return text;
  if (from === 'float32' && to === 'int32') return call('bits_f32', lanes, text);
  if (from === 'int32' && to === 'float32') return call('float_of_bits', lanes, text);
  if ((from === 'int8' && to === 'uint8') || (from === 'uint8' && to === 'int8')) return wrapped(text, to, lanes);
  throw new InternalError(`bitcast from ${from} to ${to}`);
}

const combining = { sum: 'add', prod: 'mul', max: 'max', min: 'min' } as const;

/** One step of a reduction. */
export function combineText(combine: keyof typeof combining, dtype: Dtype, lanes: number, a: string, b: string): string {
  return elementwiseText(combining[combine], dtype, lanes, a, b);
}

/** What a reduction starts from. */
export function identityOf(combine: keyof typeof combining, dtype: Dtype): number {
  if (combine === 'sum') return 0;
  if (combine === 'prod') return 1;
  if (dtype === 'bool') return combine === 'min' ? 1 : 0;
  return combine === 'max' ? -Infinity : Infinity;
}
