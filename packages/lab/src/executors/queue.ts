// What both ends of the queue on Redis share: its name, its jobs, and how BullMQ is loaded and reached.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { fileURLToPath } from 'node:url';
import { UserError } from '@athanor/core';
import type { RedisOptions } from 'bullmq';
import type { JobFailure } from './executor.ts';

export const queueName = 'athanor';

/** A job in the queue: its run folder, seen from the folder of all runs. */
export interface QueuedJob {
  readonly run: string;
}

/** What a worker answers. */
export interface QueuedAnswer {
  readonly failure?: Omit<JobFailure, 'cause' | 'log'>;
}

/** The same run is the same job, so that nobody queues it twice. */
export function jobIdOf(run: string): string {
  return createHash('sha256').update(run).digest('hex').slice(0, 16);
}

/** BullMQ, which is not installed with the lab. Throws a UserError that says what to install. */
export async function loadBullmq(): Promise<typeof import('bullmq')> {
  try {
    await import('ioredis');
    return await import('bullmq');
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ERR_MODULE_NOT_FOUND')) throw error;
    const file = fileURLToPath(new URL('../../package.json', import.meta.url));
    const { peerDependencies } = JSON.parse(readFileSync(file, 'utf8')) as { peerDependencies: Record<string, string> };
    const wanted = Object.entries(peerDependencies).map(([name, version]) => `${name}@${version}`);
    throw new UserError('a queue on Redis needs packages that are not installed', { remedy: `npm install ${wanted.join(' ')}` });
  }
}

/** How to reach a Redis. Throws a UserError if the address is none or nobody answers there. */
export async function connectionTo(url: string): Promise<RedisOptions> {
  const address = URL.canParse(url) ? new URL(url) : undefined;
  if (address === undefined || !/^rediss?:$/.test(address.protocol)) {
    throw new UserError(`${JSON.stringify(url)} is not the address of a Redis`, { remedy: 'write redis://host:port' });
  }
  const problem = await tryConnecting(address.hostname, Number(address.port || 6379));
  if (problem !== undefined) {
    throw new UserError(`no Redis answers at ${url} (${problem})`, { remedy: 'start one (Debian: apt-get install redis-server) or name another with --queue' });
  }
  return { url, maxRetriesPerRequest: null };
}

/** Undefined if the connection stands, else what is wrong. */
function tryConnecting(host: string, port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: 5000 });
    const end = (problem?: string) => {
      socket.destroy();
      resolve(problem);
    };
    socket.once('connect', () => end());
    socket.once('timeout', () => end('no answer in 5 s'));
    socket.once('error', (error: NodeJS.ErrnoException) => end(error.code ?? error.message));
  });
}
