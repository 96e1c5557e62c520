// `@athanor/backend-wasm`: the backend that generates WebAssembly SIMD; the default export is its plugin.
export { WasmBackend, wasmBackend, type WasmOptions } from './backend.ts';
export { enableEngineFeatures, type EngineFeatures } from './runtime/features.ts';
export { default } from './plugin.ts';
