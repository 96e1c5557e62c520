// Core and wasm in a page: bundled by Vite, with and without cross-origin isolation, on the main thread and in a worker.
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Browser } from 'playwright-core';
import { build, createLogger, defaultClientConditions } from 'vite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { launchChromium, missing } from './chromium.ts';
import type { Places } from './page/main.ts';
import type { Outcome, Task } from './page/work.ts';

const types: Readonly<Record<string, string>> = { '.html': 'text/html', '.js': 'text/javascript' };
const isolation = { 'Cross-Origin-Opener-Policy': 'same-origin', 'Cross-Origin-Embedder-Policy': 'require-corp' };

/** Bundles the page and returns what Vite warned about. */
async function bundle(outDir: string): Promise<string[]> {
  const warnings: string[] = [];
  const customLogger = { ...createLogger('silent'), warn: (text: string) => void warnings.push(text), warnOnce: (text: string) => void warnings.push(text) };
  const conditions = ['@athanor/source', ...defaultClientConditions];
  const root = fileURLToPath(new URL('page', import.meta.url));
  await build({
    root,
    configFile: false,
    base: './',
    logLevel: 'warn',
    customLogger,
    resolve: { conditions },
    worker: { format: 'es' },
    build: { outDir, emptyOutDir: true, reportCompressedSize: false, rolldownOptions: { checks: { bundlerTimings: false } } },
  });
  return warnings;
}

/** Serves a folder twice: under /isolated/ with the headers that give SharedArrayBuffer, under /plain/ without. */
async function serve(folder: string): Promise<Server> {
  const server = createServer((request, response) => {
    const [, place = '', ...path] = new URL(request.url ?? '/', 'http://localhost').pathname.split('/');
    const file = join(folder, ...path);
    if (!existsSync(file) || extname(file) === '') {
      response.writeHead(404).end();
      return;
    }
    const type = types[extname(file)] ?? 'application/octet-stream';
    response.writeHead(200, { 'Content-Type': type, ...(place === 'isolated' ? isolation : {}) }).end(readFileSync(file));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}

describe.skipIf(missing)('a page', () => {
  const folder = mkdtempSync(join(tmpdir(), 'athanor-page-'));
  let warnings: string[] = [];
  let server: Server;
  let browser: Browser;

  beforeAll(async () => {
    warnings = await bundle(folder);
    server = await serve(folder);
    browser = await launchChromium();
  }, 120_000);

  afterAll(async () => {
    await browser.close();
    server.close();
    rmSync(folder, { recursive: true });
  });

  async function outcomeOf(headers: 'plain' | 'isolated', place: keyof Places, task: Task = {}): Promise<Outcome> {
    const page = await browser.newPage();
    const mistakes: string[] = [];
    page.on('pageerror', (error) => mistakes.push(error.message));
    page.on('console', (message) => message.type() === 'error' && mistakes.push(message.text()));
    try {
      await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/${headers}/index.html`);
      const outcome = await page.evaluate(
        ([name, given]) => (globalThis as unknown as { places: Places }).places[name](given),
        [place, task] as const,
      );
      expect(mistakes).toEqual([]);
      console.log(`${headers}, ${place}, ${outcome.threads} threads: first product after ${outcome.firstProduct.toFixed(0)} ms, second ${outcome.secondProduct.toFixed(1)} ms`);
      return outcome;
    } finally {
      await page.close();
    }
  }

  it('is bundled without a warning, as nothing of Node is imported', () => {
    expect(warnings).toEqual([]);
  });

  it('computes on one thread without isolation', async () => {
    const { isolated, threads, product, losses } = await outcomeOf('plain', 'page');
    expect({ isolated, threads, product }).toEqual({ isolated: false, threads: 1, product: 256 });
    expect(losses).toHaveLength(10);
    expect(losses.at(-1)).toBeLessThan((losses[0] ?? 0) / 2);
  }, 60_000);

  it('says what threads need where there is no isolation', async () => {
    await expect(outcomeOf('plain', 'page', { threads: 2 })).rejects.toThrow('wasm: 2 threads need SharedArrayBuffer — serve the page cross-origin isolated, or use one thread');
  }, 60_000);

  it('computes the same with threads, in a worker as on the main thread', async () => {
    const single = await outcomeOf('isolated', 'page');
    expect(single).toMatchObject({ isolated: true, threads: 1, product: 256 });
    for (const place of ['page', 'worker'] as const) {
      const threaded = await outcomeOf('isolated', place, { threads: 2 });
      expect(threaded).toMatchObject({ isolated: true, threads: 2, product: 256, numerics: single.numerics });
      expect(threaded.losses).toEqual(single.losses);
    }
  }, 120_000);

  it('takes all cores by itself in a worker of an isolated page', async () => {
    const { threads } = await outcomeOf('isolated', 'worker');
    const page = await browser.newPage();
    expect(threads).toBe(await page.evaluate(() => navigator.hardwareConcurrency));
    await page.close();
  }, 60_000);
});
