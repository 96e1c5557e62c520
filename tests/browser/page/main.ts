// The page: what the test calls by name.
import { work, type Outcome, type Task } from './work.ts';

interface Answer {
  readonly outcome?: Outcome;
  readonly error?: string;
}

function workInWorker(task: Task): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module' });
    worker.addEventListener('error', ({ message }) => reject(new Error(message)));
    worker.addEventListener('message', ({ data }: MessageEvent<Answer>) => {
      if (data.outcome === undefined) reject(new Error(data.error));
      else resolve(data.outcome);
      worker.terminate();
    });
    worker.postMessage(task);
  });
}

const places = { page: work, worker: workInWorker };
export type Places = typeof places;

Object.assign(globalThis, { places });
