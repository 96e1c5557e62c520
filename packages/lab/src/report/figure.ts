// What a figure is that a stage leaves as data: `NAME.figure.json` among its artifacts.
import * as z from 'zod';

/** JSON has no NaN and no infinities: null stands for them. */
const number = z.union([z.number(), z.null()]).transform((value) => value ?? NaN);
const finite = z.number();
const axis = z.strictObject({
  label: z.string(),
  unit: z.string().optional(),
  percent: z.boolean().optional(),
  scale: z.enum(['linear', 'log']).optional(),
  domain: z.tuple([finite, finite]).optional(),
});
const size = { width: z.int().min(100).max(2000).optional(), height: z.int().min(80).max(2000).optional() };
const look = z.int().min(0).optional();

const lines = z.strictObject({
  series: z.array(z.strictObject({ name: z.string(), points: z.array(z.strictObject({ x: number, y: number, low: number.optional(), high: number.optional() })), look, faint: z.boolean().optional() })).min(1),
  x: axis,
  y: axis,
  rules: z.array(finite).optional(),
  legend: z.boolean().optional(),
  ...size,
});
const estimates = z.strictObject({
  marks: z.array(z.strictObject({ name: z.string(), series: z.string().optional(), value: number, low: number.optional(), high: number.optional(), samples: z.array(number).optional(), look })).min(1),
  x: axis,
  rowLabel: z.string().optional(),
  as: z.enum(['dots', 'bars']).optional(),
  rules: z.array(finite).optional(),
  width: size.width,
});
const heat = z.strictObject({
  cells: z.array(z.strictObject({ x: z.string(), y: z.string(), value: number, text: z.string().optional() })).min(1),
  columns: z.array(z.string()).optional(),
  rows: z.array(z.string()).optional(),
  x: z.string(),
  y: z.string(),
  value: axis,
  center: finite.optional(),
  labels: z.boolean().optional(),
  cell: z.int().min(4).max(200).optional(),
});
const histogramSchema = z.strictObject({
  series: z.array(z.strictObject({ name: z.string(), values: z.array(number).optional(), bins: z.array(z.strictObject({ low: finite, high: finite, count: z.number().min(0) })).optional(), look })).min(1),
  x: axis,
  bins: z.int().min(1).max(1000).optional(),
  logCounts: z.boolean().optional(),
  ...size,
});

export const figureSchema = z.union([
  z.strictObject({ caption: z.string(), lines }),
  z.strictObject({ caption: z.string(), estimates }),
  z.strictObject({ caption: z.string(), heat }),
  z.strictObject({ caption: z.string(), histogram: histogramSchema }),
  z.strictObject({ caption: z.string(), file: z.string().regex(/^[\w.-]+\.(svg|png)$/, 'a .svg or .png among the artifacts') }),
]);

/** What `NAME.figure.json` holds: a caption, and the data of one chart or the name of a picture beside it. */
export type Figure = z.input<typeof figureSchema>;

/** How such files end. */
export const figureEnding = '.figure.json';

/** An artifact for a stage's result: `['loss-landscape.figure.json', …]`. Numbers that are not finite become null. */
export function figureArtifact(name: string, figure: Figure): [file: string, content: string] {
  return [`${name}${figureEnding}`, JSON.stringify(figure)];
}
