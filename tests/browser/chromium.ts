// The browser that the tests here drive, and how it is started: without a look at the network.
import { existsSync } from 'node:fs';
import { chromium } from 'playwright-core';
import type { Browser } from 'playwright-core';

const executablePath = '/usr/bin/chromium';

/** Without it, these tests are skipped. */
export const missing = !existsSync(executablePath);
if (missing) process.stderr.write(`SKIPPED: tests in a page need Chromium at ${executablePath} (Debian: apt-get install chromium)\n`);

const args = [
  '--no-sandbox',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

export function launchChromium(): Promise<Browser> {
  return chromium.launch({ executablePath, args });
}
