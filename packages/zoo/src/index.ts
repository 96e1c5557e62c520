// Network architectures as plugins.
export {}
