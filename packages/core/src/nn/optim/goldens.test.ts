// Optimisers against PyTorch: parameters after each of five steps along given gradients.
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { largestError, unpack, type PackedTensor } from '../../testing/goldens.ts';
import * as nn from '../index.ts';
import type { Optimizer } from './optimizer.ts';

interface Run {
  readonly optimizer: string;
  readonly options: Readonly<Record<string, unknown>>;
  readonly initial: PackedTensor;
  readonly gradients: readonly PackedTensor[];
  readonly values: readonly PackedTensor[];
}

const runs = JSON.parse(readFileSync(new URL('../../../goldens/optimisers.json', import.meta.url), 'utf8')) as Run[];
const present = runs.filter(({ optimizer }) => optimizer in nn);

test.each(present.map((run) => [`${run.optimizer} ${JSON.stringify(run.options)}`, run] as const))('%s', async (_, run) => {
  const constructors = nn as unknown as Record<string, new (parameters: readonly nn.Parameter[], options: object) => Optimizer>;
  const parameter = new nn.Parameter({ shape: run.initial.shape, initial: () => Float32Array.from(run.initial.data) });
  const Constructor = constructors[run.optimizer];
  if (Constructor === undefined) throw new Error(`there is no ${run.optimizer}`);
  const optimizer = new Constructor([parameter], run.options);
  for (const [step, gradient] of run.gradients.entries()) {
    optimizer.apply([unpack(gradient).to('float32')]);
    expect(largestError(await parameter.data(), run.values[step]?.data ?? [])).toBeLessThan(1e-6);
  }
});

test('SGD and Adam are among them', () => {
  expect([...new Set(present.map(({ optimizer }) => optimizer))]).toEqual(expect.arrayContaining(['SGD', 'Adam']));
});
