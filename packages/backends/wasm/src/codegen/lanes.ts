// Values of four neighbouring positions, and the vector code of every operation on them.
// float32 and integers of all widths are one v128 of 32-bit lanes (8-bit values widened and kept in range), bool is a
// mask of 32-bit lanes, float64 is two v128.
import { InternalError, dtypes, integerRange, unreachable, type Dtype, type ElementwiseOp, type ReduceCombine } from '@athanor/core/backend';
import type { Code, Local } from '../assembler/code.ts';
import type { VectorOp } from '../assembler/opcodes.ts';
import { at } from './at.ts';

/** One v128, or two for float64 (the same one twice where all positions are equal). */
export type Lanes = readonly Local[];

export const isWide = (dtype: Dtype): boolean => dtype === 'float64';

export function allocate(code: Code, dtype: Dtype): Lanes {
  return isWide(dtype) ? [code.local('v128'), code.local('v128')] : [code.local('v128')];
}

/** The first half of float64 lanes, or the only vector of others. */
export const part = (lanes: Lanes, index: number): Local => at(lanes, Math.min(index, lanes.length - 1));

const scratch = new DataView(new ArrayBuffer(16));

/** 16 bytes that hold a value in every lane. */
export function splatBytes(value: number, dtype: Dtype): Uint8Array {
  for (let i = 0; i < 16; i += dtype === 'float64' ? 8 : 4) {
    if (dtype === 'float64') scratch.setFloat64(i, value, true);
    else if (dtype === 'float32') scratch.setFloat32(i, value, true);
    else scratch.setInt32(i, dtype === 'bool' ? -Number(value !== 0) : value, true);
  }
  return new Uint8Array(scratch.buffer.slice(0));
}

/** 16 bytes of four integers. */
export function integerBytes(values: readonly number[]): Uint8Array {
  return new Uint8Array(Int32Array.from(values).buffer);
}

/** A value in every lane, made once per call of the function. */
export function constantLanes(code: Code, value: number, dtype: Dtype): Lanes {
  const local = code.constant(splatBytes(value, dtype));
  return isWide(dtype) ? [local, local] : [local];
}

/** Leaves the identity of a reduction in a fresh value. */
export function identityOf(combine: ReduceCombine, dtype: Dtype): number {
  switch (combine) {
    case 'sum':
      return 0;
    case 'prod':
      return 1;
    default: {
      const sign = combine === 'max' ? -1 : 1;
      if (dtypes[dtype].kind === 'float') return sign * Infinity;
      if (dtype === 'bool') return combine === 'max' ? 0 : 1;
      const range = integerRange[dtype as 'int32' | 'uint8' | 'int8'];
      return combine === 'max' ? range.low : range.high;
    }
  }
}

export const combineOp = { sum: 'add', prod: 'mul', max: 'max', min: 'min' } as const satisfies Record<ReduceCombine, ElementwiseOp>;

const prefix = (dtype: Dtype): 'f32x4' | 'f64x2' | 'i32x4' => (dtype === 'float32' ? 'f32x4' : dtype === 'float64' ? 'f64x2' : 'i32x4');

/** Brings the 32-bit lanes on the stack back into the range of an 8-bit dtype. */
export function emitWrap(code: Code, dtype: Dtype): void {
  if (dtype === 'uint8') code.get(code.constant(splatBytes(255, 'int32'))).op('v128.and');
  if (dtype === 'int8') code.i32(24).op('i32x4.shl').i32(24).op('i32x4.shr_s');
}

/** Applies a one-vector instruction sequence to each half of the operands and stores the results. */
export function mapParts(code: Code, out: Lanes, emit: (index: number) => void): void {
  out.forEach((local, i) => {
    if (i > 0 && local.index === out[0]?.index) return;
    emit(i);
    code.set(local);
  });
}

const floatUnary = { neg: 'neg', abs: 'abs', floor: 'floor', ceil: 'ceil', round: 'nearest', trunc: 'trunc', sqrt: 'sqrt' } as const;
const floatBinary = { add: 'add', sub: 'sub', mul: 'mul', div: 'div', max: 'max', min: 'min' } as const;

/** Operations that have no vector form for a dtype and run lane by lane (codegen/scalar.ts). */
export function isLaneWise(name: ElementwiseOp, dtype: Dtype): boolean {
  switch (name) {
    case 'floorDivide':
    case 'mod':
      return true;
    case 'shl':
    case 'shr':
    case 'ushr':
      return true;
    case 'exp':
    case 'expm1':
    case 'log':
    case 'log1p':
    case 'sin':
    case 'cos':
    case 'atan':
    case 'tanh':
    case 'erf':
    case 'pow':
      return dtype === 'float64';
    default:
      return false;
  }
}

/** out = name(x, y); `dtype` is the operands'. */
export function emitElementwise(code: Code, name: ElementwiseOp, dtype: Dtype, out: Lanes, x: Lanes, y: Lanes): void {
  if (name === 'lt' || name === 'le' || name === 'eq' || name === 'ne') return emitCompare(code, name, dtype, at(out, 0), x, y);
  mapParts(code, out, (i) => {
    const [a, b] = [part(x, i), y.length === 0 ? undefined : part(y, i)];
    if (dtype === 'bool') emitLogic(code, name, a, b);
    else if (dtypes[dtype].kind === 'float') emitFloat(code, name, dtype, a, b);
    else emitInteger(code, name, dtype, a, b);
  });
}

function emitFloat(code: Code, name: ElementwiseOp, dtype: Dtype, a: Local, b: Local | undefined): void {
  const type = prefix(dtype) as 'f32x4' | 'f64x2';
  if (name === 'sign') {
    // (0 < x) − (x < 0) as floats, with x itself where neither holds: keeps −0 and NaN.
    const one = code.constant(splatBytes(1, dtype));
    const zero = code.constant(splatBytes(0, dtype));
    code.get(one).get(code.constant(splatBytes(-1, dtype))).get(a).get(zero).op(`${type}.gt`).op('v128.bitselect');
    code.get(a).get(a).get(zero).op(`${type}.gt`).get(a).get(zero).op(`${type}.lt`).op('v128.or');
    // Stack: signs, x, mask → mask ? signs : x.
    code.op('v128.bitselect');
    return;
  }
  code.get(a);
  if (Object.hasOwn(floatUnary, name)) {
    code.op(`${type}.${floatUnary[name as keyof typeof floatUnary]}`);
    return;
  }
  if (b === undefined || !Object.hasOwn(floatBinary, name)) throw new InternalError(`no vector code for ${name} of ${dtype}`);
  code.get(b).op(`${type}.${floatBinary[name as keyof typeof floatBinary]}`);
}

function emitLogic(code: Code, name: ElementwiseOp, a: Local, b: Local | undefined): void {
  code.get(a);
  if (name === 'not') {
    code.op('v128.not');
    return;
  }
  const ops: Partial<Record<ElementwiseOp, VectorOp>> = { and: 'v128.and', mul: 'v128.and', min: 'v128.and', or: 'v128.or', max: 'v128.or', xor: 'v128.xor' };
  const op = ops[name];
  if (op === undefined || b === undefined) throw new InternalError(`no vector code for ${name} of bool`);
  code.get(b).op(op);
}

const integerBinary: Partial<Record<ElementwiseOp, VectorOp>> = {
  add: 'i32x4.add', sub: 'i32x4.sub', mul: 'i32x4.mul', max: 'i32x4.max_s', min: 'i32x4.min_s', and: 'v128.and', or: 'v128.or', xor: 'v128.xor',
};

function emitInteger(code: Code, name: ElementwiseOp, dtype: Dtype, a: Local, b: Local | undefined): void {
  code.get(a);
  switch (name) {
    case 'neg':
      code.op('i32x4.neg');
      break;
    case 'abs':
      code.op('i32x4.abs');
      break;
    case 'not':
      code.op('v128.not');
      break;
    case 'sign':
      code.get(code.constant(splatBytes(-1, 'int32'))).op('i32x4.max_s').get(code.constant(splatBytes(1, 'int32'))).op('i32x4.min_s');
      return;
    case 'popcount':
      if (dtype === 'int8') code.get(code.constant(splatBytes(255, 'int32'))).op('v128.and');
      code.op('i8x16.popcnt').op('i16x8.extadd_pairwise_i8x16_u').op('i32x4.extadd_pairwise_i16x8_u');
      return;
    default: {
      const op = integerBinary[name];
      if (op === undefined || b === undefined) throw new InternalError(`no vector code for ${name} of ${dtype}`);
      code.get(b).op(op);
    }
  }
  emitWrap(code, dtype);
}

const compareOps = { lt: ['lt', 'lt_s'], le: ['le', 'le_s'], eq: ['eq', 'eq'], ne: ['ne', 'ne'] } as const;

function emitCompare(code: Code, name: keyof typeof compareOps, dtype: Dtype, out: Local, x: Lanes, y: Lanes): void {
  const [float, integer] = compareOps[name];
  const one = (i: number) => {
    // False is 0 and true is −1 in a mask: order turns round.
    const turned = dtype === 'bool' && (name === 'lt' || name === 'le');
    const [a, b] = turned ? [part(y, i), part(x, i)] : [part(x, i), part(y, i)];
    code.get(a).get(b);
    code.op(dtype === 'float32' ? `f32x4.${float}` : dtype === 'float64' ? `f64x2.${float}` : `i32x4.${integer}`);
  };
  one(0);
  if (isWide(dtype)) {
    one(1);
    code.shuffle(evenWords);
  }
  code.set(out);
}

/** Words 0 and 2 of both operands. */
export const evenWords = [0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19, 24, 25, 26, 27];
/** The low halves of both operands. */
export const lowHalves = [0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23];
/** The halves of a vector exchanged, and the words of each half; both operands are the vector. */
export const swapHalves = [8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7];
export const swapWords = [4, 5, 6, 7, 0, 1, 2, 3, 12, 13, 14, 15, 8, 9, 10, 11];
const highHalf = [8, 9, 10, 11, 12, 13, 14, 15, 8, 9, 10, 11, 12, 13, 14, 15];

/** out = condition ? x : y. */
export function emitWhere(code: Code, dtype: Dtype, out: Lanes, condition: Local, x: Lanes, y: Lanes): void {
  mapParts(code, out, (i) => {
    code.get(part(x, i)).get(part(y, i)).get(condition);
    if (isWide(dtype)) code.op(i === 0 ? 'i64x2.extend_low_i32x4_s' : 'i64x2.extend_high_i32x4_s');
    code.op('v128.bitselect');
  });
}

/** out = x as another dtype: saturating, NaN to 0. */
export function emitCast(code: Code, from: Dtype, to: Dtype, out: Lanes, x: Lanes): void {
  const first = part(x, 0);
  if (from === to) return mapParts(code, out, (i) => code.get(part(x, i)));
  if (to === 'bool') return emitCompare(code, 'ne', from, at(out, 0), x, constantLanes(code, 0, from));
  if (from === 'bool') {
    return mapParts(code, out, (i) => {
      code.get(first);
      if (to === 'float64') code.op(i === 0 ? 'i64x2.extend_low_i32x4_s' : 'i64x2.extend_high_i32x4_s');
      code.get(code.constant(splatBytes(1, to))).op('v128.and');
    });
  }
  mapParts(code, out, (i) => {
    switch (to) {
      case 'float32':
        if (from === 'float64') {
          code.get(part(x, 0)).op('f32x4.demote_f64x2_zero').get(part(x, 1)).op('f32x4.demote_f64x2_zero').shuffle(lowHalves);
        } else code.get(first).op('f32x4.convert_i32x4_s');
        return;
      case 'float64':
        code.get(first);
        if (i === 1) code.get(first).shuffle(highHalf);
        code.op(from === 'float32' ? 'f64x2.promote_low_f32x4' : 'f64x2.convert_low_i32x4_s');
        return;
      case 'int32':
      case 'uint8':
      case 'int8':
        if (from === 'float64') {
          code.get(part(x, 0)).op('i32x4.trunc_sat_f64x2_s_zero').get(part(x, 1)).op('i32x4.trunc_sat_f64x2_s_zero').shuffle(lowHalves);
        } else {
          code.get(first);
          if (from === 'float32') code.op('i32x4.trunc_sat_f32x4_s');
        }
        if (to !== 'int32') {
          const { low, high } = integerRange[to];
          code.get(code.constant(splatBytes(low, 'int32'))).op('i32x4.max_s').get(code.constant(splatBytes(high, 'int32'))).op('i32x4.min_s');
        }
        return;
      default:
        unreachable(to);
    }
  });
}

/** out = the bits of x as another dtype of the same width. */
export function emitBitcast(code: Code, from: Dtype, to: Dtype, out: Lanes, x: Lanes): void {
  mapParts(code, out, (i) => {
    code.get(part(x, i));
    if (from === 'bool' && to !== 'bool') code.op('i32x4.neg');
    else if (to === 'bool' && from !== 'bool') code.op('i32x4.neg');
    else if (from !== to) emitWrap(code, to);
  });
}

/** out = x · y + z, rounded once where `fused`. */
export function emitMultiplyAdd(code: Code, dtype: Dtype, out: Lanes, inputs: readonly [Lanes, Lanes, Lanes], fused: boolean): void {
  const type = prefix(dtype) as 'f32x4' | 'f64x2';
  mapParts(code, out, (i) => {
    const [x, y, z] = inputs;
    code.get(part(x, i)).get(part(y, i));
    if (fused) code.get(part(z, i)).op(`${type}.relaxed_madd`);
    else code.op(`${type}.mul`).get(part(z, i)).op(`${type}.add`);
  });
}

/** out = pmin or pmax of (x, y) as WebAssembly defines them. */
export function emitPick(code: Code, name: 'pmin' | 'pmax', dtype: Dtype, out: Lanes, x: Lanes, y: Lanes): void {
  const type = prefix(dtype) as 'f32x4' | 'f64x2';
  mapParts(code, out, (i) => code.get(part(x, i)).get(part(y, i)).op(`${type}.${name}`));
}

/** out = max(x, +0): x without the lanes that are ≤ 0. */
export function emitRelu(code: Code, dtype: Dtype, out: Lanes, x: Lanes): void {
  const type = prefix(dtype) as 'f32x4' | 'f64x2';
  const zero = code.constant(splatBytes(0, dtype));
  mapParts(code, out, (i) => code.get(part(x, i)).get(part(x, i)).get(zero).op(`${type}.le`).op('v128.andnot'));
}

/**
 * Neighbours in the order in which to store them where the engine joins two stores: the upper of each pair first, for it
 * also keeps the first one, unjoined, if that is the lower.
 */
export function upperFirst<T>(list: readonly T[]): T[] {
  return list.map((item, i) => list[i % 2 === 0 ? i + 1 : i - 1] ?? item);
}

/** out = combine(x, y). */
export function emitCombine(code: Code, combine: ReduceCombine, dtype: Dtype, out: Lanes, x: Lanes, y: Lanes): void {
  if (dtype === 'bool' && combine === 'sum') return emitElementwise(code, 'or', dtype, out, x, y);
  emitElementwise(code, combineOp[combine], dtype, out, x, y);
}
