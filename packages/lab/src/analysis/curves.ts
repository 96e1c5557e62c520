// Curves of metrics over steps: means over seeds, smoothing, and thinning to what a screen can show.

export interface CurvePoint {
  readonly step: number;
  readonly value: number;
}

/** A mean over runs with what lies around it. */
export interface BandPoint extends CurvePoint {
  readonly low: number;
  readonly high: number;
}

/** At each step, the mean, least and greatest of the curves that have a value there. */
export function bandOf(curves: readonly (readonly CurvePoint[])[]): BandPoint[] {
  const steps = new Map<number, number[]>();
  for (const { step, value } of curves.flat()) {
    const values = steps.get(step);
    if (values === undefined) steps.set(step, [value]);
    else values.push(value);
  }
  return [...steps]
    .toSorted(([a], [b]) => a - b)
    .map(([step, values]) => ({ step, value: values.reduce((sum, value) => sum + value, 0) / values.length, low: Math.min(...values), high: Math.max(...values) }));
}

/** Centred moving mean over this share of the points; at the ends over fewer. What is not finite is left out of means. */
export function smooth(points: readonly CurvePoint[], share: number): CurvePoint[] {
  const reach = Math.floor((share * points.length) / 2);
  if (reach === 0) return [...points];
  const values = points.map(({ value }) => value);
  let sum = 0;
  let count = 0;
  for (const value of values.slice(0, reach)) {
    if (Number.isFinite(value)) [sum, count] = [sum + value, count + 1];
  }
  return points.map((point, index) => {
    const entering = values[index + reach];
    const leaving = values[index - reach - 1];
    if (entering !== undefined && Number.isFinite(entering)) [sum, count] = [sum + entering, count + 1];
    if (leaving !== undefined && Number.isFinite(leaving)) {
      [sum, count] = [sum - leaving, count - 1];
      // A huge value that leaves takes the digits of the small ones with it.
      if (Math.abs(leaving) > 1e6 * Math.abs(sum)) {
        const window = values.slice(Math.max(0, index - reach), index + reach + 1).filter(Number.isFinite);
        sum = window.reduce((total, value) => total + value, 0);
      }
    }
    return { ...point, value: count === 0 ? NaN : sum / count };
  });
}

/**
 * At most `limit` points that draw the same line on `limit / 4` columns: of each column the first,
 * the least, the greatest and the last (M4, Jugel et al. 2014).
 */
export function thin<Point extends CurvePoint>(points: readonly Point[], limit: number): readonly Point[] {
  if (points.length <= limit) return points;
  const columns = Math.max(1, Math.floor(limit / 4));
  const kept = new Set<number>();
  for (let column = 0; column < columns; column++) {
    const begin = Math.floor((column * points.length) / columns);
    const end = Math.floor(((column + 1) * points.length) / columns);
    let least = begin;
    let greatest = begin;
    for (let index = begin; index < end; index++) {
      const value = points[index]?.value ?? NaN;
      if (value < (points[least]?.value ?? Infinity)) least = index;
      if (value > (points[greatest]?.value ?? -Infinity)) greatest = index;
    }
    for (const index of [begin, least, greatest, end - 1]) kept.add(index);
  }
  return [...kept].toSorted((a, b) => a - b).flatMap((index) => points.slice(index, index + 1));
}

/** At most `count` of a list, evenly from the first to the last. */
export function spread<T>(list: readonly T[], count: number): readonly T[] {
  if (list.length <= count) return list;
  return Array.from({ length: count }, (_, index) => Math.round((index * (list.length - 1)) / Math.max(1, count - 1))).flatMap((index) => list.slice(index, index + 1));
}
