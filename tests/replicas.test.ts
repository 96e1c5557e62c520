// Data-parallel training: two processes, each on half of every batch and with synchronized statistics, learn what one does.
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readMetrics } from '../packages/lab/src/run/metrics.ts';
import { Place, until } from './cluster/parts.ts';

const plugin = (name: string) => fileURLToPath(new URL(`../packages/${name}/src/plugin.ts`, import.meta.url));

const experiment = `plugins: ${JSON.stringify([plugin('norm'), plugin('zoo'), plugin('backends/cpu')])}
backend: cpu
data: { name: fashion-mnist, train: 200, test: 100 }
model: { name: mlp, norm: synchronized-batch, hidden: [16] }
train: { optimizer: { name: sgd, lr: 0.1, momentum: 0.9 }, batch: 40, steps: 30, logEvery: 1, checkpointEvery: 5, evaluateEvery: 10, replicas: "\${replicas}" }
sweep: { grid: { replicas: [1, 2] } }
`;

describe('train.replicas', { timeout: 300_000 }, () => {
  let place: Place;
  beforeEach(() => {
    place = new Place();
    writeFileSync(join(place.folder, 'parallel.yaml'), experiment);
  });
  afterEach(() => place.clear());

  const losses = async (runs: string, replicas: number) => {
    const folder = join(await place.study(runs), `replicas-${replicas}.seed-0`, '0-train');
    return readMetrics(join(folder, 'metrics.arrow')).filter(({ metric }) => metric === 'train.loss').map(({ value }) => value);
  };

  it('gives the loss of one process with the whole batch', async () => {
    const run = place.athanor('run', 'parallel.yaml', '--executor=inline');
    expect([await run.ended, run.said]).toEqual([0, expect.any(String)]);
    const [one, two] = [await losses('runs', 1), await losses('runs', 2)];
    expect(one).toHaveLength(30);
    expect(two).toHaveLength(30);
    expect(one.at(-1)).toBeLessThan(0.8 * (one[0] ?? 0));
    for (const [step, loss] of two.entries()) expect(Math.abs(loss - (one[step] ?? 0)), `step ${step}`).toBeLessThan(1e-4);
  });

  it('goes on to the same bits when the process that leads is killed', async () => {
    const whole = place.athanor('run', 'parallel.yaml', 'replicas=2', '--runs', 'whole');
    expect([await whole.ended, whole.said]).toEqual([0, expect.any(String)]);
    const killed = place.athanor('run', 'parallel.yaml', 'replicas=2');
    const study = await place.study('runs');
    const checkpointed = () => readdirSync(study, { recursive: true, encoding: 'utf8' }).some((name) => name.endsWith('state.json'));
    await until(checkpointed, () => killed.said);
    killed.kill('SIGKILL');
    await killed.ended;
    const again = place.athanor('run', 'parallel.yaml', 'replicas=2');
    expect([await again.ended, again.said]).toEqual([0, expect.any(String)]);
    expect(place.outcome('runs')).toEqual(place.outcome('whole'));
  });
});
