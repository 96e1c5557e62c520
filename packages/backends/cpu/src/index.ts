// `@athanor/backend-cpu`: the backend that generates JavaScript; the default export is its plugin.
export { CpuBackend, cpuBackend, type CpuOptions } from './backend.ts';
export { default } from './plugin.ts';
