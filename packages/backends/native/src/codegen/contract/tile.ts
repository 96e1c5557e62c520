// The innermost part of a contraction: a tile of sums in registers over a stretch of depth. Kernels of one file share it.
import { createHash } from 'node:crypto';
import type { Combine } from '@athanor/core/backend';
import { call, type Register } from '../text.ts';

export interface Tile {
  readonly height: number;
  /** Vectors of columns. */
  readonly width: number;
  readonly combine: Combine;
  readonly register: Register;
  /** Type of sums and packed elements. */
  readonly element: string;
  readonly lanes: number;
  /** Columns are packed, or read in place with one stride, or with a table of offsets along depth. */
  readonly columns: Access;
  readonly rows: Access;
  /** Distances of rows that are read in place. */
  readonly rowPattern: readonly number[];
}

export type Access = 'packed' | 'strided' | 'listed';

export function tileName({ height, width, combine, register, lanes, columns, rows, rowPattern }: Tile): string {
  const places = rows === 'packed' ? '' : `_${createHash('sha256').update(rowPattern.join()).digest('hex').slice(0, 8)}`;
  return `tile_${height}_${width}_${rows}_${columns}_${combine === 'xor-popcount' ? 'xor' : register}_${lanes}${places}`;
}

const list = <T>(count: number, make: (i: number) => T): T[] => Array.from({ length: count }, (_, i) => make(i));

/**
 * `tile(rows, row_stride, row_depths, columns, offsets, stride, depths, start, end, sums)`: depth positions start … end − 1
 * are added up from 0, then to the sums, or stored if start is 0. Packed operands begin at `start`; columns in place lie
 * at `offsets`, one for each vector.
 */
export function tileFunction(tile: Tile): string {
  const { height, width, register, element, lanes, columns, rows, rowPattern } = tile;
  const vector = `${register}_${lanes}`;
  const load = `load_${register}`;
  const sum = (row: number, column: number): string => `c${row}_${column}`;
  const each = (make: (row: number, column: number) => string): string => list(height, (row) => list(width, (column) => make(row, column)).join(' ')).join('\n');
  const zeros = list(height, (row) => list(width, (column) => `${sum(row, column)} = ${call(`splat_${register}`, lanes, '0')}`).join(', '));
  const packed = columns === 'packed';
  const starts = packed ? [] : list(width, (column) => `const ${element} *columns${column} = columns + offsets[${column}]${columns === 'strided' ? ' + start * stride' : ''};`);
  const loads = list(width, (column) => {
    const at = packed ? `columns + ${column * lanes}` : `columns${column}${columns === 'listed' ? ' + offset' : ''}`;
    return `const ${vector} y${column} = ${call(load, lanes, at)};`;
  });
  const steps = list(height, (row) => {
    const terms = list(width, (column) => `${sum(row, column)} = ${step(tile, sum(row, column), 'x', `y${column}`)};`);
    return `{ const ${vector} x = ${call(`splat_${register}`, lanes, rows === 'packed' ? `rows[${row}]` : `row[${rowPattern[row] ?? 0}]`)}; ${terms.join(' ')} }`;
  });
  const advance = { packed: `columns += ${width * lanes};`, strided: list(width, (column) => `columns${column} += stride;`).join(' '), listed: '' }[columns];
  const advanceRows = { packed: `rows += ${height};`, strided: 'row += row_stride;', listed: '' }[rows];
  const place = (row: number, column: number): string => `sums + ${(row * width + column) * lanes}`;
  const store = (row: number, column: number, value: string): string => `${call(`store_${register}`, lanes, place(row, column), value)};`;
  return `OUTLINE void ${tileName(tile)}(const ${element} *rows, int64_t row_stride, const int32_t *row_depths, const ${element} *columns, const int64_t *offsets, int64_t stride, const int32_t *depths, int64_t start, int64_t end, ${element} *sums) {
${starts.join('\n')}
${rows === 'strided' ? `const ${element} *row = rows + start * row_stride;` : ''}
${vector} ${zeros.join(',\n')};
for (int64_t k = start; k < end; k++) {
${columns === 'listed' ? 'const int64_t offset = depths[k];' : ''}
${rows === 'listed' ? `const ${element} *const row = rows + row_depths[k];` : ''}
${loads.join('\n')}
${steps.join('\n')}
${advanceRows} ${advance}
}
if (start == 0) {
${each((row, column) => store(row, column, sum(row, column)))}
} else {
${each((row, column) => store(row, column, `${call(load, lanes, place(row, column))} + ${sum(row, column)}`))}
}
}
`;
}

function step({ combine, register, lanes }: Tile, sum: string, x: string, y: string): string {
  if (combine === 'xor-popcount') return `${sum} + ${call('popcount_i32', lanes, `${x} ^ ${y}`)}`;
  return register === 'i32' ? `${sum} + ${x} * ${y}` : call(`fma_${register}`, lanes, x, y, sum);
}
