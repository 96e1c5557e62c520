// A headless Chromium with the benchmark's page: bundled by Vite, served with the headers that give threads memory to share.
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { UserError } from '@athanor/core';
import { chromium } from 'playwright-core';
import { build, defaultClientConditions } from 'vite';
import type { Row } from '../row.ts';
import type { MeasureCase } from './main.ts';
import type { Task } from './worker.ts';

const flags = ['--no-sandbox', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'];
const types: Readonly<Record<string, string>> = { '.html': 'text/html', '.js': 'text/javascript' };
const headers = { 'Cross-Origin-Opener-Policy': 'same-origin', 'Cross-Origin-Embedder-Policy': 'require-corp' };

/** The browser that `$CHROMIUM` names, or Debian's. */
export function chromiumPath(): string {
  const path = process.env['CHROMIUM'] ?? '/usr/bin/chromium';
  if (!existsSync(path)) throw new UserError(`there is no browser at ${path}`, { remedy: 'install Chromium (Debian: apt-get install chromium) or name one in $CHROMIUM' });
  return path;
}

async function bundle(outDir: string): Promise<void> {
  await build({
    root: fileURLToPath(new URL('../../src/page', import.meta.url)),
    configFile: false,
    base: './',
    logLevel: 'error',
    resolve: { conditions: ['@athanor/source', ...defaultClientConditions] },
    worker: { format: 'es' },
    build: { outDir, emptyOutDir: true, reportCompressedSize: false, rolldownOptions: { checks: { bundlerTimings: false } } },
  });
}

/** Serves the files of a folder and its `assets`, found by name. */
async function serve(folder: string): Promise<Server> {
  const server = createServer((request, response) => {
    const name = basename(new URL(request.url ?? '/', 'http://localhost').pathname);
    const file = [join(folder, name), join(folder, 'assets', name)].find((path) => extname(name) !== '' && existsSync(path));
    if (file === undefined) response.writeHead(404).end();
    else response.writeHead(200, { 'Content-Type': types[extname(file)] ?? 'application/octet-stream', ...headers }).end(readFileSync(file));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}

export interface Page {
  /** Version of the browser. */
  readonly version: string;
  /** Measures a row in the page. */
  measure(task: Task): Promise<Row>;
  close(): Promise<void>;
}

/** Bundles the page and opens it. */
export async function openPage(): Promise<Page> {
  const executablePath = chromiumPath();
  const folder = mkdtempSync(join(tmpdir(), 'athanor-bench-page-'));
  await bundle(folder);
  const server = await serve(folder);
  const browser = await chromium.launch({ executablePath, args: flags });
  const page = await browser.newPage();
  await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/index.html`);
  return {
    version: browser.version(),
    measure: (task) => page.evaluate((given) => (globalThis as unknown as { measureCase: MeasureCase }).measureCase(given), task),
    async close() {
      await browser.close();
      server.close();
      rmSync(folder, { recursive: true });
    },
  };
}
