// C text of types, names and literals.
import { InternalError, castNumber, unreachable, type Dtype } from '@athanor/core/backend';

/** How a dtype's values live in registers: 8-bit integers are int32 once loaded, bool is a mask of 0 or −1. */
export type Register = 'f32' | 'f64' | 'i32' | 'b';

export function registerOf(dtype: Dtype): Register {
  switch (dtype) {
    case 'float32':
      return 'f32';
    case 'float64':
      return 'f64';
    case 'bool':
      return 'b';
    default:
      return 'i32';
  }
}

/** How a dtype lies in memory: the suffix of load and store functions, and the C type of an element. */
export const memoryTypes = {
  float32: { suffix: 'f32', element: 'float' },
  float64: { suffix: 'f64', element: 'double' },
  int32: { suffix: 'i32', element: 'int32_t' },
  uint8: { suffix: 'u8', element: 'uint8_t' },
  int8: { suffix: 'i8', element: 'int8_t' },
  bool: { suffix: 'b', element: 'uint8_t' },
} as const satisfies Record<Dtype, { readonly suffix: string; readonly element: string }>;

/** Memory types of values as registers hold them: rows of scratch. */
export const registerTypes = {
  f32: { suffix: 'f32', element: 'float', bytes: 4 },
  f64: { suffix: 'f64', element: 'double', bytes: 8 },
  i32: { suffix: 'i32', element: 'int32_t', bytes: 4 },
  b: { suffix: 'i32', element: 'int32_t', bytes: 4 },
} as const satisfies Record<Register, { readonly suffix: string; readonly element: string; readonly bytes: number }>;

/** A scalar constant of a dtype, as a C expression. */
export function literal(value: number, dtype: Dtype): string {
  const exact = castNumber(value, dtype);
  switch (dtype) {
    case 'float32':
      return floatText(exact, 'f');
    case 'float64':
      return floatText(exact, '');
    case 'bool':
      return exact === 0 ? '0' : '-1';
    case 'int32':
    case 'uint8':
    case 'int8':
      return exact === -2147483648 ? 'INT32_MIN' : String(exact);
    default:
      return unreachable(dtype);
  }
}

function floatText(value: number, suffix: string): string {
  if (Number.isNaN(value)) return 'NAN';
  if (!Number.isFinite(value)) return value > 0 ? 'INFINITY' : '-INFINITY';
  const text = Object.is(value, -0) ? '-0.0' : String(value);
  return `${/[.e]/.test(text) ? text : `${text}.0`}${suffix}`;
}

/** A call of a function that exists for every number of lanes. */
export function call(name: string, lanes: number, ...operands: readonly string[]): string {
  return `${name}_${lanes}(${operands.join(', ')})`;
}

/** How functions of memory are called that reach elements so far apart … */
export function wayOf(stride: number): string {
  return stride === 1 ? '' : stride === 2 ? 'seconds_' : 'strided_';
}

/** … and what they must be told of the distance. */
export function stepOf(stride: number): string[] {
  return stride === 1 || stride === 2 ? [] : [String(stride)];
}

/** Checked access to lists. */
export function at<T>(list: readonly T[], index: number): T {
  const value = list[index];
  if (value === undefined) throw new InternalError(`no element ${index} in a list of ${list.length}`);
  return value;
}
