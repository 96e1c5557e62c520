// `@athanor/core/nn`: modules, optimisers, losses, layer graph.
export { Module, replace, type ForwardHook, type ForwardPreHook } from './module.ts';
export { ModuleList, Sequential, type TensorModule } from './containers.ts';
export { Buffer, Parameter } from './parameter.ts';
export { loadState, snapshot, type HostTensor, type LoadOptions, type Loadable, type StateDict } from './state.ts';
export { Optimizer, type OptimizerOptions, type ParameterGroup, type Parameters, type StepOptions } from './optim/optimizer.ts';
export { SGD, type SGDOptions } from './optim/sgd.ts';
export { Adam, AdamW, type AdamOptions } from './optim/adam.ts';
