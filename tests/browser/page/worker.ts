// The same work in a worker of the page, where threads may sleep.
import { work, type Task } from './work.ts';

globalThis.addEventListener('message', ({ data }: MessageEvent<Task>) => {
  work(data).then(
    (outcome) => globalThis.postMessage({ outcome }),
    (error: unknown) => globalThis.postMessage({ error: String(error) }),
  );
});
