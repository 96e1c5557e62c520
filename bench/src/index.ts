// `npm run bench`: our backends against TensorFlow.js and PyTorch on the same steps in the same run.
import { writeFile } from 'node:fs/promises';
import { UserError } from '@athanor/core';
import { benchmark } from './benchmark.ts';
import { calibrate } from './calibrate.ts';
import { help, parseOptions } from './options.ts';
import { tableHead, tableLine } from './report.ts';

async function main(): Promise<void> {
  const options = parseOptions(process.argv.slice(2));
  if (options === undefined) {
    console.log(help);
    return;
  }
  const limits = calibrate();
  console.log(tableHead(limits));
  const rows = await benchmark(options, {
    row: (row) => {
      console.log(tableLine(row, limits));
    },
    note: (text) => {
      console.error(text);
    },
  });
  if (options.json !== undefined) await writeFile(options.json, `${JSON.stringify(rows, undefined, 2)}\n`);
}

try {
  await main();
} catch (error) {
  if (!(error instanceof UserError)) throw error;
  console.error(error.message);
  process.exitCode = 2;
}
