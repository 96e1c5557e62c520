// CSV: quoting, line ends, and where a mistake stands.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readCsv } from './csv.ts';

test('quotes, commas, line breaks and empty lines', () => {
  const text = '\uFEFFname,note\r\n"a, ""b""","two\nlines"\n\nplain,\r"",x';
  expect(readCsv(text)).toEqual({
    rows: [
      ['name', 'note'],
      ['a, "b"', 'two\nlines'],
      ['plain', ''],
      ['', 'x'],
    ],
    lines: [1, 2, 5, 6],
  });
  expect(readCsv('a\tb,c', { delimiter: '\t' }).rows).toEqual([['a', 'b,c']]);
  expect(readCsv('').rows).toEqual([]);
});

test('whatever is quoted comes back', () => {
  const cell = fc.string({ unit: fc.constantFrom('a', '"', ',', '\n', '\r', ' ') });
  const table = fc.array(fc.array(cell, { minLength: 2, maxLength: 3 }), { maxLength: 4 });
  fc.assert(
    fc.property(table, fc.constantFrom('\n', '\r\n'), (rows, end) => {
      const text = rows.map((row) => row.map((value) => `"${value.replaceAll('"', '""')}"`).join(',') + end).join('');
      expect(readCsv(text).rows).toEqual(rows);
    }),
  );
});

test('mistakes are named with line and column', () => {
  expect(() => readCsv('a,b\n1,"x', { place: 'f.csv' })).toThrow('f.csv:2:3: a quotation mark is not closed');
  expect(() => readCsv('a,b\n"x"y,2', { place: 'f.csv' })).toThrow('f.csv:2:4: text follows a closed quotation mark');
  expect(() => readCsv('"a\nb",c\nx,y"z', { place: 'f.csv' })).toThrow(
    'f.csv:3:4: a quotation mark stands inside a field',
  );
});
