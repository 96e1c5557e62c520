// Writing what a study found into files that other programs read.
import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '@athanor/core';
import { didYouMean } from '@athanor/core/plugin';
import { readSafetensors, writeSafetensors } from '@athanor/data';
import { summarize } from '../analysis/summary.ts';
import { judgeClaims } from '../claims/evaluate.ts';
import { measureVariants } from '../claims/measure.ts';
import { stagesOf } from '../report/curves.ts';
import { makeFolder, writeFileWhole } from '../run/files.ts';
import { readMetrics } from '../run/metrics.ts';
import { readEnvironments } from '../run/results.ts';
import type { Run, Study } from '../run/study.ts';
import { modelCard } from './card.ts';
import { tableWriters } from './formats.ts';
import { metricsTable, resultsTable } from './table.ts';
import { eventFileName, writeEvents } from './tensorboard.ts';
import { wallTimes } from './timeline.ts';

export const exportFormats = ['parquet', 'csv', 'arrow', 'tensorboard', 'safetensors', 'model'] as const;

export type ExportFormat = (typeof exportFormats)[number];

/** What is written when no format is named: weights stand in the models' folders. */
export const defaultFormats: readonly ExportFormat[] = ['parquet', 'csv', 'arrow', 'tensorboard', 'model'];

export interface ExportOptions {
  readonly study: Study;
  /** Of the study's runs, those to export. */
  readonly runs: readonly Run[];
  readonly folder: string;
  readonly formats: readonly ExportFormat[];
  /** Formats for which there being nothing is a mistake: those that were asked for. */
  readonly required: boolean;
}

/** The format of this name. Throws a UserError if there is none. */
export function parseFormat(name: string): ExportFormat {
  const format = exportFormats.find((known) => known === name);
  if (format !== undefined) return format;
  throw new UserError(`there is no export format ${JSON.stringify(name)}${didYouMean(name, exportFormats)}`, { remedy: `formats: ${exportFormats.join(', ')}` });
}

/** Writes the formats and returns the paths of all files. */
export function exportStudy(options: ExportOptions): string[] {
  const { folder } = options;
  if (existsSync(folder) && !statSync(folder).isDirectory()) throw new UserError(`${folder} is a file`, { remedy: 'name a folder with --to' });
  const written: string[] = [];
  const write: Write = (path, content) => {
    const file = join(folder, ...path);
    makeFolder(join(file, '..'));
    writeFileWhole(file, content);
    written.push(file);
  };
  for (const format of options.formats) {
    const count = written.length;
    writeFormat(format, options, write);
    if (written.length === count && options.required) {
      const lacks = format === 'safetensors' || format === 'model' ? 'has left no model yet' : 'has logged nothing yet';
      throw new UserError(`${format}: ${options.study.record.name} ${lacks}`, { remedy: 'run it first, or leave this format out' });
    }
  }
  if (written.length === 0) throw new UserError(`${options.study.record.name} has nothing to export yet`, { remedy: 'athanor resume goes on with it' });
  return written;
}

type Write = (path: readonly string[], content: string | Uint8Array) => void;

function writeFormat(format: ExportFormat, { study, runs }: ExportOptions, write: Write): void {
  switch (format) {
    case 'parquet':
    case 'csv':
    case 'arrow': {
      const tables = { metrics: metricsTable(runs), results: resultsTable(runs) };
      for (const [name, table] of Object.entries(tables)) if (table.length > 0) write([`${name}.${format}`], tableWriters[format](table));
      return;
    }
    case 'tensorboard':
      for (const run of runs) writeTensorboard(run, write);
      return;
    case 'safetensors':
      for (const run of runs) {
        const metadata = [['experiment', study.record.name], ['run', run.name], ['seed', String(run.config.seed)]] as const;
        for (const [file, bytes] of modelsOf(run)) write(['weights', run.name, file], writeSafetensors(readSafetensors(bytes, file).tensors, metadata));
      }
      return;
    case 'model':
      writeModels(study, runs, write);
  }
}

/** A folder a run, a file a stage: tags are `train/loss`, behind the stage's name where there are several. */
function writeTensorboard(run: Run, write: Write): void {
  const stages = stagesOf(run);
  const [first] = readEnvironments(run);
  const created = first === undefined ? 0 : Date.parse(first.started) / 1000;
  for (const stage of stages) {
    const timeOf = wallTimes(run, stage);
    const events = readMetrics(join(stage.folder, 'metrics.arrow')).map(({ step, metric, value }) => ({ tag: metric.replace('.', '/'), step, value, wallTime: timeOf(step) }));
    const place = stages.length > 1 ? [run.name, stage.name] : [run.name];
    if (events.length > 0) write(['tensorboard', ...place, eventFileName(created)], writeEvents(events, { created }));
  }
}

function writeModels(study: Study, runs: readonly Run[], write: Write): void {
  const judgements = judgeClaims(study.record.claims ?? [], measureVariants(study));
  for (const variant of summarize(study)) {
    for (const run of variant.runs.filter(({ name }) => runs.some((one) => one.name === name))) {
      const models = modelsOf(run);
      if (models.size === 0) continue;
      for (const [file, bytes] of models) write(['models', run.name, file], bytes);
      write(['models', run.name, 'config.yaml'], readFileSync(join(run.folder, 'config.yaml')));
      write(['models', run.name, 'README.md'], modelCard({ record: study.record, run, variant, judgements, stages: stagesOf(run), models }));
    }
  }
}

/** The weights that a run's stages have left, by file name; of several stages, behind the stage's name. */
function modelsOf(run: Run): Map<string, Uint8Array> {
  const found = stagesOf(run).flatMap(({ name, folder }) =>
    (existsSync(folder) ? readdirSync(folder) : [])
      .filter((file) => file.endsWith('.safetensors') && !file.startsWith('.'))
      .toSorted()
      .map((file) => ({ stage: name, file, bytes: readFileSync(join(folder, file)) })),
  );
  const several = new Set(found.map(({ stage }) => stage)).size > 1;
  return new Map(found.map(({ stage, file, bytes }) => [several ? `${stage}.${file}` : file, bytes]));
}
