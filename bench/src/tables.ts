// `npm run bench:table -- run1.json run2.json`: the rows of some runs of one backend as a table.
import { readFileSync } from 'node:fs';
import type { Row } from './row.ts';
import { tableOf } from './table.ts';

const files = process.argv.slice(2);
if (files.length === 0) {
  console.error('npm run bench:table -- rows.json … — give the files that npm run bench wrote with --json');
  process.exitCode = 2;
} else console.log(tableOf(files.flatMap((file) => JSON.parse(readFileSync(file, 'utf8')) as Row[])));
