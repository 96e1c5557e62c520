// The server of `athanor ui`: what it tells, whom it refuses, and that it changes nothing.
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseHTML } from 'linkedom';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { lockFolder } from '../run/lock.ts';
import { MetricLog, readMetrics } from '../run/metrics.ts';
import type { Study } from '../run/study.ts';
import { planWalks, runWalks } from '../testing/walks.ts';
import type { Charts } from './charts.ts';
import { startUi } from './server.ts';
import type { Ui } from './server.ts';

let folder = '';
let study: Study;
let ui: Ui;

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
}

/** A request with exactly this path and these headers. */
function ask(path: string, { method = 'GET', headers = {} }: { method?: string; headers?: Record<string, string> } = {}): Promise<Answer> {
  const { port } = new URL(ui.url);
  return new Promise((resolve, reject) => {
    const asked = request({ host: '127.0.0.1', port, path, method, headers: { Host: `127.0.0.1:${port}`, ...headers } }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part: string) => (text += part)).on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, text }));
    });
    asked.on('error', reject).end();
  });
}

const json = async (path: string) => JSON.parse((await ask(path)).text) as { version: number; rows: { id: number; study: string; name: string; status: string; step: number; numbers: object }[]; gone: number[]; unreadable: string[] };
const charts = async (words: string) => JSON.parse((await ask(`/api/charts?${words}`)).text) as Charts;

function tree(root: string): string[] {
  return readdirSync(root, { recursive: true, encoding: 'utf8' }).map((file) => `${file} ${statSync(join(root, file)).mtimeMs} ${statSync(join(root, file)).size}`).toSorted();
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'athanor-'));
  study = await runWalks(folder, { question: 'Is 1 < 2?', scales: ['small', '<b>&'] });
  writeFileSync(join(folder, 'secret.txt'), 'secret');
  ui = await startUi({ root: join(folder, 'runs'), port: 0, every: 30 });
  await ui.ready;
});
afterAll(async () => {
  await ui.close();
  rmSync(folder, { recursive: true });
});

describe('what it tells', () => {
  it('lists runs with status and final numbers', async () => {
    const { rows } = await json('/api/runs?since=-1');
    expect(rows).toHaveLength(4);
    expect(rows[0]).toMatchObject({ name: 'scale-1.seed-0', variant: 'scale=small', seed: 0, status: 'done', numbers: { 'test.samples': 1000 } });
  });

  it('draws the logged values', async () => {
    const run = study.runs[1];
    const logged = readMetrics(join(run?.folder ?? '', '0-walk', 'metrics.arrow')).filter(({ metric }) => metric === 'test.place');
    const { rows } = await json('/api/runs');
    const id = rows.find(({ name }) => name === run?.name)?.id;
    const { metrics, charts: drawn } = await charts(`runs=${id}&metric=test.place&width=400`);
    expect(metrics).toEqual(['test.place', 'train.loss']);
    expect(drawn[0]?.series[0]?.points).toEqual(logged.map(({ step, value }) => [step, value]));
    expect(drawn[0]?.svg).toContain('viewBox="0 0 400 220"');
  });

  it('groups seeds with a band, smooths, takes logarithms', async () => {
    const ids = (await json('/api/runs')).rows.map(({ id }) => id).join(',');
    const grouped = await charts(`runs=${ids}&metric=train.loss&group=1`);
    expect(grouped.charts[0]?.series.map(({ name }) => name)).toEqual(['scale=small', 'scale=<b>&']);
    expect(grouped.charts[0]?.svg).toContain('aria-label="area"');
    const single = await charts(`runs=${ids}&metric=train.loss&log=1`);
    expect(single.charts[0]?.series).toHaveLength(4);
    expect(single.charts[0]?.y?.type).toBe('log');
    const variation = ({ charts: [chart] }: Charts) => (chart?.series[0]?.points ?? []).reduce((sum, [, y], index, all) => sum + Math.abs(y - (all[index - 1]?.[1] ?? y)), 0);
    expect(variation(await charts(`runs=${ids}&metric=train.loss&smooth=0.5`))).toBeLessThan(variation(single) / 2);
  });

  it('shows a study, or one of its runs, as a report', async () => {
    const name = study.folder.split('/').at(-1) ?? '';
    const whole = parseHTML((await ask(`/runs/${name}`)).text).document;
    expect(whole.querySelector('h1')?.textContent).toBe('walks');
    const one = parseHTML((await ask(`/runs/${name}/scale-1.seed-1`)).text).document;
    expect(one.querySelector('h1')?.textContent).toBe('walks: scale-1.seed-1');
    expect([...one.querySelectorAll('nav a')].map((link) => link.getAttribute('href'))).toEqual(['/', `/runs/${name}`]);
    expect([...one.querySelectorAll('section table')][0]?.querySelectorAll('tbody tr').length).toBe(1);
  });

  it('follows runs that go on, and sees new, spoilt and vanished ones', async () => {
    const root = join(folder, 'runs');
    const events = new AbortController();
    const watching = await fetch(`${ui.url}api/events`, { signal: events.signal });
    const later = planWalks(folder, { name: 'later', scales: ['one'] });
    const run = later.runs[0]?.folder ?? '';
    const unlock = lockFolder(run);
    mkdirSync(join(run, '0-walk'));
    const log = new MetricLog(join(run, '0-walk', 'metrics.arrow'), 0);
    const until = async (holds: (answer: Awaited<ReturnType<typeof json>>) => boolean) => {
      // A busy machine is not a failure.
      for (const end = Date.now() + 60_000; Date.now() < end; ) {
        const answer = await json('/api/runs');
        if (holds(answer)) return answer;
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      throw new Error('it was not seen');
    };
    log.add([{ step: 7, metric: 'loss', value: 1 }]);
    log.flush();
    await until(({ rows }) => rows.some(({ status, step }) => status === 'running' && step === 7));
    log.add([{ step: 8, metric: 'loss', value: 0.5 }]);
    log.close();
    const { rows, version } = await until((answer) => answer.rows.some(({ step }) => step === 8));
    const id = rows.find(({ step }) => step === 8)?.id;
    expect((await charts(`runs=${id}`)).charts[0]?.series[0]?.points).toEqual([[7, 1], [8, 0.5]]);
    unlock();
    mkdirSync(join(root, 'spoilt'));
    writeFileSync(join(root, 'spoilt', 'study.json'), '{');
    renameSync(later.folder, join(folder, 'elsewhere'));
    await until(({ unreadable, rows: now }) => unreadable.length === 1 && now.every((row) => row.id !== id));
    expect((await json(`/api/runs?since=${version}`)).gone).toContain(id);
    rmSync(join(root, 'spoilt'), { recursive: true });
    await until(({ unreadable }) => unreadable.length === 0);
    const reader = watching.body?.getReader();
    expect(new TextDecoder().decode((await reader?.read())?.value)).toMatch(/^data: \d+\n\n/);
    events.abort();
  });
});

it('sees that a run which was done is computed again', async () => {
  const result = join(study.runs[3]?.folder ?? '', '0-walk', 'result.json');
  const status = async () => (await json('/api/runs')).rows.find(({ name }) => name === study.runs[3]?.name);
  const watching = new AbortController();
  await fetch(`${ui.url}api/events`, { signal: watching.signal });
  renameSync(result, `${result}.aside`);
  await expect.poll(async () => (await status())?.status, { timeout: 60_000 }).toBe('interrupted');
  writeFileSync(result, readFileSync(`${result}.aside`, 'utf8').replace('1000', '1001'));
  rmSync(`${result}.aside`);
  await expect.poll(status, { timeout: 60_000 }).toMatchObject({ status: 'done', numbers: { 'test.samples': 1001 } });
  watching.abort();
});

describe('whom it refuses', () => {
  it('answers only to its own name, so that no other name can be bound to it', async () => {
    const { port } = new URL(ui.url);
    const statuses = [];
    for (const host of [`127.0.0.1:${port}`, `localhost:${port}`, `LOCALHOST:${port}`, 'evil.example', `evil.example:${port}`, '127.0.0.1', `127.0.0.1:${port}.evil.example`]) statuses.push((await ask('/api/runs', { headers: { Host: host } })).status);
    expect(statuses).toEqual([200, 200, 200, 403, 403, 403, 403]);
  });

  it('answers no requests of other sites', async () => {
    const { port } = new URL(ui.url);
    expect((await ask('/api/runs', { headers: { Origin: 'http://evil.example' } })).status).toBe(403);
    expect((await ask('/api/runs', { headers: { 'Sec-Fetch-Site': 'cross-site', 'Sec-Fetch-Mode': 'no-cors' } })).status).toBe(403);
    expect((await ask('/api/runs', { headers: { Origin: `http://127.0.0.1:${port}`, 'Sec-Fetch-Site': 'same-origin' } })).status).toBe(200);
  });

  it('only reads', async () => {
    for (const method of ['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS']) {
      const { status, headers } = await ask('/api/runs', { method });
      expect([method, status, headers['allow']]).toEqual([method, 405, 'GET, HEAD']);
    }
    expect((await ask('/', { method: 'HEAD' })).text).toBe('');
  });

  it('gives nothing but what it has found', async () => {
    const name = study.folder.split('/').at(-1) ?? '';
    const paths = ['/nothing', '/runs/', '/runs/..', '/runs/%2e%2e', '/runs/%2e%2e%2fsecret.txt', '/runs/../secret.txt', `/runs/${name}/..`, `/runs/${name}/%2e%2e%2f%2e%2e`, `/runs/${name}/scale-1.seed-0/0-walk`, '/runs/%ff', '/client/../server.ts', '/client/%2e%2e/server.ts', '/client/filter.test.ts', '//evil/', '/runs/%00'];
    for (const path of paths) {
      const { status, text } = await ask(path);
      expect([path, status]).toEqual([path, 404]);
      expect(text).not.toContain('secret');
    }
  });

  it('takes odd words for none', async () => {
    expect(await charts('runs=1e99,-1,x,,999999&metric=nothing&smooth=x&width=99999999')).toEqual({ metrics: [], charts: [], looks: {}, legend: [] });
    expect((await ask('/api/runs?since=x')).status).toBe(200);
  });

  it('lets a browser load nothing from elsewhere', async () => {
    const { headers, text } = await ask('/');
    expect(headers['content-security-policy']).toMatch(/^default-src 'none'; script-src 'self'/);
    expect(headers['x-content-type-options']).toBe('nosniff');
    expect(text).not.toMatch(/(?:src|href)="https?:/);
  });
});

it('changes nothing in the runs folder', async () => {
  const before = tree(join(folder, 'runs'));
  const name = study.folder.split('/').at(-1) ?? '';
  for (const path of ['/', '/api/runs', '/api/charts?runs=1,2,3&group=1', `/runs/${name}`, `/runs/${name}/scale-1.seed-0`]) expect((await ask(path)).status).toBe(200);
  expect(tree(join(folder, 'runs'))).toEqual(before);
});

it('says when the port is taken, and shows an empty page where there is no folder', async () => {
  const { port } = new URL(ui.url);
  await expect(startUi({ root: folder, port: Number(port) })).rejects.toThrow(`port ${port} of 127.0.0.1 is in use — choose another with --port, or 0 for any`);
  const none = await startUi({ root: join(folder, 'none'), port: 0 });
  await none.ready;
  expect(await (await fetch(`${none.url}api/runs`)).json()).toMatchObject({ complete: true, rows: [], unreadable: [] });
  await none.close();
  expect(existsSync(join(folder, 'none'))).toBe(false);
  expect(readFileSync(join(folder, 'secret.txt'), 'utf8')).toBe('secret');
});
