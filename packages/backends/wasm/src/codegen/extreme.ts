// Maxima and minima of float32 along the vector loop. The engine's own f32x4.max takes nine machine instructions to carry
// NaN and to put +0 above −0; here a step takes the larger operand in one, and notes apart whether there was a NaN and
// what signs there were, which settle the result once at the end.
import type { Dtype, ReduceCombine } from '@athanor/core/backend';
import type { Code, Local } from '../assembler/code.ts';
import { at } from './at.ts';
import { constantLanes, emitPick, identityOf, splatBytes, type Lanes } from './lanes.ts';

/** Whether a reduction is one of these. */
export const isExtreme = (combine: ReduceCombine, dtype: Dtype): boolean => dtype === 'float32' && (combine === 'max' || combine === 'min');

/** Several accumulators share notes, neighbours have different ones: engines that join vectors join these too. */
const sharing = 2;
/** Vectors of notes that the accumulators of one reduction have together. */
export const extremeNotes = 2 * sharing;
/** An accumulator's parts: the extreme so far, all bits where there was a NaN, the signs of all operands. */
const [nanPart, signPart] = [1, 2];

/** Accumulators of three parts before their first operands. */
export function startExtremes(code: Code, combine: ReduceCombine, count: number): Lanes[] {
  const start = (value: number, dtype: 'int32' | 'float32'): Local => {
    const local = code.local('v128');
    code.get(code.constant(splatBytes(value, dtype))).set(local);
    return local;
  };
  // A maximum keeps the signs that all operands have (and), a minimum those that any has (or).
  const notes = Array.from({ length: sharing }, () => [start(0, 'int32'), start(combine === 'max' ? -1 : 0, 'int32')]);
  return Array.from({ length: count }, (_, i) => [start(identityOf(combine, 'float32'), 'float32'), ...at(notes, i % sharing)]);
}

/** One step: the larger (smaller) of an accumulator and x. */
export function emitExtreme(code: Code, combine: ReduceCombine, accumulator: Lanes, x: Lanes): void {
  const [value, nan, sign] = [at(x, 0), at(accumulator, nanPart), at(accumulator, signPart)];
  joinExtremes(code, combine, accumulator, x);
  code.get(nan).get(value).get(value).op('f32x4.ne').op('v128.or').set(nan);
  code.get(sign).get(value).op(combine === 'max' ? 'v128.and' : 'v128.or').set(sign);
}

/** The larger (smaller) of two accumulators in the first; the second keeps its notes. */
export function joinExtremes(code: Code, combine: ReduceCombine, accumulator: Lanes, other: Lanes): void {
  emitPick(code, combine === 'max' ? 'pmax' : 'pmin', 'float32', accumulator.slice(0, 1), accumulator, other);
}

/** The bits of the result on the stack, when the extreme of all accumulators is in lane 0 of the first. */
export function emitSettled(code: Code, combine: ReduceCombine, accumulators: readonly Lanes[]): void {
  const noted = (part: number, op: 'v128.or' | 'v128.and'): void => {
    accumulators.slice(0, sharing).forEach((lanes, i) => {
      code.get(at(lanes, part));
      if (i > 0) code.op(op);
    });
  };
  const bits = code.local('i32');
  code.get(at(constantLanes(code, NaN, 'float32'), 0)).lane('i32x4.extract_lane', 0);
  // The sign that a zero has.
  noted(signPart, combine === 'max' ? 'v128.and' : 'v128.or');
  code.op('i32x4.bitmask').i32(combine === 'max' ? 15 : 0).op(combine === 'max' ? 'i32.eq' : 'i32.ne').i32(31).op('i32.shl');
  code.get(at(at(accumulators, 0), 0)).lane('i32x4.extract_lane', 0).tee(bits);
  code.get(bits).i32(1).op('i32.shl').op('i32.eqz').op('select');
  noted(nanPart, 'v128.or');
  code.op('v128.any_true').op('select');
  code.release(bits);
}
