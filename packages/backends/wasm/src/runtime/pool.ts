// Worker threads in lock step with the main thread: started once, fed through the control block.
import { InternalError } from '@athanor/core/backend';
import { control, jobs } from './control.ts';
import type { DriverExports } from './driver.ts';
import type { LinearMemory } from './allocator.ts';
import { nodeModule } from './features.ts';
import { workerSource, type WorkerStart } from './worker-source.ts';

interface Thread {
  terminate(): unknown;
}

/** What a module holds: all micro-kernels, or kernels for the function table from an entry on. */
export type ModuleContent = { readonly kind: 'micro' } | { readonly kind: 'kernels'; readonly first: number; readonly count: number };

export class Pool {
  readonly threads: number;
  /** Settles when all workers have started; in Node nothing needs to wait for it. */
  readonly ready: Promise<void>;
  private readonly workers: Thread[] = [];
  private readonly memory: LinearMemory;
  private readonly driver: DriverExports;
  private lost = false;

  constructor(threads: number, memory: LinearMemory, driver: DriverExports, driverBytes: Uint8Array) {
    this.threads = threads;
    this.memory = memory;
    this.driver = driver;
    const starts: Promise<void>[] = [];
    for (let thread = 1; thread < threads; thread++) {
      const { worker, started } = startWorker({ memory: memory.memory, driver: driverBytes, thread, threads });
      this.workers.push(worker);
      starts.push(started);
    }
    this.ready = Promise.all(starts).then(() => undefined);
  }

  /** Instantiates a module in every worker; the main thread has done so already. */
  load(bytes: Uint8Array, content: ModuleContent): void {
    if (this.workers.length === 0) return;
    const address = this.memory.allocate(bytes.length);
    this.memory.bytes(address, bytes.length).set(bytes);
    const words = this.memory.words(0, 128);
    words[control.moduleStart / 4] = address;
    words[control.moduleLength / 4] = bytes.length;
    words[control.moduleFirst / 4] = content.kind === 'kernels' ? content.first : 0;
    words[control.moduleCount / 4] = content.kind === 'kernels' ? content.count : 0;
    this.driver.announce(jobs.load);
    this.check(this.driver.meet(this.threads));
    this.memory.release(address);
  }

  /** Runs a list of commands; `threads` is 1 where none of them needs more. `meanwhile` runs before this thread joins in. */
  step(tableStart: number, tableEnd: number, threads: number, meanwhile?: () => void): void {
    if (this.lost) this.check(1);
    this.driver.begin(tableStart, tableEnd, threads);
    meanwhile?.();
    this.check(this.driver.finish());
  }

  private check(result: number): void {
    if (result === 0) return;
    this.lost = true;
    throw new InternalError('a worker thread of the wasm backend ended in the middle of a step; its memory is not valid any more: make a new backend');
  }

  /** For tests: ends one worker, as a crash would. */
  async lose(thread: number): Promise<void> {
    await this.workers[thread - 1]?.terminate();
  }

  dispose(): void {
    if (!this.lost && this.workers.length > 0) this.driver.announce(jobs.exit);
    for (const worker of this.workers) worker.terminate();
    this.workers.length = 0;
  }
}

function startWorker(start: WorkerStart): { worker: Thread; started: Promise<void> } {
  const node = nodeModule('node:worker_threads');
  if (node !== undefined) {
    const worker = new node.Worker(workerSource(), { eval: true, workerData: start, execArgv: [] });
    worker.unref();
    return { worker, started: Promise.resolve() };
  }
  const url = URL.createObjectURL(new Blob([workerSource()], { type: 'text/javascript' }));
  const worker = new Worker(url);
  const started = new Promise<void>((resolve, reject) => {
    worker.addEventListener('message', () => resolve(), { once: true });
    worker.addEventListener('error', (event) => reject(new InternalError(`a worker thread of the wasm backend did not start: ${event.message}`)), { once: true });
  }).finally(() => URL.revokeObjectURL(url));
  worker.postMessage(start);
  return { worker, started };
}
