// Backend that generates WebAssembly SIMD, with threads on shared memory.
export { WasmBackend, wasmBackend, type WasmOptions } from './backend.ts';
export { enableEngineFeatures, type EngineFeatures } from './runtime/features.ts';
export { default } from './plugin.ts';
