#!/usr/bin/env node
// Entry of the athanor command.
import { main } from './commands/main.ts';

process.exitCode = await main(process.argv.slice(2), {
  out: (text) => process.stdout.write(`${text}\n`),
  error: (text) => process.stderr.write(`${text}\n`),
  progress: process.stderr,
});
