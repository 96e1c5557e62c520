// A Slurm of its own for a test: one controller, one node, in a scratch folder, without authentication.
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { hostname, tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { until } from './parts.ts';

export interface Cluster {
  readonly environment: { readonly SLURM_CONF: string };
  /** Runs one of Slurm's programs and returns what it prints. */
  run(program: string, ...words: readonly string[]): string;
  stop(): Promise<void>;
}

/** Starts a cluster with one node of `cpus` CPUs and waits until that takes jobs. */
export async function startCluster({ cpus }: { cpus: number }): Promise<Cluster> {
  const folder = mkdtempSync(join(tmpdir(), 'athanor-slurm-'));
  for (const name of ['state', 'spool']) mkdirSync(join(folder, name));
  const [controllerPort, nodePort] = [await freePort(), await freePort()];
  const file = join(folder, 'slurm.conf');
  const user = userInfo().username;
  writeFileSync(file, `ClusterName=test
SlurmctldHost=${hostname()}(127.0.0.1)
SlurmctldPort=${controllerPort}
SlurmdPort=${nodePort}
SlurmUser=${user}
SlurmdUser=${user}
AuthType=auth/none
CredType=cred/none
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SlurmdParameters=config_overrides
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SchedulerParameters=batch_sched_delay=0,sched_min_interval=0
ReturnToService=2
KillWait=2
StateSaveLocation=${folder}/state
SlurmdSpoolDir=${folder}/spool
SlurmctldPidFile=${folder}/slurmctld.pid
SlurmdPidFile=${folder}/slurmd.pid
SlurmctldLogFile=${folder}/slurmctld.log
SlurmdLogFile=${folder}/slurmd.log
NodeName=node NodeHostname=${hostname()} NodeAddr=127.0.0.1 CPUs=${cpus} State=UNKNOWN
PartitionName=main Nodes=node Default=YES MaxTime=INFINITE State=UP
`);
  const environment = { SLURM_CONF: file };
  const env = { ...process.env, ...environment, PATH: `${process.env['PATH'] ?? ''}:/usr/sbin` };
  const daemons = [
    spawn('slurmctld', ['-D', '-c', '-f', file], { env, stdio: 'ignore' }),
    spawn('slurmd', ['-D', '-N', 'node', '-f', file], { env, stdio: 'ignore' }),
  ];
  const run = (program: string, ...words: readonly string[]) => {
    const { stdout, stderr, status } = spawnSync(program, words, { env, encoding: 'utf8' });
    if (status !== 0) throw new Error(`${program} ${words.join(' ')}: ${stderr}`);
    return stdout;
  };
  const idle = () => spawnSync('sinfo', ['--noheader', '--format=%T'], { env, encoding: 'utf8' }).stdout.trim() === 'idle';
  const logs = () => ['slurmctld.log', 'slurmd.log'].map((name) => readFileSync(join(folder, name), 'utf8')).join('\n');
  const stop = async () => {
    await Promise.all(daemons.toReversed().map(end));
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await until(idle, () => `the node does not come up:\n${logs()}`, 60);
  } catch (error) {
    await stop();
    throw error;
  }
  return { environment, run, stop };
}

async function end(daemon: ChildProcess): Promise<void> {
  if (daemon.exitCode !== null) return;
  const ended = new Promise((resolve) => daemon.on('exit', resolve));
  daemon.kill('SIGTERM');
  await ended;
}

/** A port of 127.0.0.1 that nobody listens at. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
