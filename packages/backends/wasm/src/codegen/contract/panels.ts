// A matrix product of packed panels: as many calls of micro-kernels as the rows of its panels need.
import type { Code, Local } from '../../assembler/code.ts';
import { at } from '../at.ts';
import { emitFor } from './emit-for.ts';
import { columnsOf, microIndex, panelRows, tileHeights, type Tile } from './micro.ts';

interface Product {
  /** Panels of rows [panel][depth][panelRows], of columns [panel][depth][columns of the tile], and the result [row][column]. */
  readonly a: Local;
  readonly b: Local;
  readonly c: Local;
  readonly rows: number;
  readonly depth: number | Local;
  /** Whole panels of them. */
  readonly columns: number;
  /** Pushes whether to add to the result. */
  readonly adds?: () => void;
}

/** Emits c (+)= a · b; leaves `a` and `c` behind the last panel. */
export function emitPanels(code: Code, product: Product, { micro, tile }: { readonly micro: readonly number[]; readonly tile: Tile }): void {
  const { a, b, c, rows, depth, columns, adds } = product;
  const pushDepth = () => (typeof depth === 'number' ? code.i32(depth) : code.get(depth));
  const panel = (height: number) => {
    let first = 0;
    for (const group of tileHeights(height, tile)) {
      code.get(a).i32(first * 4).op('i32.add').get(b).get(c).i32(first * columns * 4).op('i32.add');
      pushDepth();
      code.i32(columns / columnsOf(tile)).i32(group.count).i32(columns * 4);
      if (adds === undefined) code.i32(0);
      else adds();
      code.call(at(micro, microIndex(tile, group.rows, false)));
      first += group.count * group.rows;
    }
    code.get(a);
    pushDepth();
    code.i32(panelRows * 4).op('i32.mul').op('i32.add').set(a);
    code.advance(c, panelRows * columns * 4);
  };
  const whole = Math.floor(rows / panelRows);
  if (whole > 0) emitFor(code, whole, () => panel(panelRows));
  if (rows % panelRows > 0) panel(rows % panelRows);
}
