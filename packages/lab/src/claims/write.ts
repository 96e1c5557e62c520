// Recorded results on the disk: a folder beside the experiment, and the page of a folder of experiments.
import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { basename, dirname, extname, join, relative, resolve, sep } from 'node:path';
import { UserError } from '@athanor/core';
import { estimateOf, summarize } from '../analysis/summary.ts';
import type { Variant } from '../analysis/summary.ts';
import { makeFolder, remove, writeFileWhole } from '../run/files.ts';
import type { Study } from '../run/study.ts';
import { indexMark, indexPage, resultsPage } from './markdown.ts';
import type { IndexEntry } from './markdown.ts';
import { numbersOf } from './measure.ts';
import { drawPictures } from './pictures.ts';
import { contentHash, makeRecord } from './record.ts';
import type { ResultsRecord } from './record.ts';
import type { Judgement } from './evaluate.ts';

const resultsFile = 'results.json';
const indexFile = 'RESULTS.md';

/** The folder of an experiment's recorded results: `norm/x` for `norm/x.yaml`. */
export function resultsFolder(file: string): string {
  return join(dirname(file), basename(file, extname(file)));
}

export interface WriteOptions {
  readonly study: Study;
  readonly judgements: readonly Judgement[];
  readonly command: string;
  readonly folder: string;
}

/** Writes `results.json`, `results.md` and the pictures, in place of what was recorded before. */
export function writeResults({ study, judgements, command, folder }: WriteOptions): ResultsRecord {
  const variants = withClaimed(summarize(study), judgements);
  // What is counted is many, and no single one matters.
  const named = judgements.filter(({ claim }) => claim.expect.count === undefined);
  const preferred = new Set(named.flatMap(({ sides }) => sides.map(({ name }) => name)));
  const pictures = drawPictures(variants, { metrics: drawnMetrics(judgements, variants), preferred });
  const record = makeRecord({ study, variants, judgements, pictures: pictures.map(({ file, caption }) => ({ file, caption })), command });
  makeFolder(folder);
  for (const { file } of readRecord(folder)?.pictures ?? []) {
    if (!pictures.some((picture) => picture.file === file)) remove(join(folder, basename(file)));
  }
  for (const { file, svg } of pictures) writeFileWhole(join(folder, file), `${svg}\n`);
  writeFileWhole(join(folder, 'results.md'), resultsPage(record));
  writeFileWhole(join(folder, resultsFile), `${JSON.stringify(record, null, 1)}\n`);
  return record;
}

/** What was recorded in a folder; undefined if nothing was. */
export function readRecord(folder: string): ResultsRecord | undefined {
  const path = join(folder, resultsFile);
  if (!existsSync(path)) return undefined;
  const record = JSON.parse(readFileSync(path, 'utf8')) as ResultsRecord;
  if (record.format !== 1) throw new UserError(`${path} is of format ${String(record.format)}, this program knows format 1`);
  return record;
}

/** Variants with the metrics of single stages (`stage/metric`) that claims name. */
function withClaimed(variants: readonly Variant[], judgements: readonly Judgement[]): Variant[] {
  const named = [...new Set(judgements.map(({ claim }) => claim.expect.metric))].filter((metric) => metric.includes('/'));
  return variants.map((variant) => {
    const numbers = variant.runs.map(numbersOf);
    const estimates = named.flatMap((metric) => {
      const values = numbers.flatMap((known) => known?.get(metric) ?? []);
      return values.length === 0 ? [] : [[metric, estimateOf(metric, values)] as const];
    });
    return { ...variant, estimates: new Map([...variant.estimates, ...estimates]) };
  });
}

/** The metrics that claims name; else accuracies, else the first. */
function drawnMetrics(judgements: readonly Judgement[], variants: readonly Variant[]): string[] {
  const claimed = [...new Set(judgements.map(({ claim }) => claim.expect.metric))];
  if (claimed.length > 0) return claimed;
  const known = [...new Set(variants.flatMap(({ estimates }) => [...estimates.keys()]))];
  const accuracies = known.filter((metric) => metric.endsWith('accuracy'));
  return accuracies.length > 0 ? accuracies : known.slice(0, 1);
}

/** Experiment files under a folder, in order. What others extend (`base.yaml`, `x.base.yaml`), runs and results are none. */
export function experimentFiles(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => /\.ya?ml$/.test(file) && !/(^|[./])base\.ya?ml$/.test(file.split(sep).join('/')))
    .filter((file) => !file.split(sep).some((part) => part === 'runs' || part === 'node_modules' || part.startsWith('.')))
    .filter((file) => statSync(join(folder, file)).isFile())
    .toSorted()
    .map((file) => join(folder, file));
}

/** Writes those pages of records again that stand above an experiment, up to its repository's root. */
export function refreshIndices(file: string): void {
  for (let folder = dirname(resolve(file)); ; folder = dirname(folder)) {
    if (isIndex(join(folder, indexFile))) writeIndex(folder);
    if (existsSync(join(folder, '.git')) || folder === dirname(folder)) return;
  }
}

/** Whether a page is there and was written by {@link writeIndex}. */
function isIndex(path: string): boolean {
  return existsSync(path) && readFileSync(path, 'utf8').startsWith(indexMark);
}

/** Refuses to write over a page of this name that somebody wrote. */
export function checkIndex(folder: string): void {
  const path = join(folder, indexFile);
  if (!existsSync(path) || isIndex(path)) return;
  throw new UserError(`${path} was not written by athanor reproduce`, { remedy: 'give it another name, or name the experiments one by one' });
}

/** Writes `RESULTS.md` of all experiments under a folder that have recorded results; returns its path. */
export function writeIndex(folder: string): string {
  checkIndex(folder);
  const entries = experimentFiles(folder).flatMap((file): IndexEntry[] => {
    const results = resultsFolder(file);
    const record = readRecord(results);
    if (record === undefined) return [];
    const changed = contentHash(file) !== record.config.sha256;
    return [{ path: relative(folder, results).split(sep).join('/'), record, changed }];
  });
  const path = join(folder, indexFile);
  writeFileWhole(path, indexPage(entries));
  return path;
}
