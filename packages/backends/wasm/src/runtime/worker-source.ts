// The program of a worker thread, as text: it must start in Node and in pages, from sources and from a package.
// It instantiates the driver and then lives inside it; it comes out to load modules of kernels.
import { importedMath } from '../codegen/kernels.ts';
import { exactFunctions } from './exact.ts';
import { control, jobs } from './control.ts';

/** What a worker is started with. */
export interface WorkerStart {
  readonly memory: WebAssembly.Memory;
  readonly driver: Uint8Array;
  readonly thread: number;
  readonly threads: number;
}

export function workerSource(): string {
  const math = Object.keys(importedMath).map((name) => `${name}: ${exactFunctions.source(name)}`);
  return `'use strict';
const work = ({ memory, driver, thread, threads }) => {
  const math = { ${math.join(', ')} };
  const table = new WebAssembly.Table({ element: 'anyfunc', initial: 1024 });
  const env = { memory, table };
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(driver), { env });
  const words = () => new Int32Array(memory.buffer, 0, 128);
  let job = 0;
  for (;;) {
    const operation = exports.work(thread, job);
    const control = words();
    job = Atomics.load(control, ${control.job / 4});
    if (operation === ${jobs.exit}) return;
    const start = control[${control.moduleStart / 4}] >>> 0;
    const bytes = new Uint8Array(memory.buffer, start, control[${control.moduleLength / 4}]).slice();
    const copy = new Uint8Array(bytes.length);
    copy.set(bytes);
    const size = control[${control.tableEnd / 4}];
    if (table.length < size) table.grow(size - table.length);
    new WebAssembly.Instance(new WebAssembly.Module(copy), { env, math });
    exports.meet(threads);
  }
};
if (typeof require === 'function' && typeof postMessage !== 'function') {
  work(require('node:worker_threads').workerData);
} else {
  onmessage = ({ data }) => {
    postMessage('ready');
    work(data);
  };
}
`;
}
