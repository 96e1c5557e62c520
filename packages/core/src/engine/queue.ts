// Runs in order. Synchronous backends run at once; as soon as one job is asynchronous, later ones wait for it.

type Job = () => void | Promise<void>;

let tail: Promise<void> | undefined;
let failure: { readonly error: unknown } | undefined;

/** Does a job after all earlier ones. A synchronous failure is thrown; an asynchronous one surfaces in `settled`. */
export function submit(job: Job): void {
  if (tail === undefined) {
    const done = job();
    if (done !== undefined) follow(done);
    return;
  }
  follow(tail.then(job));
}

function follow(done: Promise<void>): void {
  const next = done
    .catch((error: unknown) => {
      failure ??= { error };
    })
    .then(() => {
      if (tail === next) tail = undefined;
    });
  tail = next;
}

/** Waits for all jobs and throws the first failure since the last call. */
export async function settled(): Promise<void> {
  while (tail !== undefined) await tail;
  const first = failure;
  failure = undefined;
  if (first !== undefined) throw first.error;
}

/** Continues with a value that a backend gives now or later. */
export function whenDone<T, R>(value: T | Promise<T>, then: (value: T) => R): R | Promise<R> {
  return value instanceof Promise ? value.then(then) : then(value);
}
