// Backend that generates WebAssembly SIMD, with threads on shared memory.
export {}
