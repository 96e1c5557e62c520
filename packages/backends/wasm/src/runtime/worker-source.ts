// The program of a worker thread, as text: it must start in Node and in pages, from sources and from a package.
// It instantiates the driver and then lives inside it; it comes out to load modules of kernels.
import { importedMath, kernelName } from '../codegen/kernels.ts';
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
  const env = { memory };
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(driver), { env: { memory, table } });
  const words = () => new Int32Array(memory.buffer, 0, 128);
  let micro = {};
  let job = 0;
  for (;;) {
    const operation = exports.work(thread, job);
    const control = words();
    job = Atomics.load(control, ${control.job / 4});
    if (operation === ${jobs.exit}) return;
    const start = control[${control.moduleStart / 4}] >>> 0;
    const bytes = new Uint8Array(memory.buffer, start, control[${control.moduleLength / 4}]);
    const copy = new Uint8Array(bytes.length);
    copy.set(bytes);
    const first = control[${control.moduleFirst / 4}];
    const count = control[${control.moduleCount / 4}];
    const loaded = new WebAssembly.Instance(new WebAssembly.Module(copy), { env, math, micro }).exports;
    if (count === 0) micro = { ...loaded };
    while (table.length < first + count) table.grow(table.length);
    for (let i = 0; i < count; i++) table.set(first + i, loaded['${kernelName(0).slice(0, -1)}' + i]);
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
