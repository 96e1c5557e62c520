// Accumulators of a reduction along the vector loop: 32 logical lanes in groups of four, from the identity to one value.
import type { Dtype, Lowered, ReduceCombine } from '@athanor/core/backend';
import type { Code, Local } from '../assembler/code.ts';
import { at } from './at.ts';
import { emitExtreme, emitSettled, extremeNotes, isExtreme, joinExtremes, startExtremes } from './extreme.ts';
import { allocate, constantLanes, emitCombine, identityOf, isWide, mapParts, part, swapHalves, swapWords, upperFirst, type Lanes } from './lanes.ts';

export type Reduction = Pick<Extract<Lowered, { op: 'reduce' }>, 'combine' | 'dtype'>;

/** Groups of logical lanes. */
export const laneGroups = 8;

/** The first `count` groups of accumulators, holding the identity. */
export function startAccumulators(code: Code, { combine, dtype }: Reduction, count: number): Lanes[] {
  if (isExtreme(combine, dtype)) return startExtremes(code, combine, count);
  const identity = constantLanes(code, identityOf(combine, dtype), dtype);
  return Array.from({ length: count }, () => {
    const lanes = allocate(code, dtype);
    mapParts(code, lanes, (i) => code.get(part(identity, i)));
    return lanes;
  });
}

/** Takes x into an accumulator. */
export function emitStep(code: Code, { combine, dtype }: Reduction, accumulator: Lanes, x: Lanes): void {
  if (isExtreme(combine, dtype)) emitExtreme(code, combine, accumulator, x);
  else emitCombine(code, combine, dtype, accumulator, accumulator, x);
}

/** All locals of accumulators, part by part: those of one part are neighbours along the vector loop. */
function localsByPart(accumulators: readonly Lanes[]): Local[][] {
  return at(accumulators, 0).map((_, i) => [...new Set(accumulators.map((lanes) => at(lanes, i)))]);
}

function storeLocals(code: Code, locals: readonly Local[], offset: number): void {
  const places = locals.map((local, i) => ({ local, place: offset + 16 * i }));
  for (const { local, place } of upperFirst(places)) code.get(code.parameter(3)).get(local).memory('v128.store', place);
}

function loadLocals(code: Code, locals: readonly Local[], offset: number): void {
  locals.forEach((local, i) => code.get(code.parameter(3)).memory('v128.load', offset + 16 * i).set(local));
}

/** Stores accumulators side by side at an offset in scratch and loads them again: engines that join vectors begin with such stores. */
export function passAccumulators(code: Code, accumulators: readonly Lanes[], offset: number): void {
  for (const locals of localsByPart(accumulators)) {
    storeLocals(code, locals, offset);
    loadLocals(code, locals, offset);
  }
}

/** Bytes of scratch that `storeStart` fills for a reduction. */
export const startBytes = (reduction: Reduction): number => 16 * (laneGroups * (isWide(reduction.dtype) ? 2 : 1) + extremeNotes);

/** Puts what a reduction's accumulators start from into scratch, from where `loadStart` takes it. */
export function storeStart(code: Code, reduction: Reduction, offset: number): void {
  const accumulators = startAccumulators(code, reduction, laneGroups);
  const locals = localsByPart(accumulators).flat();
  storeLocals(code, locals, offset);
  for (const local of locals) code.release(local);
}

/**
 * Sets accumulators to what `storeStart` left in scratch. A constant is one value for all that start from it, and where
 * an engine joins some of them and not the others, it may spill that value at half its width (V8 13.6's re-vectorizer).
 */
export function loadStart(code: Code, accumulators: readonly Lanes[], offset: number): void {
  loadLocals(code, localsByPart(accumulators).flat(), offset);
}

/** Combines halves of all groups, then halves of the last, and gives the accumulators back. The result is in every lane. */
export function finishAccumulators(code: Code, { combine, dtype }: Reduction, accumulators: readonly Lanes[]): Lanes {
  const join = joiner(code, combine, dtype);
  for (let distance = laneGroups / 2; distance >= 1; distance /= 2) {
    for (let i = 0; i < distance && i + distance < accumulators.length; i++) join(at(accumulators, i), at(accumulators, i + distance));
  }
  const sum = at(accumulators, 0);
  const result = allocate(code, dtype);
  if (isWide(dtype)) {
    // Lane i with lane i + 2, then with lane i + 1.
    mapParts(code, result, (i) => code.get(part(sum, 1 - i)));
    join(sum, result);
    mapParts(code, result, (i) => code.get(part(sum, i)).get(part(sum, i)).shuffle(swapHalves));
    join(result, sum);
  } else {
    for (const order of [swapHalves, swapWords]) {
      mapParts(code, result, () => code.get(part(sum, 0)).get(part(sum, 0)).shuffle(order));
      join(sum, result);
    }
    // The engine joins 128-bit vectors of equal lanes where it sees that they are: otherwise it would join what made them.
    if (isExtreme(combine, dtype)) emitSettled(code, combine, accumulators);
    else code.get(part(sum, 0)).lane('i32x4.extract_lane', 0);
    code.op('i32x4.splat').set(part(result, 0));
  }
  for (const local of new Set(accumulators.flat())) code.release(local);
  return result;
}

/** x = the combination of x and y. */
function joiner(code: Code, combine: ReduceCombine, dtype: Dtype): (x: Lanes, y: Lanes) => void {
  if (isExtreme(combine, dtype)) return (x, y) => joinExtremes(code, combine, x, y);
  return (x, y) => emitCombine(code, combine, dtype, x, x, y);
}
