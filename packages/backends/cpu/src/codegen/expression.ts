// JavaScript text of single operations. A value is a JavaScript number that its dtype can hold exactly, or, for
// bool, a JavaScript boolean. Every result of float32 arithmetic is rounded, so it equals float32 arithmetic.
import { InternalError, castNumber, integerRange, unreachable, type Dtype, type ElementwiseOp } from '@athanor/core/backend';

/** Rounds or wraps the result of arithmetic into a dtype. */
export function wrapped(dtype: Dtype, text: string): string {
  switch (dtype) {
    case 'float32':
      return `fround(${text})`;
    case 'float64':
      return `(${text})`;
    case 'int32':
      return `((${text}) | 0)`;
    case 'uint8':
      return `((${text}) & 255)`;
    case 'int8':
      return `((${text}) << 24 >> 24)`;
    case 'bool':
      throw new InternalError('arithmetic on bool');
    default:
      return unreachable(dtype);
  }
}

export function literal(value: number, dtype: Dtype): string {
  if (dtype === 'bool') return value === 0 ? 'false' : 'true';
  const exact = castNumber(value, dtype);
  const text = Object.is(exact, -0) ? '-0' : String(exact);
  return text.startsWith('-') ? `(${text})` : text;
}

/** Reads an element: memory holds 0 or 1 for bool. */
export function loaded(element: string, dtype: Dtype): string {
  return dtype === 'bool' ? `${element} !== 0` : element;
}

/** What an element is set to. */
export function stored(value: string, dtype: Dtype): string {
  return dtype === 'bool' ? `${value} ? 1 : 0` : value;
}

export function castText(text: string, from: Dtype, to: Dtype): string {
  if (from === to) return text;
  if (to === 'bool') return `${text} !== 0`;
  if (from === 'bool') return `(${text} ? 1 : 0)`;
  switch (to) {
    case 'float64':
      return text;
    case 'float32':
      return from === 'float64' || from === 'int32' ? `fround(${text})` : text;
    default: {
      if (to === 'int32' && from !== 'float32' && from !== 'float64') return text;
      const { low, high } = integerRange[to];
      return `(Math.max(${low}, Math.min(${high}, ${text})) | 0)`;
    }
  }
}

export function bitcastText(text: string, from: Dtype, to: Dtype): string {
  switch (to) {
    case from:
      return text;
    case 'int32':
      return `floatToBits(${text})`;
    case 'float32':
      return `bitsToFloat(${text})`;
    case 'int8':
    case 'uint8':
      return wrapped(to, text);
    default:
      throw new InternalError(`bitcast from ${from} to ${to}`);
  }
}

/** An elementwise operation on operands of `dtype`. Comparisons and operations on bool give a boolean. */
export function elementwiseText(name: ElementwiseOp, dtype: Dtype, a: string, b: string): string {
  return dtype === 'bool' ? booleanText(name, a, b) : numberText(name, dtype, a, b);
}

function booleanText(name: ElementwiseOp, a: string, b: string): string {
  switch (name) {
    case 'and':
    case 'min':
      return `(${a} && ${b})`;
    case 'or':
    case 'max':
      return `(${a} || ${b})`;
    case 'xor':
    case 'ne':
      return `(${a} !== ${b})`;
    case 'eq':
      return `(${a} === ${b})`;
    case 'not':
      return `!${a}`;
    case 'lt':
      return `(!${a} && ${b})`;
    case 'le':
      return `(!${a} || ${b})`;
    default:
      throw new InternalError(`${name} on bool`);
  }
}

function numberText(name: ElementwiseOp, dtype: Dtype, a: string, b: string): string {
  const float = dtype === 'float32' || dtype === 'float64';
  switch (name) {
    case 'neg':
      return float ? `-${a}` : wrapped(dtype, `-${a}`);
    case 'abs':
      return float ? `Math.abs(${a})` : wrapped(dtype, `Math.abs(${a})`);
    case 'sign':
    case 'floor':
    case 'ceil':
    case 'trunc':
      return `Math.${name}(${a})`;
    case 'round':
      return `roundEven(${a})`;
    case 'sqrt':
    case 'exp':
    case 'expm1':
    case 'log':
    case 'log1p':
    case 'sin':
    case 'cos':
    case 'atan':
    case 'tanh':
      return wrapped(dtype, `Math.${name}(${a})`);
    case 'erf':
      return wrapped(dtype, `erf(${a})`);
    case 'add':
      return wrapped(dtype, `${a} + ${b}`);
    case 'sub':
      return wrapped(dtype, `${a} - ${b}`);
    case 'mul':
      return float ? wrapped(dtype, `${a} * ${b}`) : wrapped(dtype, `imul(${a}, ${b})`);
    case 'div':
      return wrapped(dtype, `${a} / ${b}`);
    case 'floorDivide':
      return wrapped(dtype, `${b} === 0 ? 0 : Math.floor(${a} / ${b})`);
    case 'mod':
      return wrapped(dtype, `${b} === 0 ? 0 : ${a} - Math.floor(${a} / ${b}) * ${b}`);
    case 'pow':
      return wrapped(dtype, `power(${a}, ${b})`);
    case 'max':
    case 'min':
      return `Math.${name}(${a}, ${b})`;
    case 'and':
      return `(${a} & ${b})`;
    case 'or':
      return `(${a} | ${b})`;
    case 'xor':
      return `(${a} ^ ${b})`;
    case 'not':
      return wrapped(dtype, `~${a}`);
    case 'shl':
      return wrapped(dtype, `${a} << ${b}`);
    case 'shr':
      return `(${a} >> ${b})`;
    case 'ushr':
      return wrapped(dtype, `${ownBits(dtype, a)} >>> ${b}`);
    case 'popcount':
      return `populationCount(${ownBits(dtype, a)})`;
    case 'lt':
      return `(${a} < ${b})`;
    case 'le':
      return `(${a} <= ${b})`;
    case 'eq':
      return `(${a} === ${b})`;
    case 'ne':
      return `(${a} !== ${b})`;
    default:
      return unreachable(name);
  }
}

/** An integer's own bits, without the sign that extends them. */
function ownBits(dtype: Dtype, text: string): string {
  return dtype === 'int8' ? `(${text} & 255)` : text;
}
