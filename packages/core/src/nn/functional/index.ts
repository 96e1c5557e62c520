// Layers without state, as functions: `functional.relu(x)`.
export * from './activation.ts';
export * from './attention.ts';
export * from './convolution.ts';
export * from './distance.ts';
export { alphaDropout, channelDropout, dropout, type DropoutOptions } from './dropout.ts';
export * from './folding.ts';
export * from './interpolate.ts';
export * from './linear.ts';
export * from './loss.ts';
export * from './margin.ts';
export * from './pooling.ts';
export * from './recurrent.ts';
export * from './unpooling.ts';
