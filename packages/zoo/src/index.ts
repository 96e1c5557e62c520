// Network architectures whose parts can be chosen.
export { ConvUnit, LinearUnit, type ConvUnitOptions, type Style } from './blocks.ts';
export { LeNet5, type LeNet5Options } from './lenet5.ts';
export { LSTMClassifier, type LSTMClassifierOptions } from './lstm.ts';
export { MLP, type MLPOptions } from './mlp.ts';
export { BasicBlock, ResNet, type ResNetOptions, type Shortcut } from './resnet.ts';
export { activationNames, activations, learnsShift, noNorm, type Activation } from './style.ts';
export { default } from './plugin.ts';
