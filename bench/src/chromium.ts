// `npm run bench:page`: the wasm backend's rows in a page of headless Chromium.
import { writeFileSync } from 'node:fs';
import { UserError } from '@athanor/core';
import { calibrate } from '@athanor/lab';
import { chosen } from './benchmark.ts';
import { help, parseOptions } from './options.ts';
import { openPage } from './page/browser.ts';
import { tableHead, tableLine } from './report.ts';
import type { Row } from './row.ts';
import { cases } from './workloads/index.ts';

async function main(): Promise<void> {
  const options = parseOptions(process.argv.slice(2));
  if (options === undefined) {
    console.log(help);
    return;
  }
  const { json, threads, seconds } = options;
  const selected = chosen(options, cases);
  const page = await openPage();
  const limits = calibrate();
  console.log(tableHead(limits));
  console.error(`Chromium ${page.version}`);
  const rows: Row[] = [];
  try {
    for (const { workload, name } of selected) {
      try {
        const row = await page.measure({ workload, name, threads, seconds });
        rows.push(row);
        console.log(tableLine(row, limits));
        if (json !== undefined) writeFileSync(json, `${JSON.stringify(rows, undefined, 2)}\n`);
      } catch (error) {
        process.exitCode = 1;
        console.error(`${workload} ${name} failed: ${error instanceof Error ? error.message : String(error)}`);
      }
    }
  } finally {
    await page.close();
  }
}

try {
  await main();
} catch (error) {
  if (!(error instanceof UserError)) throw error;
  console.error(error.message);
  process.exitCode = 2;
}
