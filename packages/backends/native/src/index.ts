// `@athanor/backend-native`: the backend that generates C; the default export is its plugin.
export { NativeBackend, nativeBackend, type NativeOptions } from './backend.ts';
export type { VectorBytes } from './compiler/toolchain.ts';
export { default } from './plugin.ts';
