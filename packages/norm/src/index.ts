// Normalization layers as plugins.
export {}
