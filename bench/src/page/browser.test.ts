// A row measured in a page of headless Chromium: with threads, as exact as in Node.
import { existsSync } from 'node:fs';
import { expect, it } from 'vitest';
import { openPage } from './browser.ts';

const missing = process.env['CHROMIUM'] === undefined && !existsSync('/usr/bin/chromium');
if (missing) console.warn('SKIPPED: the benchmark in a page needs Chromium at /usr/bin/chromium (Debian: apt-get install chromium)');

it.skipIf(missing)('measures a row in a page, with threads', async () => {
  const page = await openPage();
  try {
    const row = await page.measure({ workload: 'W1', name: 'NN-128', threads: 2, seconds: 0.05 });
    expect(row).toMatchObject({ workload: 'W1', case: 'NN-128', backend: 'wasm-chromium', threads: 2, unit: 'GFLOP/s', peers: [] });
    expect(row.median_ms).toBeGreaterThan(0);
    expect(row.error).toBeLessThan(1e-6);
    await expect(page.measure({ workload: 'W1', name: 'NN-7', threads: 1, seconds: 0.05 })).rejects.toThrow('there is no case W1 NN-7');
  } finally {
    await page.close();
  }
});
