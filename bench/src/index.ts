// `npm run bench`: our backends against TensorFlow.js and PyTorch on the same steps in the same run.
import { writeFileSync } from 'node:fs';
import { UserError } from '@athanor/core';
import { benchmark, chosen } from './benchmark.ts';
import { calibrate } from '@athanor/lab';
import { firstStepHead, firstStepLine, firstSteps, type FirstStepRow } from './first-step/first-step.ts';
import { help, parseOptions, type Options } from './options.ts';
import { profileKernels } from './profile.ts';
import { tableHead, tableLine } from './report.ts';
import type { Row } from './row.ts';
import { cases } from './workloads/index.ts';

function save(options: Options, rows: readonly (Row | FirstStepRow)[]): void {
  if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(rows, undefined, 2)}\n`);
}

function measureFirstSteps(options: Options): void {
  console.log(firstStepHead);
  const measured: FirstStepRow[] = [];
  for (const backend of options.backends) {
    for (const entry of chosen(options, cases)) {
      const rows = firstSteps(entry, backend, options);
      measured.push(...rows);
      for (const row of rows) console.log(firstStepLine(row));
      save(options, measured);
    }
  }
}

async function main(): Promise<void> {
  const options = parseOptions(process.argv.slice(2));
  if (options === undefined) {
    console.log(help);
    return;
  }
  if (options.firstStep) {
    measureFirstSteps(options);
    return;
  }
  const limits = calibrate();
  if (options.profile !== undefined) {
    await profileKernels(options, limits, options.profile, (text) => {
      console.log(text);
    });
    return;
  }
  console.log(tableHead(limits));
  const measured: Row[] = [];
  const { failures } = await benchmark(options, {
    row: (row) => {
      measured.push(row);
      console.log(tableLine(row, limits));
      save(options, measured);
    },
    note: (text) => {
      console.error(text);
    },
  });
  if (failures > 0) process.exitCode = 1;
}

try {
  await main();
} catch (error) {
  if (!(error instanceof UserError)) throw error;
  console.error(error.message);
  process.exitCode = 2;
}
