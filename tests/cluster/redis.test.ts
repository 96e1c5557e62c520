// The queue on a real Redis: workers take jobs, one is killed in mid-run, and the outcome is that of this machine alone.
import { spawn, type ChildProcess } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Place, here, until } from './parts.ts';
import { freePort } from './slurm.ts';

describe.skipIf(!here(['redis-server'], 'redis-server'))('a queue on Redis', { timeout: 300_000 }, () => {
  let redis: ChildProcess;
  let url = '';
  let place: Place;

  beforeAll(async () => {
    const port = await freePort();
    redis = spawn('redis-server', ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no']);
    let said = '';
    redis.stdout?.on('data', (text: Buffer) => { said += text.toString(); });
    await until(() => said.includes('Ready to accept connections'), () => said);
    url = `redis://127.0.0.1:${port}`;
  });
  afterAll(async () => {
    const ended = new Promise((resolve) => redis.on('exit', resolve));
    redis.kill();
    await ended;
  });
  afterEach(() => place.clear());

  const local = async () => {
    expect(await place.athanor('run', 'walk.yaml', '--runs', 'local', '--executor=inline').ended).toBe(0);
    return place.outcome('local');
  };

  it('gives the same bits as this machine alone, though a worker is killed and another ends', async () => {
    place = new Place({ variants: 3 });
    const expected = local();
    const workers = [0, 1, 2].map(() => place.athanor('worker', '--queue', url, '--lease', '2', '--workers', '1'));
    for (const worker of workers) await worker.says(/waiting for jobs/);
    const [first, second] = workers;
    const submitter = place.athanor('run', 'walk.yaml', '--executor=bullmq', '--queue', url);
    for (const worker of workers) await worker.says(/begun/);
    const begun = () => [...(first?.said ?? '').matchAll(/(\S+): begun/g)].at(-1)?.[1] ?? '';
    await until(() => checkpointed(join(place.folder, 'runs', begun())), () => 'no checkpoint');
    first?.kill('SIGKILL');
    second?.kill('SIGTERM');
    expect(await second?.ended).toBe(0);
    expect(second?.said).toContain('given back');
    expect(await submitter.ended).toBe(0);
    expect(submitter.said).toContain('its worker is gone: another one goes on');
    expect(submitter.said).toMatch(/going on at step \d+ of 40/);
    expect(place.outcome('runs')).toEqual(await expected);
  });

  it('tells a failed job with its reason and finishes the others', async () => {
    place = new Place({ wait: 1, failAt: [3, 1000] });
    place.athanor('worker', '--queue', url, '--workers', '2');
    const submitter = place.athanor('run', 'walk.yaml', '--executor=bullmq', '--queue', url);
    expect(await submitter.ended).toBe(1);
    expect(submitter.said).toMatch(/2 of 4 runs failed:\n {2}scale-3.seed-0: .*step 3 was told to fail\n/);
    expect(submitter.said).toMatch(/ {4}\| .*Error: .*step 3 was told to fail\n/);
  });

  it('goes on watching jobs that were submitted before', async () => {
    place = new Place();
    const expected = local();
    const gone = place.athanor('run', 'walk.yaml', '--executor=bullmq', '--queue', url);
    await place.study('runs');
    place.athanor('worker', '--queue', url, '--workers', '2');
    await gone.says(/walk {2}1\/40/);
    gone.kill('SIGKILL');
    await gone.ended;
    expect(await place.athanor('run', 'walk.yaml', '--executor=bullmq', '--queue', url).ended).toBe(0);
    expect(place.outcome('runs')).toEqual(await expected);
  });

  it('says what is wrong when nobody answers', async () => {
    place = new Place();
    const port = await freePort();
    const submitter = place.athanor('run', 'walk.yaml', '--executor=bullmq', '--queue', `redis://127.0.0.1:${port}`);
    expect(await submitter.ended).toBe(2);
    expect(submitter.said.replaceAll(String(port), 'PORT')).toMatchInlineSnapshot(`
      "no Redis answers at redis://127.0.0.1:PORT (ECONNREFUSED) — start one (Debian: apt-get install redis-server) or name another with --queue
      "
    `);
  });
});

/** Whether a run has left a checkpoint. */
function checkpointed(run: string): boolean {
  return readdirSync(run, { recursive: true, encoding: 'utf8' }).some((name) => name.endsWith('state.json'));
}
