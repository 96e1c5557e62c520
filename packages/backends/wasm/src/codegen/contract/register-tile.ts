// Register tiles whose size follows the shape: how rows and columns are cut into tiles, and one step of products.
import type { Code, Local } from '../../assembler/code.ts';
import { at } from '../at.ts';
import { makeLocals, releaseLocals } from './emit-for.ts';
import { vectorRegisters, type Tile } from './micro.ts';

/** A cut of a length into parts of nearly equal size, longer ones first. */
export interface Cut {
  readonly size: number;
  readonly count: number;
}

export function cutInto(length: number, parts: number): Cut[] {
  const size = Math.floor(length / parts);
  const longer = length - size * parts;
  return [{ size: size + 1, count: longer }, { size, count: parts - longer }].filter(({ count }) => count > 0);
}

/** Cuts of rows and of vectors that make register tiles. */
export interface Tiling {
  readonly rows: readonly Cut[];
  readonly vectors: readonly Cut[];
}

/** A step's operands that stay in registers (of the shorter side), and how many of the others come between two branches. */
function flowOf(rows: number, vectors: number): { readonly held: number; readonly streamed: number; readonly together: number } {
  const [held, streamed] = [Math.min(rows, vectors), Math.max(rows, vectors)];
  return { held, streamed, together: vectorRegisters - 1 - rows * vectors - held };
}

/** Cycles of one step of k: two pipes for products and two for sums, four cycles for a sum, six instructions a cycle. */
function cyclesOf(rows: number, vectors: number, { fused, split }: Tile): number {
  const { held, streamed, together } = flowOf(rows, vectors);
  const instructions = held + streamed + rows * vectors * (fused ? 1 : 2) + (split ? Math.ceil(streamed / together) : 0);
  return Math.max((rows * vectors) / 2, fused ? 4 : 3, instructions / 6);
}

/** The cut with the least estimated time, of vectors in units of `width`, which share one register. */
export function chooseTiling(rows: number, vectors: number, tile: Tile, width: number): Tiling {
  const units = Math.ceil(vectors / width);
  let best: { readonly tiling: Tiling; readonly cycles: number } | undefined;
  for (let rowParts = 1; rowParts <= rows; rowParts++) {
    for (let parts = 1; parts <= units; parts++) {
      const tiling = { rows: cutInto(rows, rowParts), vectors: cutInto(units, parts) };
      const tiles = tiling.rows.flatMap((row) => tiling.vectors.map((part) => ({ height: row.size, width: part.size, count: row.count * part.count })));
      if (tiles.some((one) => flowOf(one.height, one.width).together < 1)) continue;
      const cycles = tiles.reduce((sum, one) => sum + one.count * cyclesOf(one.height, one.width, tile), 0);
      if (best === undefined || cycles < best.cycles) best = { tiling, cycles };
    }
  }
  const { rows: heights, vectors: widths } = best?.tiling ?? { rows: cutInto(rows, rows), vectors: cutInto(units, units) };
  return { rows: heights, vectors: shorten(widths.map(({ size, count }) => ({ size: size * width, count })), units * width - vectors) };
}

/** The cut with its last part shorter by some positions. */
function shorten(cuts: readonly Cut[], by: number): Cut[] {
  const last = cuts.at(-1);
  if (by === 0 || last === undefined) return [...cuts];
  return [...cuts.slice(0, -1), { ...last, count: last.count - 1 }, { size: last.size - by, count: 1 }].filter(({ count }) => count > 0);
}

/** One vector register's worth of sums for each row and column, row by row. */
export interface RegisterTile {
  readonly sums: readonly Local[];
  readonly height: number;
  readonly width: number;
}

/** How a step gets its operands; `branch` leaves the tile on a condition that never holds and is different each time. */
export interface StepOperands {
  row(target: Local, row: number): void;
  column(target: Local, column: number): void;
  branch(): void;
}

/** sums += rows · columns. The operands of the shorter side stay in registers, those of the other come one by one. */
export function emitStep(code: Code, { fused, split }: Tile, { sums, height, width }: RegisterTile, operands: StepOperands): void {
  const [rows, columns] = [makeLocals(code, 'v128', height), makeLocals(code, 'v128', width)];
  const multiply = (row: number, column: number) => {
    const sum = at(sums, row * width + column);
    code.get(at(rows, row)).get(at(columns, column));
    if (fused) code.get(sum).op('f32x4.relaxed_madd');
    else code.op('f32x4.mul').get(sum).op('f32x4.add');
    code.set(sum);
  };
  const byRows = height >= width;
  if (byRows) columns.forEach((column, i) => operands.column(column, i));
  else rows.forEach((row, i) => operands.row(row, i));
  const { streamed, together } = flowOf(height, width);
  for (let i = 0; i < streamed; i++) {
    if (byRows) {
      operands.row(at(rows, i), i);
      columns.forEach((_, column) => multiply(i, column));
    } else {
      operands.column(at(columns, i), i);
      rows.forEach((_, row) => multiply(row, i));
    }
    // As in the micro-kernels: the compiler hoists no load over a branch, and so spills none.
    if (split && (i === streamed - 1 || (i + 1) % Math.max(1, together) === 0)) operands.branch();
  }
  releaseLocals(code, [...rows, ...columns]);
}
