#!/usr/bin/env node
// Entry of the athanor command.
import { main } from './commands/main.ts';

// A reader that has gone (`athanor ls | head`) is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
});

process.once('SIGINT', () => {
  // A command that ends by itself listens too.
  if (process.listenerCount('SIGINT') > 0) return;
  process.stderr.write('\nstopped: the same command goes on from the last checkpoint\n');
  process.exit(130);
});

process.exitCode = await main(process.argv.slice(2), {
  out: (text) => process.stdout.write(`${text}\n`),
  error: (text) => process.stderr.write(`${text}\n`),
  progress: process.stderr,
  ownsProcess: true,
});
