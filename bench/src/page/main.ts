// The page: measures a row in a worker of its own, where threads may sleep.
import type { Row } from '../row.ts';
import type { Answer, Task } from './worker.ts';

function measureCase(task: Task): Promise<Row> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module' });
    worker.addEventListener('error', ({ message }) => reject(new Error(message)));
    worker.addEventListener('message', ({ data }: MessageEvent<Answer>) => {
      worker.terminate();
      if (data.row === undefined) reject(new Error(data.error));
      else resolve(data.row);
    });
    worker.postMessage(task);
  });
}

export type MeasureCase = typeof measureCase;

Object.assign(globalThis, { measureCase });
