// Operations without a vector form, position by position: integer division, shifts by varying amounts, indexed
// access, functions that only JavaScript has.
import { bytesOf, type Dtype, type ElementwiseOp } from '@athanor/core/backend';
import type { Code, Local } from '../assembler/code.ts';
import { emitLoadLane } from './access.ts';
import { at } from './at.ts';
import { isWide, part, type Lanes } from './lanes.ts';

/** Function indices of the imported functions by name. */
export type MathImports = ReadonlyMap<string, number>;

/** Where a kernel reports an index out of range: any non-zero word. */
export const flagAddress = 128;

export function raiseFlag(code: Code): void {
  code.i32(flagAddress).i32(1).memory('i32.store');
}

/** Integer division, remainder and shifts of one pair of 32-bit numbers; the result is left on the stack. */
function emitInteger(code: Code, name: ElementwiseOp, a: Local, b: Local): void {
  switch (name) {
    case 'shl':
      code.get(a).get(b).op('i32.shl');
      return;
    case 'shr':
      code.get(a).get(b).op('i32.shr_s');
      return;
    case 'ushr':
      code.get(a).get(b).op('i32.shr_u');
      return;
    default: {
      // By 0 gives 0; by −1 would trap for the smallest number.
      const isDivision = name === 'floorDivide';
      const rest = code.local('i32');
      code.get(b).i32(1).op('i32.add').i32(2).op('i32.lt_u').if('i32');
      if (isDivision) code.i32(0).get(a).get(b).op('i32.mul').op('i32.add');
      else code.i32(0);
      code.else();
      code.get(a).get(b).op('i32.rem_s').set(rest);
      // Rounding down differs from truncation where the remainder's sign is not the divisor's.
      const differs = () => code.get(rest).get(b).op('i32.xor').i32(0).op('i32.lt_s').get(rest).i32(0).op('i32.ne').op('i32.and');
      if (isDivision) {
        code.get(a).get(b).op('i32.div_s');
        differs();
        code.op('i32.sub');
      } else {
        code.get(rest).get(b).i32(0);
        differs();
        code.op('select').op('i32.add');
      }
      code.end();
      code.release(rest);
    }
  }
}

/** out = name(x, y) for integers, lane by lane. */
export function emitIntegerLanes(code: Code, name: ElementwiseOp, dtype: Dtype, out: Local, x: Local, y: Local): void {
  const [a, b] = [code.local('i32'), code.local('i32')];
  for (let i = 0; i < 4; i++) {
    code.get(x).lane('i32x4.extract_lane', i);
    // A logical shift sees the bits of the dtype's own width.
    if (name === 'ushr' && dtype === 'int8') code.i32(255).op('i32.and');
    code.set(a).get(y).lane('i32x4.extract_lane', i).set(b);
    code.get(out);
    emitInteger(code, name, a, b);
    if (dtype === 'uint8') code.i32(255).op('i32.and');
    if (dtype === 'int8') code.i32(24).op('i32.shl').i32(24).op('i32.shr_s');
    code.lane('i32x4.replace_lane', i).set(out);
  }
  code.release(a);
  code.release(b);
}

/** Puts lane i of a float value on the stack as f64. */
function emitExtract(code: Code, dtype: Dtype, value: Lanes, i: number): void {
  if (isWide(dtype)) code.get(part(value, i >> 1)).lane('f64x2.extract_lane', i & 1);
  else code.get(at(value, 0)).lane('f32x4.extract_lane', i).op('f64.promote_f32');
}

/** out[i] = name(inputs[i]), computed in float64 by an imported function. */
export function emitCall(code: Code, functionIndex: number, dtype: Dtype, out: Lanes, inputs: readonly Lanes[], i: number): void {
  const target = part(out, isWide(dtype) ? i >> 1 : 0);
  code.get(target);
  for (const input of inputs) emitExtract(code, dtype, input, i);
  code.call(functionIndex);
  if (isWide(dtype)) code.lane('f64x2.replace_lane', i & 1);
  else code.op('f32.demote_f64').lane('f32x4.replace_lane', i);
  code.set(target);
}

export interface IndexedAccess {
  /** Puts the address of index 0 for lane i on the stack and returns the offset to add. */
  readonly address: (lane: number) => number;
  readonly at: Local;
  /** Bytes between neighbouring indices. */
  readonly stride: number;
  readonly size: number;
}

/** out[i] = the element at a clamped index; raises the flag where it had to clamp. */
export function emitGatherLane(code: Code, dtype: Dtype, out: Lanes, access: IndexedAccess, lane: number): void {
  const index = code.local('i32');
  code.get(access.at).lane('i32x4.extract_lane', lane).set(index);
  emitClamp(code, index, access.size);
  const offset = access.address(lane);
  code.get(index).i32(access.stride).op('i32.mul').op('i32.add');
  emitLoadLane(code, dtype, out, lane, offset);
  code.release(index);
}

/** Clamps an index into [0, size), raising the flag if that changes it. */
export function emitClamp(code: Code, index: Local, size: number): void {
  code.get(index).i32(size).op('i32.ge_u').if();
  raiseFlag(code);
  code.i32(0).i32(size - 1).get(index).i32(0).op('i32.lt_s').op('select').set(index);
  code.end();
}

/** Adds lane i of a value to the element at an index; out of range it is dropped and the flag raised. */
export function emitScatterLane(code: Code, dtype: Dtype, input: Lanes, access: IndexedAccess, lane: number): void {
  const [index, address] = [code.local('i32'), code.local('i32')];
  code.get(access.at).lane('i32x4.extract_lane', lane).tee(index).i32(access.size).op('i32.lt_u').if();
  const offset = access.address(lane);
  code.get(index).i32(access.stride).op('i32.mul').op('i32.add').set(address);
  code.get(address).get(address);
  switch (dtype) {
    case 'float64':
      code.memory('f64.load', offset).get(part(input, lane >> 1)).lane('f64x2.extract_lane', lane & 1).op('f64.add').memory('f64.store', offset);
      break;
    case 'float32':
      code.memory('f32.load', offset).get(at(input, 0)).lane('f32x4.extract_lane', lane).op('f32.add').memory('f32.store', offset);
      break;
    default: {
      const narrow = bytesOf(dtype) === 1;
      code.memory(narrow ? 'i32.load8_u' : 'i32.load', offset).get(at(input, 0)).lane('i32x4.extract_lane', lane).op('i32.add');
      code.memory(narrow ? 'i32.store8' : 'i32.store', offset);
    }
  }
  code.else();
  raiseFlag(code);
  code.end();
  code.release(index);
  code.release(address);
}
