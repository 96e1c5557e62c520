// Starts one worker thread in Node or in a page, behind one small interface.
import { UserError } from '@athanor/core';
import { builtin, exists } from '../platform.ts';
import type { Request, Response, Setup } from './protocol.ts';

/** A running worker. */
export interface WorkerHandle {
  post(message: Setup | Request): void;
  /** While held, the worker keeps the process alive. */
  hold(held: boolean): void;
  stop(): Promise<void>;
}

export interface WorkerEvents {
  readonly onResponse: (response: Response) => void;
  /** The worker broke down or ended. */
  readonly onEnd: (reason: string) => void;
}

export function spawnWorker(events: WorkerEvents): WorkerHandle {
  const threads = builtin('node:worker_threads');
  return threads === undefined ? spawnInPage(events) : spawnInNode(threads, events);
}

function spawnInNode(threads: typeof import('node:worker_threads'), events: WorkerEvents): WorkerHandle {
  // No flags of this process: the worker is compiled and needs neither conditions nor loaders.
  const worker = new threads.Worker(compiledWorker(), { execArgv: [] });
  worker.on('message', events.onResponse);
  worker.on('error', (error) => events.onEnd(error instanceof Error ? error.message : String(error)));
  worker.on('exit', (code) => events.onEnd(`it ended with code ${code}`));
  worker.unref();
  return {
    post: (message) => worker.postMessage(message),
    hold: (held) => (held ? worker.ref() : worker.unref()),
    async stop() {
      await worker.terminate();
    },
  };
}

function spawnInPage(events: WorkerEvents): WorkerHandle {
  const worker = new Worker(new URL('./worker.js', import.meta.url), { type: 'module' });
  worker.addEventListener('message', (event: MessageEvent<Response>) => events.onResponse(event.data));
  worker.addEventListener('error', (event) => events.onEnd(event.message));
  return {
    post: (message) => worker.postMessage(message),
    hold: () => undefined,
    async stop() {
      worker.terminate();
    },
  };
}

/** Node 20 runs no TypeScript, so that sources too start the compiled worker. */
function compiledWorker(): URL {
  const fromSource = import.meta.url.endsWith('.ts');
  const url = new URL(fromSource ? '../../dist/loader/worker.js' : './worker.js', import.meta.url);
  if (fromSource && !exists(url)) throw new UserError('the worker is not built', { remedy: 'npm run build' });
  return url;
}
