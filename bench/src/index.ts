// `npm run bench`: our backends against TensorFlow.js and PyTorch on the same steps in the same run.
import { writeFileSync } from 'node:fs';
import { UserError } from '@athanor/core';
import { benchmark } from './benchmark.ts';
import { calibrate } from '@athanor/lab';
import { help, parseOptions } from './options.ts';
import { tableHead, tableLine } from './report.ts';
import type { Row } from './row.ts';

async function main(): Promise<void> {
  const options = parseOptions(process.argv.slice(2));
  if (options === undefined) {
    console.log(help);
    return;
  }
  const limits = calibrate();
  console.log(tableHead(limits));
  const measured: Row[] = [];
  const { failures } = await benchmark(options, {
    row: (row) => {
      measured.push(row);
      console.log(tableLine(row, limits));
      if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(measured, undefined, 2)}\n`);
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
