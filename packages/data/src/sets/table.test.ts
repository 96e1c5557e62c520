// Tables: the same rows from CSV, Arrow and Parquet give the same data set; mistakes are named.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { tableFromArrays, tableToIPC } from 'apache-arrow';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { afterAll, expect, test } from 'vitest';
import { arrowTable, csvTable, parquetTable, readTable, tableDataset, tableSplits } from './table.ts';

const folder = mkdtempSync(join(tmpdir(), 'tables-'));
afterAll(() => rmSync(folder, { recursive: true }));

const width = Array.from({ length: 40 }, (_, row) => row / 4);
const count = width.map((_, row) => row % 7);
const kind = width.map((_, row) => (row < 30 ? 'reed' : 'oak'));
const csv = ['width,count,kind', ...width.map((value, row) => `${value},${count[row]},${kind[row]}`)].join('\n');
const arrow = tableToIPC(tableFromArrays({ width: Float64Array.from(width), count: Int32Array.from(count), kind }));
const parquet = new Uint8Array(
  parquetWriteBuffer({
    columnData: [
      { name: 'width', data: width, type: 'DOUBLE' },
      { name: 'count', data: count, type: 'INT32' },
      { name: 'kind', data: kind, type: 'STRING' },
    ],
  }),
);

test('CSV, Arrow and Parquet agree', async () => {
  const tables = [csvTable(csv, { name: 't' }), await arrowTable(arrow, 't'), await parquetTable(parquet, 't')];
  const sets = tables.map((table) => tableDataset(table, { label: 'kind' }));
  expect(sets[0]).toMatchObject({ length: 40, inputShape: [2], classes: ['oak', 'reed'] });
  expect([...(sets[0]?.inputs.subarray(4, 8) ?? [])]).toEqual([0.5, 2, 0.75, 3]);
  expect(sets[1]).toEqual(sets[0]);
  expect(sets[2]).toEqual(sets[0]);
});

test('a file becomes stratified splits that are normalised by column', async () => {
  writeFileSync(join(folder, 'trees.parquet'), parquet);
  const splits = await tableSplits(
    { file: 'trees.parquet', label: 'kind', features: ['width'], testFraction: 0.25 },
    { dataDir: folder },
  );
  expect([splits.train.length, splits.test.length]).toEqual([30, 10]);
  expect([...splits.test.labels].filter((label) => label === 0)).toHaveLength(3);
  expect(splits.train.statistics?.mean).toHaveLength(1);
});

test('labels that are numbers are sorted by size', () => {
  const table = csvTable('x,y\n1,10\n2,9\n3,10', { name: 't' });
  expect(tableDataset(table, { label: 'y' })).toMatchObject({ classes: ['9', '10'], labels: Int32Array.of(1, 0, 1) });
});

test('mistakes are named with file, column and row', async () => {
  const table = csvTable('x,y,z\n1,a,\n2,b,3', { name: 'f.csv' });
  const error = (make: () => unknown): string => {
    try {
      make();
      return 'no error';
    } catch (reason) {
      return String(reason);
    }
  };
  writeFileSync(join(folder, 'bad.parquet'), 'PAR1 and no more');
  writeFileSync(join(folder, 'bad.arrow'), 'not arrow, but long enough to look at');
  const later = (file: string) =>
    readTable(join(folder, file)).then(
      () => 'no error',
      (reason: unknown) => String(reason),
    );
  const messages = [
    error(() => tableDataset(table, { label: 'q' })),
    error(() => tableDataset(table, { label: 'x', features: ['y'] })),
    error(() => tableDataset(table, { label: 'x', features: ['z'] })),
    error(() => csvTable('a,b\n1,2\n\n3', { name: 'f.csv' })),
    error(() => csvTable('a,a\n1,2', { name: 'f.csv' })),
    error(() => csvTable('a,b', { name: 'f.csv' })),
    await later('bad.arrow'),
    await later('bad.parquet'),
    await later('none.csv'),
    await later('table.xls'),
  ];
  expect(messages.join('\n').replaceAll(folder, '…')).toMatchInlineSnapshot(`
    "UserError: f.csv: there is no column "q"; the columns are x, y, z
    UserError: f.csv: column "y", row 1 is "a", not a number — name the number columns in features, or mend the file
    UserError: f.csv: column "z", row 1 is empty — name the number columns in features, or mend the file
    UserError: f.csv:4: this row has 1 fields, the header has 2
    UserError: f.csv: two columns have the same name: a, a
    UserError: f.csv: a table needs a line of column names and at least one row
    UserError: …/bad.arrow: damaged or unsupported Arrow data: Expected to read 544501614 metadata bytes, but only read 33.
    UserError: …/bad.parquet: truncated: it does not end with PAR1 — fetch the file again
    UserError: cannot read …/none.csv: no such file
    UserError: …/table.xls: tables end in .csv, .tsv, .arrow, .arrows, .feather or .parquet"
  `);
});
