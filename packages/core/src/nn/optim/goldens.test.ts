// Optimisers against PyTorch: parameters after each of 25 steps along given gradients, in float64; clipped gradients.
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

/** Rates are kept in float32, and NAdam's momenta too. */
const tolerance = (optimizer: string): number => (optimizer === 'NAdam' ? 1e-6 : 5e-8);

test.each(runs.map((run) => [`${run.optimizer} ${JSON.stringify(run.options)}`, run] as const))('%s', async (_, run) => {
  const constructors = nn as unknown as Record<string, new (parameters: readonly nn.Parameter[], options: object) => Optimizer>;
  const parameter = new nn.Parameter({ shape: run.initial.shape, dtype: 'float64', initial: () => Float64Array.from(run.initial.data) });
  const Constructor = constructors[run.optimizer];
  if (Constructor === undefined) throw new Error(`there is no ${run.optimizer}`);
  const optimizer = new Constructor([parameter], run.options);
  for (const [step, gradient] of run.gradients.entries()) {
    optimizer.apply([unpack(gradient)]);
    expect(largestError(await parameter.data(), run.values[step]?.data ?? [])).toBeLessThan(tolerance(run.optimizer));
  }
});

test('every optimiser is among them', () => {
  const optimizers = Object.entries(nn).filter(([, value]) => typeof value === 'function' && value.prototype instanceof nn.Optimizer);
  expect(new Set(runs.map(({ optimizer }) => optimizer))).toEqual(new Set(optimizers.map(([name]) => name)));
});

interface Clipping {
  readonly kind: 'norm' | 'value';
  readonly limit: number;
  readonly gradients: readonly PackedTensor[];
  readonly norm: number | null;
  readonly clipped: readonly PackedTensor[];
}

const clippings = JSON.parse(readFileSync(new URL('../../../goldens/clipping.json', import.meta.url), 'utf8')) as Clipping[];

test.each(clippings.map((golden) => [golden.kind, golden.limit, golden] as const))('clipping by %s %d', async (kind, limit, { gradients, norm, clipped }) => {
  const given = gradients.map(unpack);
  const result = kind === 'norm' ? nn.clipGradNorm(given, limit) : { gradients: nn.clipGradValue(given, limit), norm: undefined };
  expect((await result.norm?.item()) ?? 0).toBeCloseTo(norm ?? 0, 10);
  for (const [i, expected] of clipped.entries()) expect(largestError(await (result.gradients[i] ?? given[i])?.data() ?? [], expected.data)).toBeLessThan(1e-10);
});
