// Pictures of results: each function takes data and returns SVG text that needs nothing else.
export type { Axis } from './draw.ts';
export { estimateChart } from './estimates.ts';
export type { EstimateChart, EstimateMark } from './estimates.ts';
export { heatMap } from './heat.ts';
export type { HeatCell, HeatMap } from './heat.ts';
export { countBins, histogram } from './histogram.ts';
export type { Bin, Histogram, HistogramSeries } from './histogram.ts';
export { lineChart } from './lines.ts';
export type { LineChart, LinePoint, LineSeries } from './lines.ts';
