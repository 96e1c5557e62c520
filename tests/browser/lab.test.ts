// What the lab shows, in a real browser: the page of `athanor ui`, live, and the report of a study.
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { writeReport } from '../../packages/lab/src/report/write.ts';
import { lockFolder } from '../../packages/lab/src/run/lock.ts';
import { MetricLog } from '../../packages/lab/src/run/metrics.ts';
import type { Study } from '../../packages/lab/src/run/study.ts';
import { planWalks, runWalks } from '../../packages/lab/src/testing/walks.ts';
import { startUi } from '../../packages/lab/src/ui/server.ts';
import type { Ui } from '../../packages/lab/src/ui/server.ts';
import { launchChromium, missing } from './chromium.ts';

/** A busy machine is not a failure. */
const patient = { timeout: 60_000 };

describe.skipIf(missing)('the lab in a browser', () => {
  const folder = mkdtempSync(join(tmpdir(), 'athanor-lab-'));
  let study: Study;
  let ui: Ui;
  let browser: Browser;
  let page: Page;
  let faults: string[] = [];
  let elsewhere: string[] = [];

  beforeAll(async () => {
    study = await runWalks(folder, { question: 'Do walks end?', scales: ['small', 'large & <b>wide</b>'] });
    ui = await startUi({ root: join(folder, 'runs'), port: 0, every: 50 });
    browser = await launchChromium();
  });
  afterAll(async () => {
    await browser.close();
    await ui.close();
    rmSync(folder, { recursive: true });
  });

  beforeEach(async () => {
    faults = [];
    elsewhere = [];
    page = await browser.newPage({ viewport: { width: 1300, height: 900 } });
    page.on('pageerror', (error) => faults.push(error.message));
    page.on('console', (message) => message.type() === 'error' && faults.push(message.text()));
    page.on('request', (request) => !/^(file|data):/.test(request.url()) && !request.url().startsWith(ui.url) && elsewhere.push(request.url()));
  });
  afterEach(async () => {
    await page.close();
    if (faults.length + elsewhere.length > 0) throw new Error(`the page complained or asked elsewhere: ${[...faults, ...elsewhere].join('; ')}`);
  });

  const texts = (selector: string) => page.locator(selector).allTextContents();
  const charted = () => page.locator('figure').evaluateAll((figures) => figures.map((figure) => figure.getAttribute('data-metric')));
  const lines = (metric: string) => page.locator(`figure[data-metric="${metric}"] [aria-label="line"] path`).count();

  it('shows the newest study and its table', async () => {
    await page.goto(ui.url);
    await expect.poll(charted, patient).toEqual(['train.loss', 'test.place']);
    expect(await lines('train.loss')).toBe(2);
    expect(await texts('#legend > span')).toEqual(['scale=small', 'scale=large & <b>wide</b>']);
    expect(await texts('tbody tr td:nth-child(3)')).toEqual(['scale=small', 'scale=small', 'scale=large & <b>wide</b>', 'scale=large & <b>wide</b>']);
    expect(await texts('#count')).toEqual(['4 of 4 runs']);
  });

  it('sorts, filters and keeps the choice in the address', async () => {
    await page.goto(ui.url);
    await expect.poll(() => page.locator('tbody tr').count(), patient).toBe(4);
    const seeds = () => texts('tbody tr td:nth-child(4)');
    await page.getByRole('button', { name: 'seed' }).click();
    expect(await seeds()).toEqual(['0', '0', '1', '1']);
    await page.getByRole('button', { name: 'seed' }).click();
    expect(await seeds()).toEqual(['1', '1', '0', '0']);
    expect(await page.locator('th[aria-sort]').getAttribute('aria-sort')).toBe('descending');
    await page.getByLabel('filter runs').fill('small seed=1');
    expect(await texts('#count')).toEqual(['1 of 4 runs']);
    await page.reload();
    await expect.poll(() => texts('#count'), patient).toEqual(['1 of 4 runs']);
    await page.getByLabel('filter runs').fill('seed<1 done');
    expect(await seeds()).toEqual(['0', '0']);
  });

  it('overlays the runs and metrics that are chosen, smoothed, on a log scale', async () => {
    await page.goto(`${ui.url}#group=0`);
    await expect.poll(() => lines('train.loss'), patient).toBe(4);
    await page.getByRole('button', { name: 'test.place' }).click();
    await expect.poll(charted, patient).toEqual(['train.loss']);
    await page.locator('tbody tr').first().getByRole('checkbox').uncheck();
    await expect.poll(() => lines('train.loss'), patient).toBe(3);
    await page.getByLabel('mean over seeds').check();
    await expect.poll(() => lines('train.loss'), patient).toBe(2);
    expect(await page.locator('figure [aria-label="area"]').count()).toBe(1);
    const path = () => page.locator('figure [aria-label="line"] path').first().getAttribute('d');
    const plain = await path();
    await page.getByLabel('smooth').fill('20');
    await expect.poll(path, patient).not.toBe(plain);
    await page.getByLabel('log scale').check();
    await expect.poll(() => new URL(page.url()).hash, patient).toContain('log=1');
    await page.getByRole('button', { name: 'clear' }).click();
    await expect.poll(charted, patient).toEqual([]);
    expect(await texts('#hint')).toEqual(['Tick runs in the table to see their curves.']);
    await page.getByLabel('filter runs').fill('large');
    await page.getByRole('button', { name: 'show these' }).click();
    await expect.poll(charted, patient).toEqual(['train.loss']);
  });

  it('reads values off under the pointer', async () => {
    await page.goto(ui.url);
    await page.locator('figure svg').first().waitFor();
    const box = await page.locator('figure svg').first().boundingBox();
    await page.mouse.move((box?.x ?? 0) + (box?.width ?? 0) / 2, (box?.y ?? 0) + (box?.height ?? 0) / 2);
    await expect.poll(() => page.locator('#tooltip').isVisible(), patient).toBe(true);
    const [step = '', ...values] = await texts('#tooltip b, #tooltip div');
    expect(step).toMatch(/^step \d+$/);
    expect(values).toHaveLength(2);
  });

  it('follows a run that goes on', async () => {
    await page.goto(ui.url);
    await expect.poll(() => page.locator('tbody tr').count(), patient).toBe(4);
    const later = planWalks(folder, { name: 'later', scales: ['one'] });
    const run = later.runs[0]?.folder ?? '';
    const unlock = lockFolder(run);
    mkdirSync(join(run, '0-walk'));
    const log = new MetricLog(join(run, '0-walk', 'metrics.arrow'), 0);
    const add = (step: number) => {
      log.add([{ step, metric: 'loss', value: 1 / step }]);
      log.flush();
    };
    add(1);
    add(2);
    await expect.poll(charted, patient).toEqual(['loss']);
    expect(await texts('#state')).toEqual(['1 running']);
    const end = () => page.locator('figure [aria-label="line"] path').getAttribute('d');
    const before = await end();
    add(30);
    await expect.poll(end, patient).not.toBe(before);
    await expect.poll(() => texts('td.running'), patient).toEqual(['running at 30']);
    log.close();
    unlock();
    rmSync(later.folder, { recursive: true });
    await expect.poll(() => page.locator('tbody tr').count(), patient).toBe(4);
  });

  it('leads to a run and back', async () => {
    await page.goto(ui.url);
    await page.getByRole('link', { name: 'scale=small' }).first().click();
    await page.getByRole('heading', { name: 'walks: scale-1.seed-0' }).waitFor();
    expect(await texts('h2')).toEqual(['Result', 'Learning curves', 'Resolved config', 'Environment']);
    await page.getByRole('link', { name: 'the whole study' }).click();
    await page.getByRole('heading', { name: 'walks', exact: true }).waitFor();
    expect(new URL(page.url()).pathname).toBe(`/runs/${basename(study.folder)}`);
    await page.getByRole('link', { name: '← all runs' }).click();
    await page.locator('figure svg').first().waitFor();
  });

  it('shows the report from its file alone, with readable texts on light and dark', async () => {
    const report = pathToFileURL(writeReport(study)).href;
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme });
      await page.goto(report);
      const contrast = await page.evaluate(() => {
        const luminance = (color: string) => {
          const [r = 0, g = 0, b = 0] = (color.match(/[\d.]+/g) ?? []).slice(0, 3).map((part) => (Number(part) / 255 <= 0.04045 ? Number(part) / 255 / 12.92 : ((Number(part) / 255 + 0.055) / 1.055) ** 2.4));
          return 0.2126 * r + 0.7152 * g + 0.0722 * b;
        };
        const ground = luminance(getComputedStyle(document.body).backgroundColor);
        return [...document.querySelectorAll('p, td, th, figcaption, svg text')].map((place) => {
          const style = getComputedStyle(place);
          const text = luminance(place instanceof SVGElement ? style.fill : style.color);
          return (Math.max(text, ground) + 0.05) / (Math.min(text, ground) + 0.05);
        });
      });
      expect(contrast.length).toBeGreaterThan(50);
      expect(Math.min(...contrast)).toBeGreaterThan(4.5);
    }
  });
});
