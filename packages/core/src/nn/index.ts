// `@athanor/core/nn`: modules, optimisers, losses, layer graph.
export { Module, replace, type ForwardHook, type ForwardPreHook } from './module.ts';
export { ModuleList, Sequential, type TensorModule } from './containers.ts';
export { Buffer, Parameter } from './parameter.ts';
export { loadState, snapshot, type HostTensor, type LoadOptions, type Loadable, type StateDict } from './state.ts';
export { Optimizer, type OptimizerOptions, type ParameterGroup, type Parameters, type StepOptions } from './optim/optimizer.ts';
export { SGD, type SGDOptions } from './optim/sgd.ts';
export { Adam, AdamW, type AdamOptions } from './optim/adam.ts';
export * as functional from './functional/index.ts';
export * as init from './init.ts';
export type { Initializer } from './init.ts';
export { Embedding, Flatten, Identity, Linear, type LinearOptions } from './layers/linear.ts';
export * from './layers/activation.ts';
export * from './layers/convolution.ts';
export * from './layers/dropout.ts';
export * from './layers/loss.ts';
export * from './layers/pooling.ts';
