// Autograd tensor engine: one IR, many backends.
export {}
