// Measuring what normalization does: invariances, covariate shift, the loss landscape, what passes through, and the cost.
export * from './activations.ts';
export * from './cost.ts';
export * from './covariate-shift.ts';
export * from './evaluate-at.ts';
export * from './invariance.ts';
export * from './landscape.ts';
export * from './truth-table.ts';
