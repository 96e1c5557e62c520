// The repository's recorded results: judged again from the values that they hold, they give the verdicts that they tell.
import { existsSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { judgeClaims } from './evaluate.ts';
import type { MeasuredVariant } from './measure.ts';
import type { ResultsRecord } from './record.ts';
import { claimSchema } from './schema.ts';
import { experimentFiles, readRecord, resultsFolder } from './write.ts';

const experiments = fileURLToPath(new URL('../../../../experiments', import.meta.url));
const recorded = experimentFiles(experiments).flatMap((file) => {
  const folder = resultsFolder(file);
  const record = readRecord(folder);
  return record === undefined ? [] : [{ name: relative(experiments, folder), folder, record }];
});

function measured({ variants }: ResultsRecord): MeasuredVariant[] {
  return variants.map(({ name, values, seeds, metrics }) => ({
    name,
    values,
    numbers: new Map(seeds.map((seed, index) => [seed, new Map(Object.entries(metrics).map(([metric, { values: each }]) => [metric, each[index] ?? NaN]))])),
  }));
}

describe('recorded results', () => {
  it.each(recorded)('$name', ({ folder, record }) => {
    const claims = record.claims.map(({ says, finding, expect: expectation }) => claimSchema.parse({ says, finding, expect: expectation }));
    const judgements = judgeClaims(claims, measured(record));
    expect(judgements.map(({ verdict }) => verdict)).toEqual(record.claims.map(({ verdict }) => verdict));
    for (const [index, { estimate }] of judgements.entries()) {
      expect(estimate?.mean.toPrecision(9)).toBe(record.claims[index]?.estimate?.mean?.toPrecision(9));
    }
    expect(record.pictures.filter(({ file }) => !existsSync(join(folder, file)))).toEqual([]);
  });
});
