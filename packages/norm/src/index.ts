// Every normalization method, in one framework.
export { layoutOf, perChannel, spanAxes, splitChannels, splitLayout, type Layout, type Span } from './framework/layout.ts';
export { constantStatistics, countOf, inverseScale, statisticsOf, type EpsilonPlacement, type Statistics, type StatisticsOptions } from './framework/statistics.ts';
export { normalize, type Affine } from './framework/normalize.ts';
export { Norm, type NormOptions } from './framework/norm.ts';
export { BatchNorm, type RunningOptions } from './methods/batch.ts';
export { LayerNorm, RMSNorm } from './methods/layer.ts';
export { ChannelLayerNorm, ChannelRMSNorm, GroupNorm, InstanceNorm, type Extent, type ExtentOptions } from './methods/sample.ts';
export { default } from './plugin.ts';
