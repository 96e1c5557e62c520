// The suite and the benchmark list that every backend must pass.
export {}
