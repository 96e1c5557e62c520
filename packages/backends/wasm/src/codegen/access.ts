// Loads and stores of four neighbouring positions: contiguous, strided, reversed, guarded; the narrow dtypes.
import { bytesOf, type Dtype } from '@athanor/core/backend';
import type { Code, Local } from '../assembler/code.ts';
import { at } from './at.ts';
import { evenWords, isWide, mapParts, part, splatBytes, type Lanes } from './lanes.ts';
import type { Access, Frame } from './pointers.ts';

/** One access of a group of positions. */
export interface Spot {
  readonly frame: Frame;
  readonly access: Access;
  /** Bytes between neighbouring positions. */
  readonly stride: number;
  /** Bytes from the access's first position to the group's. */
  readonly start: number;
  /** Positions of the group that exist, 1 to 4. */
  readonly active: number;
}

const reversedWords = [12, 13, 14, 15, 8, 9, 10, 11, 4, 5, 6, 7, 0, 1, 2, 3];
const reversedHalves = [8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7];

/** Loads may read up to 16 bytes beyond what exists: memory has slack at both ends. */
export function emitLoad(code: Code, dtype: Dtype, out: Lanes, spot: Spot): void {
  const steps = spot.stride / bytesOf(dtype);
  if (dtype === 'float64') return emitLoadWide(code, out, spot, steps);
  const target = at(out, 0);
  if (bytesOf(dtype) === 1) return emitLoadNarrow(code, dtype, target, spot, steps);
  const { frame, access, start } = spot;
  if (steps === 0) code.memory('v128.load32_splat', frame.address(code, access, start));
  else if (steps === 1) code.memory('v128.load', frame.address(code, access, start));
  else if (steps === -1) code.memory('v128.load', frame.address(code, access, start - 12)).get(target).shuffle(reversedWords);
  else if (steps === 2 && spot.active > 2) {
    code.memory('v128.load', frame.address(code, access, start));
    code.memory('v128.load', frame.address(code, access, start + 16)).shuffle(evenWords);
  } else {
    code.memory('v128.load32_zero', frame.address(code, access, start)).set(target);
    for (let i = 1; i < spot.active; i++) {
      const offset = frame.address(code, access, start + i * spot.stride);
      code.get(target).memoryLane('v128.load32_lane', offset, i).set(target);
    }
    return;
  }
  code.set(target);
}

function emitLoadWide(code: Code, out: Lanes, spot: Spot, steps: number): void {
  const { frame, access, start, stride } = spot;
  mapParts(code, out, (i) => {
    if (steps === 0) code.memory('v128.load64_splat', frame.address(code, access, start));
    else if (steps === 1) code.memory('v128.load', frame.address(code, access, start + i * 16));
    else if (steps === -1) {
      const target = part(out, i);
      code.memory('v128.load', frame.address(code, access, start - i * 16 - 8)).get(target).shuffle(reversedHalves);
    } else {
      const target = part(out, i);
      const first = start + 2 * i * stride;
      // Positions that do not exist repeat the first.
      code.memory('v128.load64_zero', frame.address(code, access, 2 * i < spot.active ? first : start)).set(target);
      const offset = frame.address(code, access, 2 * i + 1 < spot.active ? first + stride : start);
      code.get(target).memoryLane('v128.load64_lane', offset, 1);
    }
  });
}

function emitLoadNarrow(code: Code, dtype: Dtype, target: Local, spot: Spot, steps: number): void {
  const { frame, access, start, stride } = spot;
  const signed = dtype === 'int8';
  if (steps === 0) {
    code.memory(signed ? 'i32.load8_s' : 'i32.load8_u', frame.address(code, access, start)).op('i32x4.splat');
  } else if (steps === 1) {
    code.memory('v128.load32_zero', frame.address(code, access, start));
    code.op(signed ? 'i16x8.extend_low_i8x16_s' : 'i16x8.extend_low_i8x16_u');
    code.op(signed ? 'i32x4.extend_low_i16x8_s' : 'i32x4.extend_low_i16x8_u');
  } else {
    code.get(code.constant(splatBytes(0, 'int32')));
    for (let i = 0; i < spot.active; i++) {
      code.memory(signed ? 'i32.load8_s' : 'i32.load8_u', frame.address(code, access, start + i * stride)).lane('i32x4.replace_lane', i);
    }
  }
  if (dtype === 'bool') code.op('i32x4.neg');
  code.set(target);
}

/** Puts the values on the stack in the form in which memory holds them. */
function emitStored(code: Code, dtype: Dtype, value: Local): void {
  code.get(value);
  if (dtype === 'bool') code.op('i32x4.neg');
}

export function emitStore(code: Code, dtype: Dtype, value: Lanes, spot: Spot): void {
  const { frame, access, start, stride, active } = spot;
  const contiguous = stride === bytesOf(dtype);
  if (isWide(dtype)) {
    for (let i = 0; i < 2 && 2 * i < active; i++) {
      if (contiguous && 2 * i + 1 < active) {
        const offset = frame.address(code, access, start + 16 * i);
        code.get(part(value, i)).memory('v128.store', offset);
        continue;
      }
      for (let j = 0; j < 2 && 2 * i + j < active; j++) {
        const offset = frame.address(code, access, start + (2 * i + j) * stride);
        code.get(part(value, i)).memoryLane('v128.store64_lane', offset, j);
      }
    }
    return;
  }
  const source = at(value, 0);
  const narrow = bytesOf(dtype) === 1;
  if (contiguous && active === 4) {
    const offset = frame.address(code, access, start);
    emitStored(code, dtype, source);
    if (narrow) code.get(source).shuffle([0, 4, 8, 12, 0, 4, 8, 12, 0, 4, 8, 12, 0, 4, 8, 12]).memoryLane('v128.store32_lane', offset, 0);
    else code.memory('v128.store', offset);
    return;
  }
  for (let i = 0; i < active; i++) {
    const offset = frame.address(code, access, start + i * stride);
    emitStored(code, dtype, source);
    code.memoryLane(narrow ? 'v128.store8_lane' : 'v128.store32_lane', offset, narrow ? 4 * i : i);
  }
}

/**
 * A load that is real only where `mask` holds; `fill` elsewhere. Memory near the mask's positions exists, so a group
 * that has one real position is loaded whole where it is contiguous, and position by position where it is not.
 */
export function emitMaskedLoad(code: Code, dtype: Dtype, out: Lanes, spot: Spot, mask: Local, fill: Lanes): void {
  const steps = spot.stride / bytesOf(dtype);
  if (Math.abs(steps) <= 1) {
    code.get(mask).op('v128.any_true').if();
    emitLoad(code, dtype, out, spot);
    mapParts(code, out, (i) => {
      code.get(part(out, i)).get(part(fill, i)).get(mask);
      if (isWide(dtype)) code.op(i === 0 ? 'i64x2.extend_low_i32x4_s' : 'i64x2.extend_high_i32x4_s');
      code.op('v128.bitselect');
    });
    code.else();
    mapParts(code, out, (i) => code.get(part(fill, i)));
    code.end();
    return;
  }
  mapParts(code, out, (i) => code.get(part(fill, i)));
  for (let i = 0; i < spot.active; i++) {
    code.get(mask).lane('i32x4.extract_lane', i).if();
    const address = spot.frame.address(code, spot.access, spot.start + i * spot.stride);
    emitLoadLane(code, dtype, out, i, address);
    code.end();
  }
}

/** out[lane] = the element at the address on the stack plus `offset`. */
export function emitLoadLane(code: Code, dtype: Dtype, out: Lanes, lane: number, offset: number): void {
  if (isWide(dtype)) {
    const target = part(out, lane >> 1);
    code.get(target).memoryLane('v128.load64_lane', offset, lane & 1).set(target);
    return;
  }
  const target = at(out, 0);
  if (bytesOf(dtype) === 4) {
    code.get(target).memoryLane('v128.load32_lane', offset, lane).set(target);
    return;
  }
  const value = code.local('i32');
  code.memory(dtype === 'int8' ? 'i32.load8_s' : 'i32.load8_u', offset);
  if (dtype === 'bool') code.set(value).i32(0).get(value).op('i32.sub');
  code.set(value).get(target).get(value).lane('i32x4.replace_lane', lane).set(target);
  code.release(value);
}

/** Copies a value: the same lanes in other locals. */
export function emitCopy(code: Code, out: Lanes, value: Lanes): void {
  mapParts(code, out, (i) => code.get(part(value, i)));
}
