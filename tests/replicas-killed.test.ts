// Data-parallel training that is killed goes on to the bits of an unbroken run.
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Place, until } from './cluster/parts.ts';

const plugin = (name: string) => fileURLToPath(new URL(`../packages/${name}/src/plugin.ts`, import.meta.url));

const experiment = `plugins: ${JSON.stringify([plugin('norm'), plugin('zoo'), plugin('backends/cpu')])}
backend: cpu
data: { name: fashion-mnist, train: 200, test: 100 }
model: { name: mlp, norm: synchronized-batch, hidden: [16] }
train: { optimizer: { name: sgd, lr: 0.1, momentum: 0.9 }, batch: 40, steps: 30, checkpointEvery: 5, replicas: 2 }
`;

describe('train.replicas', { timeout: 300_000 }, () => {
  let place: Place;
  beforeEach(() => {
    place = new Place();
    writeFileSync(join(place.folder, 'parallel.yaml'), experiment);
  });
  afterEach(() => place.clear());

  it('goes on to the same bits when the process that leads is killed', async () => {
    const whole = place.athanor('run', 'parallel.yaml', '--runs', 'whole');
    expect([await whole.ended, whole.said]).toEqual([0, expect.any(String)]);
    const killed = place.athanor('run', 'parallel.yaml');
    const study = await place.study('runs');
    const checkpointed = () => readdirSync(study, { recursive: true, encoding: 'utf8' }).some((name) => name.endsWith('state.json'));
    await until(checkpointed, () => killed.said);
    killed.kill('SIGKILL');
    await killed.ended;
    const again = place.athanor('run', 'parallel.yaml');
    expect([await again.ended, again.said]).toEqual([0, expect.any(String)]);
    expect(place.outcome('runs')).toEqual(place.outcome('whole'));
  });
});
