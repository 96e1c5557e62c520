// `athanor export`: a run's metrics, results and models in formats that other programs read.
import { join, resolve } from 'node:path';
import { defaultFormats, exportFormats, exportStudy, parseFormat } from '../export/export.ts';
import { findStudy } from '../run/study.ts';
import { defineCommand } from './command.ts';
import { shown } from './work.ts';

export const exportRun = defineCommand({
  usage: 'export <run>',
  summary: 'write metrics, results and models for other programs',
  positionals: { run: { type: 'string', demandOption: true, describe: 'name or folder' } },
  options: {
    to: { type: 'string', describe: 'folder (default: export in the run’s folder)' },
    format: { type: 'string', array: true, default: [] as string[], describe: `${exportFormats.join(', ')} (default: all; weights with their models)` },
  },
  examples: [
    ['$0 export quickstart --to out', 'all formats'],
    ['$0 export quickstart --format parquet tensorboard', 'two of them'],
  ],
  run: (words, { out, runs }) => {
    const names = words.format as readonly string[];
    const formats = names.flatMap((name) => name.split(',')).map(parseFormat);
    const study = findStudy(words.run, runs);
    const one = study.runs.filter(({ folder }) => folder === resolve(words.run));
    const written = exportStudy({
      study,
      runs: one.length > 0 ? one : study.runs,
      folder: resolve(words.to ?? join(study.folder, 'export')),
      formats: formats.length > 0 ? [...new Set(formats)] : defaultFormats,
      required: formats.length > 0,
    });
    for (const file of written) out(shown(file));
  },
});
