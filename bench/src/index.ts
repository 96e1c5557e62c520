// Benchmarks against peers.
export {}
