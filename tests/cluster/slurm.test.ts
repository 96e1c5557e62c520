// Job arrays on a real Slurm: tasks are killed and requeued in mid-run, and the outcome is that of this machine alone.
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Place, here, until } from './parts.ts';
import { startCluster, type Cluster } from './slurm.ts';

describe.skipIf(!here(['slurmctld', 'slurmd', 'sbatch'], 'slurm-wlm'))('Slurm', { timeout: 300_000 }, () => {
  let cluster: Cluster;
  let place: Place;

  beforeAll(async () => {
    cluster = await startCluster({ cpus: 3 });
  });
  afterAll(() => cluster.stop());
  afterEach(() => place.clear());

  it('gives the same bits as this machine alone, though a task is killed and another requeued', async () => {
    place = new Place({ environment: cluster.environment });
    const submitter = place.athanor('run', 'walk.yaml', '--executor=slurm');
    const study = await place.study('runs');
    const runs = ['scale-1.seed-0', 'scale-1.seed-1'].map((name) => join(study, name));
    for (const run of runs) await until(() => checkpointed(run), () => `no checkpoint: ${submitter.said}`);
    const [killed = '', requeued = ''] = runs;
    const { pid } = JSON.parse(readFileSync(join(killed, 'lock'), 'utf8')) as { pid: number };
    process.kill(pid, 'SIGKILL');
    const { array } = JSON.parse(readFileSync(join(study, 'slurm', 'submitted.json'), 'utf8')) as { array: string };
    cluster.run('scontrol', 'requeue', `${array}_1`);
    await until(() => cluster.run('squeue', '--noheader', '--array', '--format=%K %T').includes('1 PENDING'), () => 'not requeued');
    cluster.run('scontrol', 'update', `JobId=${array}_1`, 'StartTime=now');
    expect(await submitter.ended).toBe(0);
    for (const run of [killed, requeued]) expect(readFileSync(join(run, 'job.log'), 'utf8')).toMatch(/going on at step \d+ of/);
    await until(() => existsSync(join(study, 'slurm', 'report.log')), () => 'no report');
    expect(await place.athanor('run', 'walk.yaml', '--runs', 'local', '--executor=inline').ended).toBe(0);
    expect(place.outcome('runs')).toEqual(place.outcome('local'));
  });

  it('goes on waiting for tasks that were submitted before, and tells a failed one', async () => {
    place = new Place({ environment: cluster.environment, wait: 10, failAt: [30, 1000] });
    const gone = place.athanor('run', 'walk.yaml', '--executor=slurm', '--workers=1');
    const study = await place.study('runs');
    await until(() => existsSync(join(study, 'slurm', 'submitted.json')), () => gone.said);
    gone.kill('SIGKILL');
    await gone.ended;
    const submitter = place.athanor('run', 'walk.yaml', '--executor=slurm', '--workers=1');
    expect(await submitter.ended).toBe(1);
    expect(submitter.said).toContain('in Slurm\'s array');
    expect(submitter.said).toMatch(/2 of 4 runs failed:\n {2}scale-30.seed-0: .*step 30 was told to fail/);
    expect(readdirSync(join(study, 'slurm')).filter((name) => name.startsWith('runs-'))).toHaveLength(1);
  });

  it('passes on what sbatch refuses', async () => {
    place = new Place({ environment: cluster.environment });
    const submitter = place.athanor('run', 'walk.yaml', '--executor=slurm', '--sbatch=--partition=none');
    expect(await submitter.ended).toBe(2);
    expect(submitter.said).toMatchInlineSnapshot(`
      "sbatch refuses: sbatch: error: Batch job submission failed: Invalid partition name specified — see what it says with the same words by hand; --sbatch=WORD adds words, such as --sbatch=--partition=long
      "
    `);
  });
});

/** Whether a run has left a checkpoint. */
function checkpointed(run: string): boolean {
  return existsSync(run) && readdirSync(run, { recursive: true, encoding: 'utf8' }).some((name) => name.endsWith('state.json'));
}
