// Autograd tensor engine: one IR, many backends (modules, optimisers, losses, layer graph).
export {}
