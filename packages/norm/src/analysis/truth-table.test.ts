// The truth table on rows of each kind (experiments/norm/invariance.yaml measures all), and that mistakes are told.
import { expect, test } from 'vitest';
import { formatTable, measureRow, truthTable, type TableRow } from './truth-table.ts';

const rowNamed = (name: string): TableRow => {
  const row = truthTable.find((candidate) => candidate.name === name);
  if (row === undefined) throw new Error(`there is no row ${name}`);
  return row;
};

test.each(['none', 'batch', 'layer', 'instance', 'weight standardization', 'centred cosine'])('%s is as expected', async (name) => {
  const measured = await measureRow(rowNamed(name));
  expect(measured.mistakes).toEqual([]);
  expect(measured.measured).toBe(measured.expected);
});

test('a wrong expectation is told, with the size of the change', async () => {
  const measured = await measureRow({ ...rowNamed('RMS'), expected: 'yyyynnnn', alone: false });
  expect(measured.mistakes.map((mistake) => mistake.replaceAll(/\d\.\de[+-]\d+/g, '#'))).toEqual([
    'WV: expected y, y changes by #',
    'WC: expected y, y changes by #',
    'Wc: expected y, y changes by #',
    'XD: expected n, y changes by #',
    'XS: expected n, y changes by #',
    'other samples change it by #',
  ]);
  expect(formatTable([measured]).split('\n')[1]).toMatch(/^RMS +y +N +N +N +Y +Y +n +n /);
});

test('a layer without normalization breaks the law of gradients', async () => {
  const { law, mistakes } = await measureRow({ ...rowNamed('none'), expected: 'ynnnnnnn' });
  expect(law?.scaling).toBeGreaterThan(1);
  expect(law?.euler).toBeGreaterThan(1e-3);
  expect(mistakes.map((mistake) => mistake.split(' ')[0])).toEqual(['WM:', 'scaling', 'euler', 'growth']);
});
