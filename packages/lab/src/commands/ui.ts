// `athanor ui`: a page over the runs folder, live while runs go on.
import { UserError } from '@athanor/core';
import { startUi } from '../ui/server.ts';
import { defineCommand } from './command.ts';
import { shown } from './work.ts';

const defaultPort = 7478;

export const ui = defineCommand({
  usage: 'ui',
  summary: 'look at all runs in a browser, live; nothing is changed',
  options: { port: { type: 'number', default: defaultPort, describe: 'of 127.0.0.1; 0 takes any that is free' } },
  run: async ({ port }, { out, runs }) => {
    if (!Number.isInteger(port) || port < 0 || port > 65_535) throw new UserError(`--port is a number from 0 to 65535, got ${port}`);
    const { url, close } = await startUi({ root: runs, port });
    out(`${shown(runs)} on ${url} — Ctrl-C ends it`);
    await new Promise((resolve) => {
      process.once('SIGINT', resolve);
      process.once('SIGTERM', resolve);
    });
    await close();
  },
});
