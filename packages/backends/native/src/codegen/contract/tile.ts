// The innermost part of a contraction: a tile of sums in registers over a stretch of depth.
import type { Combine } from '@athanor/core/backend';
import { call, type Register } from '../text.ts';
import type { Depth, Operand } from './operand.ts';

export interface TileShape {
  readonly height: number;
  /** Vectors of columns. */
  readonly width: number;
}

export interface TileContext {
  readonly combine: Combine;
  readonly register: Register;
  readonly element: string;
  readonly lanes: number;
  /** Rows of the packed panel, of which a tile may use fewer. */
  readonly packedHeight: number;
  /** Vectors of a full panel: the distance of its rows, and of rows of sums. */
  readonly panelWidth: number;
  /** Where columns are read in place: their operand and depth; undefined if they are packed. */
  readonly direct: { readonly operand: Operand; readonly depth: Depth } | undefined;
}

export function tileName({ height, width }: TileShape): string {
  return `KERNEL(tile_${height}_${width})`;
}

const list = <T>(count: number, make: (i: number) => T): T[] => Array.from({ length: count }, (_, i) => make(i));

/**
 * `tile_<height>_<width>(rows, columns, offsets, start, end, sums, fresh)`: depth positions start … end − 1, added up
 * from 0, then to the sums (or stored, if they are fresh). Packed operands begin at `start`.
 */
export function tileFunction(shape: TileShape, context: TileContext): string {
  const { height, width } = shape;
  const { register, element, lanes, packedHeight, panelWidth, direct } = context;
  const vector = `${register}_${lanes}`;
  const source = direct?.operand.element ?? element;
  const sum = (row: number, column: number): string => `c${row}_${column}`;
  const each = (make: (row: number, column: number) => string): string => list(height, (row) => list(width, (column) => make(row, column)).join(' ')).join('\n');
  const zero = call(`splat_${register}`, lanes, '0');
  const loads =
    direct === undefined
      ? list(width, (column) => `const ${vector} y${column} = ${call(`load_${register}`, lanes, `columns + ${column * lanes}`)};`)
      : [`const int64_t offset = ${direct.depth.offset('k')};`, ...list(width, (column) => `const ${vector} y${column} = ${call(`load_${direct.operand.suffix}`, lanes, `columns${column} + offset`)};`)];
  const starts = direct === undefined ? [] : list(width, (column) => `const ${source} *const columns${column} = columns + offsets[${column}];`);
  const steps = list(height, (row) => {
    const terms = list(width, (column) => `${sum(row, column)} = ${step(context, sum(row, column), 'x', `y${column}`)};`);
    return `{ const ${vector} x = ${call(`splat_${register}`, lanes, `rows[${row}]`)}; ${terms.join(' ')} }`;
  });
  const place = (row: number, column: number): string => `sums + ${(row * panelWidth + column) * lanes}`;
  return `static void ${tileName(shape)}(const ${element} *rows, const ${source} *columns, const int64_t *offsets, int64_t start, int64_t end, ${element} *sums, int fresh) {
${starts.join('\n')}
${vector} ${list(height, (row) => list(width, (column) => `${sum(row, column)} = ${zero}`).join(', ')).join(',\n')};
for (int64_t k = start; k < end; k++) {
${loads.join('\n')}
${steps.join('\n')}
rows += ${packedHeight};
${direct === undefined ? `columns += ${panelWidth * lanes};` : ''}
}
if (fresh) {
${each((row, column) => `${call(`store_${register}`, lanes, place(row, column), sum(row, column))};`)}
} else {
${each((row, column) => `${call(`store_${register}`, lanes, place(row, column), `${call(`load_${register}`, lanes, place(row, column))} + ${sum(row, column)}`)};`)}
}
}
`;
}

function step({ combine, register, lanes }: TileContext, sum: string, x: string, y: string): string {
  if (combine === 'xor-popcount') return `${sum} + ${call('popcount_i32', lanes, `${x} ^ ${y}`)}`;
  return register === 'i32' ? `${sum} + ${x} * ${y}` : call(`fma_${register}`, lanes, x, y, sum);
}
