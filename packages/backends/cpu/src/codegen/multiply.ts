// The inner part of contractions: blocks of Σ_k a[m, k] · b[n, k] through packed panels, or directly where one side
// is a vector. Rows and columns are given as tables of element offsets, so every view of an operand costs the same.
// The sum over k starts at 0 and runs in order, in float64 for floats (rounded once at the end), in int32 else.
import type { Dtype } from '@athanor/core/backend';

/** Rows and columns of one block of sums: what callers tile the product into. */
export const block = { rows: 256, columns: 128 } as const;

const depth = 256;
const tile = { rows: 2, columns: 4 } as const;

/** An operand: memory, first element, offsets of its rows and of the positions of k. */
type Operand = readonly [memory: ArrayLike<number>, start: number, rows: Int32Array, depths: Int32Array];

/**
 * Writes the products of rows m0 … m1 − 1 of `a` with rows n0 … n1 − 1 of `b` into sums[(m − m0) · block.columns + n − n0].
 * `sums` has room for block.rows × block.columns.
 */
export type Multiply = (
  ...blockOfOperands: readonly [
    ...a: Operand,
    ...b: Operand,
    sums: Float64Array | Int32Array,
    m0: number,
    m1: number,
    n0: number,
    n1: number,
  ]
) => void;

interface Arithmetic {
  readonly packed: 'Float64Array' | 'Int32Array';
  /** Text of sum + a · b. */
  readonly step: (sum: string, a: string, b: string) => string;
}

const arithmetic = {
  float: { packed: 'Float64Array', step: (sum, a, b) => `${sum} + ${a} * ${b}` },
  integer: { packed: 'Int32Array', step: (sum, a, b) => `(${sum} + Math.imul(${a}, ${b})) | 0` },
  bits: { packed: 'Int32Array', step: (sum, a, b) => `(${sum} + populationCount(${a} ^ ${b})) | 0` },
} as const satisfies Record<string, Arithmetic>;

/** One function per kind of operand, so that each sees one class of arrays only. */
export function multiplyFunctions(populationCount: (x: number) => number) {
  const make = (kind: Arithmetic): Multiply => new Function('populationCount', source(kind))(populationCount) as Multiply;
  return {
    float32: make(arithmetic.float),
    float64: make(arithmetic.float),
    int8: make(arithmetic.integer),
    int32: make(arithmetic.integer),
    bits: make(arithmetic.bits),
  } as const;
}

export type MultiplyName = keyof ReturnType<typeof multiplyFunctions>;

export function multiplyName(dtype: Dtype, combine: 'multiply-add' | 'xor-popcount'): MultiplyName | undefined {
  if (combine === 'xor-popcount') return 'bits';
  return dtype === 'float32' || dtype === 'float64' || dtype === 'int8' || dtype === 'int32' ? dtype : undefined;
}

const times = (count: number, text: (i: number) => string): string => Array.from({ length: count }, (_, i) => text(i)).join('\n');

function source({ packed, step }: Arithmetic): string {
  const { rows: R, columns: C } = tile;
  const accumulators = (text: (r: number, c: number) => string) => times(R, (r) => times(C, (c) => text(r, c)));
  return `'use strict';
const rowPanel = new ${packed}(${R * depth}), columnPanels = new ${packed}(${block.columns * depth});

function pack(x, start, rows, depths, first, last, k0, k1, width, panels, at) {
  for (let row = first; row < last; row += width) {
    for (let j = 0; j < width; j++) {
      let out = (at + j) | 0;
      if (row + j >= last) { for (let k = k0; k < k1; k++, out += width) panels[out] = 0; continue; }
      const from = (start + rows[row + j]) | 0;
      for (let k = k0; k < k1; k++, out += width) panels[out] = x[from + depths[k]];
    }
    at += (k1 - k0) * width;
  }
}

function tiles(count, columns, sums, at) {
  for (let column = 0, b = 0; column < columns; column += ${C}) {
    ${accumulators((r, c) => `let s${r}${c} = sums[at + column + ${r * block.columns + c}];`)}
    for (let k = 0, a = 0; k < count; k++, a += ${R}, b += ${C}) {
      ${times(C, (c) => `const b${c} = columnPanels[b + ${c}];`)}
      ${times(R, (r) => `const a${r} = rowPanel[a + ${r}];`)}
      ${accumulators((r, c) => `s${r}${c} = ${step(`s${r}${c}`, `a${r}`, `b${c}`)};`)}
    }
    ${accumulators((r, c) => `sums[at + column + ${r * block.columns + c}] = s${r}${c};`)}
  }
}

function direct(x, xStart, xRows, xDepths, y, yStart, yRows, yDepths, sums, x0, x1, y0, y1, xStep, yStep) {
  const count = xDepths.length, end = y1 - (y1 - y0) % 4;
  for (let row = x0; row < x1; row++) {
    const x0Start = (xStart + xRows[row]) | 0;
    let at = (row - x0) * xStep;
    for (let j = y0; j < end; j += 4) {
      ${times(4, (c) => `const y${c}Start = (yStart + yRows[j + ${c}]) | 0; let s${c} = 0;`)}
      for (let k = 0; k < count; k++) {
        const a = x[x0Start + xDepths[k]], from = yDepths[k];
        ${times(4, (c) => `s${c} = ${step(`s${c}`, 'a', `y[y${c}Start + from]`)};`)}
      }
      ${times(4, (c) => `sums[at] = s${c}; at += yStep;`)}
    }
    for (let j = end; j < y1; j++) {
      const y0Start = (yStart + yRows[j]) | 0;
      let s0 = 0;
      for (let k = 0; k < count; k++) s0 = ${step('s0', 'x[x0Start + xDepths[k]]', 'y[y0Start + yDepths[k]]')};
      sums[at] = s0;
      at += yStep;
    }
  }
}

return function multiply(a, aStart, aRows, aDepths, b, bStart, bRows, bDepths, sums, m0, m1, n0, n1) {
  const rows = m1 - m0, columns = n1 - n0;
  if (rows < ${R} || columns < ${C}) {
    if (rows <= columns) direct(a, aStart, aRows, aDepths, b, bStart, bRows, bDepths, sums, m0, m1, n0, n1, ${block.columns}, 1);
    else direct(b, bStart, bRows, bDepths, a, aStart, aRows, aDepths, sums, n0, n1, m0, m1, 1, ${block.columns});
    return;
  }
  sums.fill(0, 0, (rows + rows % 2) * ${block.columns});
  for (let k0 = 0; k0 < aDepths.length; k0 += ${depth}) {
    const k1 = Math.min(k0 + ${depth}, aDepths.length);
    pack(b, bStart, bRows, bDepths, n0, n1, k0, k1, ${C}, columnPanels, 0);
    for (let m = m0; m < m1; m += ${R}) {
      pack(a, aStart, aRows, aDepths, m, Math.min(m + ${R}, m1), k0, k1, ${R}, rowPanel, 0);
      tiles(k1 - k0, columns, sums, (m - m0) * ${block.columns});
    }
  }
};`;
}
