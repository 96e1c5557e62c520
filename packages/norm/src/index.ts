// Normalization layers as plugins.
export { layoutOf, perChannel, spanAxes, splitChannels, type Layout, type Span } from './framework/layout.ts';
export { constantStatistics, countOf, inverseScale, statisticsOf, type EpsilonPlacement, type Statistics, type StatisticsOptions } from './framework/statistics.ts';
export { normalize, type Affine } from './framework/normalize.ts';
