// Tables (CSV, TSV, Arrow IPC, Parquet) as data sets: number columns are the inputs, one column is the label.
import { UserError } from '@athanor/core';
import * as z from 'zod';
import { parseOptions } from '../config.ts';
import { createDataset, createSplits, measureStatistics, splitDataset } from '../dataset.ts';
import type { Dataset, DatasetSplits } from '../dataset.ts';
import { readCsv } from '../formats/csv.ts';
import { importOptional } from '../optional.ts';
import { exists, readFile, requireBuiltin } from '../platform.ts';

/** The content of a table's cell; null where it is empty. */
export type Cell = string | number | bigint | boolean | null;

/** Named columns of equal length. */
export interface Table {
  readonly name: string;
  readonly length: number;
  readonly columns: ReadonlyMap<string, readonly Cell[]>;
}

export const tableSchema = z.strictObject({
  file: z
    .string()
    .describe('a .csv, .tsv, .arrow, .feather or .parquet file, relative to the data folder or the working folder')
    .meta({ file: true }),
  label: z.string().describe('the column of classes'),
  features: z.array(z.string()).min(1).optional().describe('the input columns; default: all but the label'),
  testFraction: z.number().gt(0).lt(1).default(0.2).describe('share of the rows that become the test part, stratified'),
  seed: z.int().min(0).default(0).describe('chooses the test rows'),
});

/**
 * Loads a table as float32 samples of shape `[features]`; statistics are those of each column over the training part.
 * @throws UserError naming the file, column and row of anything that is not a number.
 */
export async function tableSplits(
  options: z.input<typeof tableSchema>,
  place: { dataDir?: string | undefined } = {},
): Promise<DatasetSplits> {
  const { file, label, features, testFraction, seed } = parseOptions('table', tableSchema, options);
  const path = requireBuiltin('node:path', 'reading a table');
  const found = path.resolve(place.dataDir ?? '.', file);
  if (!exists(found)) {
    throw new UserError('there is no such file', {
      place: found,
      remedy: 'file is taken from the data folder if one is given, else from the working folder',
    });
  }
  const table = await readTable(found);
  const whole = tableDataset(table, { label, ...(features === undefined ? {} : { features }) });
  const { train, test } = splitDataset(whole, { testFraction, seed });
  const measured = measureStatistics(train);
  // A constant column has no spread; dividing by one leaves it at zero.
  const statistics = { mean: measured.mean, std: measured.std.map((value) => (value === 0 ? 1 : value)) };
  return createSplits(whole.name, { ...train, statistics }, { ...test, statistics });
}

/**
 * A table's rows as samples. Classes are the label column's distinct values, sorted (numbers by size).
 * @throws UserError for unknown columns, empty cells and texts where numbers are needed.
 */
export function tableDataset(table: Table, options: { label: string; features?: readonly string[] }): Dataset {
  const column = (name: string): readonly Cell[] => {
    const found = table.columns.get(name);
    if (found === undefined) {
      throw new UserError(
        `there is no column ${JSON.stringify(name)}; the columns are ${[...table.columns.keys()].join(', ')}`,
        {
          place: table.name,
        },
      );
    }
    return found;
  };
  const labelCells = column(options.label);
  const features = options.features ?? [...table.columns.keys()].filter((name) => name !== options.label);
  const inputs = new Float32Array(table.length * features.length);
  features.forEach((name, position) => {
    column(name).forEach((cell, row) => {
      const value =
        typeof cell === 'string' && cell.trim() !== ''
          ? Number(cell)
          : cell === null || cell === ''
            ? NaN
            : Number(cell);
      if (Number.isNaN(value)) {
        const found = cell === null || cell === '' ? 'is empty' : `is ${JSON.stringify(String(cell))}, not a number`;
        throw new UserError(`column ${JSON.stringify(name)}, row ${row + 1} ${found}`, {
          place: table.name,
          remedy: 'name the number columns in features, or mend the file',
        });
      }
      inputs[row * features.length + position] = value;
    });
  });
  const classes = distinct(labelCells);
  const numbers = new Map(classes.map((name, index) => [name, index]));
  const labels = Int32Array.from(labelCells, (cell) => numbers.get(String(cell)) ?? 0);
  return createDataset({ name: table.name, inputShape: [features.length], inputs, labels, classes });
}

function distinct(cells: readonly Cell[]): string[] {
  const values = [...new Set(cells.map(String))];
  const numeric = values.every((value) => value.trim() !== '' && Number.isFinite(Number(value)));
  return numeric ? values.sort((a, b) => Number(a) - Number(b)) : values.sort();
}

/**
 * Reads a table by its file name's ending.
 * @throws UserError for an unknown ending or a damaged file.
 */
export async function readTable(file: string): Promise<Table> {
  const ending = /\.([a-z]+)$/i.exec(file)?.[1]?.toLowerCase();
  switch (ending) {
    case 'csv':
    case 'tsv':
      return csvTable(new TextDecoder().decode(readFile(file)), {
        name: file,
        delimiter: ending === 'csv' ? ',' : '\t',
      });
    case 'arrow':
    case 'arrows':
    case 'feather':
      return arrowTable(readFile(file), file);
    case 'parquet':
      return parquetTable(readFile(file), file);
    default:
      throw new UserError(`tables end in .csv, .tsv, .arrow, .arrows, .feather or .parquet`, { place: file });
  }
}

/** A CSV text with a header line as a table of texts. */
export function csvTable(text: string, options: { name: string; delimiter?: string }): Table {
  const { rows, lines } = readCsv(text, { ...options, place: options.name });
  const [header, ...body] = rows;
  if (header === undefined || body.length === 0) {
    throw new UserError('a table needs a line of column names and at least one row', { place: options.name });
  }
  const wrong = body.findIndex((row) => row.length !== header.length);
  if (wrong >= 0) {
    throw new UserError(`this row has ${body[wrong]?.length} fields, the header has ${header.length}`, {
      place: `${options.name}:${lines[wrong + 1]}`,
    });
  }
  return fromRows(options.name, header, (name, index) => body.map((row) => row[index] ?? null));
}

/** Four bytes as text. */
function text(bytes: Uint8Array, at: number): string {
  return String.fromCharCode(...bytes.subarray(Math.max(0, at), Math.max(0, at) + 4));
}

function truncated(place: string, mark: string): UserError {
  return new UserError(`truncated: it does not end with ${mark}`, { place, remedy: 'fetch the file again' });
}

/** The columns of an Arrow IPC file or stream; needs `apache-arrow`. */
export async function arrowTable(bytes: Uint8Array, name: string): Promise<Table> {
  const arrow = await importOptional<typeof import('apache-arrow')>('apache-arrow', 'reading Arrow tables');
  if (text(bytes, 0) === 'ARRO' && text(bytes, bytes.length - 4) !== 'ROW1') throw truncated(name, 'ARROW1');
  const table = await decoding(name, 'Arrow', async () => {
    const read = arrow.tableFromIPC(bytes);
    return {
      names: read.schema.fields.map((field) => field.name),
      cells: (column: string) => Array.from(read.getChild(column) ?? []),
    };
  });
  return fromRows(name, table.names, (column) => cellsOf(name, column, table.cells(column)));
}

/** The columns of a Parquet file; needs `hyparquet`. */
export async function parquetTable(bytes: Uint8Array, name: string): Promise<Table> {
  const { parquetReadObjects } = await importOptional<typeof import('hyparquet')>(
    'hyparquet',
    'reading Parquet tables',
  );
  const zlib = requireBuiltin('node:zlib', 'reading Parquet tables');
  if (text(bytes, 0) !== 'PAR1') {
    throw new UserError('the first bytes are not those of a Parquet file (PAR1)', { place: name, remedy: 'fetch the file again' });
  }
  if (bytes.length < 12 || text(bytes, bytes.length - 4) !== 'PAR1') throw truncated(name, 'PAR1');
  const rows = await decoding(name, 'Parquet', () =>
    parquetReadObjects({
      file: bytes.slice().buffer,
      compressors: {
        GZIP: (input) => new Uint8Array(zlib.gunzipSync(input)),
        BROTLI: (input) => new Uint8Array(zlib.brotliDecompressSync(input)),
      },
    }),
  );
  const [first] = rows;
  if (first === undefined) throw new UserError('the table has no rows', { place: name });
  return fromRows(name, Object.keys(first), (column) =>
    cellsOf(
      name,
      column,
      rows.map((row): unknown => row[column]),
    ),
  );
}

async function decoding<T>(name: string, format: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    throw new UserError(
      `damaged or unsupported ${format} data: ${error instanceof Error ? error.message : String(error)}`,
      { place: name },
    );
  }
}

function cellsOf(name: string, column: string, values: readonly unknown[]): Cell[] {
  return values.map((value, row) => {
    if (value === null || value === undefined) return null;
    if (
      typeof value === 'string' ||
      typeof value === 'number' ||
      typeof value === 'bigint' ||
      typeof value === 'boolean'
    )
      return value;
    throw new UserError(`column ${JSON.stringify(column)}, row ${row + 1} is neither number nor text`, { place: name });
  });
}

function fromRows(
  name: string,
  header: readonly string[],
  cells: (name: string, index: number) => readonly Cell[],
): Table {
  const columns = new Map(header.map((column, index) => [column, cells(column, index)]));
  if (columns.size !== header.length)
    throw new UserError(`two columns have the same name: ${header.join(', ')}`, { place: name });
  const [first] = columns.values();
  return { name, length: first?.length ?? 0, columns };
}
