// Tables as files: CSV (RFC 4180), Arrow IPC, Parquet.
import { Float64, Int32, Table, Utf8, tableToIPC, vectorFromArray } from 'apache-arrow';
import { parquetWriteBuffer } from 'hyparquet-writer';
import type { Column, ExportTable } from './table.ts';

/** A table in one of the formats. */
export type TableWriter = (table: ExportTable) => string | Uint8Array;

/** Formats of tables, by the ending of their files. */
export const tableWriters = {
  parquet: writeParquet,
  csv: writeCsv,
  arrow: writeArrow,
} as const satisfies Record<string, TableWriter>;

/** A header, then a line a row; what is absent is empty, what is no finite number is `NaN`, `Infinity`, `-Infinity`. */
export function writeCsv({ columns, length }: ExportTable): string {
  const lines = [columns.map(({ name }) => field(name)).join(',')];
  for (let row = 0; row < length; row++) lines.push(columns.map(({ cells }) => field(cells[row] ?? null)).join(','));
  return `${lines.join('\n')}\n`;
}

function field(cell: string | number | null): string {
  const text = cell === null ? '' : String(cell);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** An Arrow IPC file (Feather version 2): texts as Utf8, whole numbers as Int32, numbers as Float64. */
export function writeArrow({ columns }: ExportTable): Uint8Array {
  return tableToIPC(new Table(Object.fromEntries(columns.map((column) => [column.name, arrowVector(column)]))), 'file');
}

function arrowVector(column: Column) {
  switch (column.type) {
    case 'text':
      return vectorFromArray(column.cells, new Utf8());
    case 'integer':
      return vectorFromArray(column.cells, new Int32());
    case 'number':
      return vectorFromArray(column.cells, new Float64());
  }
}

const parquetTypes = { text: 'STRING', integer: 'INT32', number: 'DOUBLE' } as const;

/** A Parquet file, compressed by Snappy. */
export function writeParquet({ columns }: ExportTable): Uint8Array {
  const columnData = columns.map(({ name, type, cells }) => ({ name, type: parquetTypes[type], data: [...cells], nullable: cells.includes(null as never) }));
  return new Uint8Array(parquetWriteBuffer({ columnData }));
}
