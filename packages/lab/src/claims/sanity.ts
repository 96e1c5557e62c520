// What a quick run can show of claims: that every number they speak of is there and finite.
import type { MeasuredVariant } from './measure.ts';
import { formOf } from './schema.ts';
import type { Claim } from './schema.ts';
import { select } from './select.ts';

/** What is wrong with the numbers of a small form; nothing is, if it could be judged but for its size. */
export function insanities(claims: readonly Claim[], variants: readonly MeasuredVariant[]): string[] {
  const found = variants.flatMap(({ name, numbers }) => [...numbers].flatMap(([seed, values]) => (values === undefined ? [`${name} has no result with seed ${seed}`] : [])));
  const claimed = claims.flatMap(({ expect }) => {
    const selectors = [expect[formOf(expect)], expect.than, expect.to].filter((selector) => selector !== undefined);
    // The small form may have other variants: then all of them must have the metric.
    const named = selectors.flatMap((selector) => select(variants, selector));
    return (named.length === 0 ? variants : named).flatMap(({ name, numbers }) =>
      [...numbers].flatMap(([seed, values]) => {
        const value = values?.get(expect.metric);
        if (values === undefined || (value !== undefined && Number.isFinite(value))) return [];
        return [value === undefined ? `${name} has no ${JSON.stringify(expect.metric)}` : `${expect.metric} of ${name} is not a finite number with seed ${seed}`];
      }),
    );
  });
  return [...new Set([...found, ...claimed])];
}
