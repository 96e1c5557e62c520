// Affine index arithmetic over the loops of a kernel under construction.
import type { Node } from '../graph/node.ts';
import type { Affine, Guard } from '../kernel/ir.ts';

/** Thrown when an expression cannot be part of a kernel: it must be materialised, or another kernel tried. Not an Error: it is control flow, and often. */
export class Unfusable {
  readonly reason: string;
  /** The view whose index is not affine. */
  culprit: Node | undefined;

  constructor(reason: string) {
    this.reason = reason;
  }
}

/** Thrown to ask that a loop be split so that its inner part has `inner` positions. */
export class Refine {
  readonly loop: number;
  readonly inner: number;
  /** The view that needs the split; of a chain of views, the one that is used. */
  culprit: Node | undefined;

  constructor(loop: number, inner: number) {
    this.loop = loop;
    this.inner = inner;
  }
}

export function fixed(offset: number, loops: number): Affine {
  return { offset, strides: new Array<number>(loops).fill(0) };
}

/** a · x + b */
export function scaleShift(x: Affine, a: number, b: number): Affine {
  if (a === 1 && b === 0) return x;
  return { offset: a * x.offset + b, strides: a === 1 ? x.strides : x.strides.map((stride) => a * stride) };
}

export function add(x: Affine, y: Affine): Affine {
  return { offset: x.offset + y.offset, strides: x.strides.map((stride, i) => stride + (y.strides[i] ?? 0)) };
}

export function sameAffine(x: Affine, y: Affine): boolean {
  if (x.offset !== y.offset) return false;
  for (let i = 0; i < x.strides.length; i++) if (x.strides[i] !== y.strides[i]) return false;
  return true;
}

/** Smallest and largest value over all loop positions. */
export function bounds(x: Affine, loops: readonly number[]): { low: number; high: number } {
  let low = x.offset;
  let high = x.offset;
  for (let i = 0; i < loops.length; i++) {
    const reach = (x.strides[i] ?? 0) * ((loops[i] ?? 1) - 1);
    if (reach > 0) high += reach;
    else low += reach;
  }
  return { low, high };
}

/** Row-major position in a tensor of these strides. */
export function linear(index: readonly Affine[], strides: readonly number[], loops: number): Affine {
  let offset = 0;
  const out = new Array<number>(loops).fill(0);
  for (let axis = 0; axis < index.length; axis++) {
    const part = index[axis];
    const scale = strides[axis] ?? 0;
    if (part === undefined || scale === 0) continue;
    offset += scale * part.offset;
    for (let i = 0; i < loops; i++) {
      const stride = part.strides[i] ?? 0;
      if (stride !== 0) out[i] = (out[i] ?? 0) + scale * stride;
    }
  }
  return { offset, strides: out };
}

/** Quotient and remainder of x by a divisor, if both are affine; asks for a loop split where that helps. */
function divide(x: Affine, divisor: number, loops: readonly number[]): { quotient: Affine; remainder: Affine } {
  if (divisor === 1) return { quotient: x, remainder: fixed(0, loops.length) };
  const quotient = new Array<number>(loops.length).fill(0);
  const remainder = new Array<number>(loops.length).fill(0);
  for (let i = 0; i < loops.length; i++) {
    const stride = x.strides[i] ?? 0;
    const size = loops[i] ?? 1;
    if (stride === 0) continue;
    if (stride % divisor === 0) {
      quotient[i] = stride / divisor;
    } else if (Math.abs(stride) * (size - 1) < divisor) {
      remainder[i] = stride;
    } else {
      const inner = divisor / Math.abs(stride);
      if (Number.isInteger(inner) && size % inner === 0) throw new Refine(i, inner);
      throw new Unfusable(`stride ${stride} does not divide by ${divisor}`);
    }
  }
  const offset = Math.floor(x.offset / divisor);
  const rest = { offset: x.offset - offset * divisor, strides: remainder };
  const range = bounds(rest, loops);
  if (range.low >= 0 && range.high < divisor) return { quotient: { offset, strides: quotient }, remainder: rest };
  // A flipped axis: bring the remainder back into range by moving whole divisors.
  const shift = Math.floor(range.low / divisor);
  const moved = { offset: rest.offset - shift * divisor, strides: remainder };
  if (range.high - shift * divisor < divisor) return { quotient: { offset: offset + shift, strides: quotient }, remainder: moved };
  throw new Unfusable('remainder runs over its axis');
}

/** Index of each axis of `shape` from a row-major position. */
export function unravel(position: Affine, shape: readonly number[], loops: readonly number[]): Affine[] {
  const out = new Array<Affine>(shape.length);
  let rest = position;
  for (let axis = shape.length - 1; axis > 0; axis--) {
    const { quotient, remainder } = divide(rest, shape[axis] ?? 1, loops);
    out[axis] = remainder;
    rest = quotient;
  }
  if (shape.length > 0) out[0] = rest;
  return out;
}

/** True where the guard holds at every loop position. */
export function alwaysInside(guard: Guard, loops: readonly number[]): boolean {
  const { low, high } = bounds(guard.index, loops);
  return low >= 0 && high < guard.size;
}
