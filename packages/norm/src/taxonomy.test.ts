// The master table against the code, method by method: classes, what is learned and kept, whose statistics training and
// evaluation take; and the README's table against the master table.
import { readFileSync } from 'node:fs';
import { cpuBackend } from '@athanor/backend-cpu';
import { currentBackend, flush, setBackend } from '@athanor/core';
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest';
import * as exported from './index.ts';
import { methodTable, type MethodRow } from './taxonomy.ts';
import { evaluatesAlone, evaluatesAsTrained, trainingSeesBatch } from './testing/checks.ts';
import { makeMethod, methodNames } from './testing/methods.ts';

const reference = currentBackend();
beforeAll(() => setBackend(cpuBackend()));
afterAll(() => setBackend(reference));

test('has a row for every method of the registry, and no others', () => {
  expect(methodTable.map(({ name }) => name).toSorted()).toEqual(methodNames.toSorted());
});

/** Sorted names, without those of what is wrapped. */
function own(names: readonly string[], wraps: boolean): string[] {
  return names.map((name) => name.replace(/^norm\.(?=(norm|condition|scale|shift)\.)/, '')).filter((name) => !wraps || !name.startsWith('layer.')).toSorted();
}

describe.each(methodTable)('$name', (row) => {
  const wraps = row.source === 'weights' || row.name === 'cross-iteration';

  it('is the class named, learns and keeps what the table says', () => {
    const module = makeMethod(row.name, 'images');
    const conditioned = module.constructor.name === 'Conditioned' ? (module as unknown as { norm: object }).norm : module;
    expect(new Map<string, unknown>(Object.entries(exported)).get(row.layer)).toBe(conditioned.constructor);
    expect(own(module.namedParameters().map(([name]) => name), wraps)).toEqual(row.learns.toSorted());
    expect(own(module.namedBuffers().map(([name]) => name), wraps)).toEqual(row.keeps.toSorted());
    flush();
  });

  it('takes statistics of the batch in training where the table says so', async () => {
    expect(await trainingSeesBatch(row.name)).toBe(['batch', 'batches', 'mixture'].includes(row.source));
  });

  it('computes the same in evaluation where the table says so', async () => {
    expect(await evaluatesAsTrained(row.name)).toBe(row.evaluation === 'same');
  });

  it('evaluates a sample to the same bits in a batch as alone', async () => {
    expect(await evaluatesAlone(row.name)).toBe(true);
  });
});

const headings: Readonly<Record<MethodRow['source'], string>> = {
  sample: 'each sample',
  window: 'a window of the sample',
  batch: 'the batch',
  batches: 'several batches',
  mixture: 'a mixture',
  running: 'none that move',
  weights: 'the weights',
  none: 'none',
};

function rendered(): string {
  const lines = methodTable.map(({ name, layer, source, over, centred, divisor, learns, keeps, evaluation, paper }) => {
    const kept = keeps.length > 4 ? `${keeps.slice(0, 3).join(', ')}, …` : keeps.join(', ');
    const learned = learns.length > 4 ? `${learns.slice(0, 3).join(', ')}, …` : learns.join(', ');
    return `| \`${name}\` | \`${layer}\` | ${headings[source]} | ${over} | ${centred ? 'yes' : 'no'} | ${divisor} | ${learned} | ${kept} | ${evaluation} | ${paper} |`;
  });
  return ['| component | class | statistics of | over | centred | divided by | learns | keeps | evaluation | paper |', `|${'---|'.repeat(10)}`, ...lines].join('\n');
}

test('the README has the table', async () => {
  const file = new URL('../README.md', import.meta.url);
  const text = readFileSync(file, 'utf8');
  await expect(text.replace(/(<!-- methods -->\n)[^]*?(\n<!-- end of methods -->)/, `$1${rendered()}$2`)).toMatchFileSnapshot('../README.md');
});
