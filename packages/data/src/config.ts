// Options checked by the same schema that experiment files are checked by, so that defaults stand in one place.
import { UserError } from '@athanor/core';
import { explainIssues } from '@athanor/core/plugin';
import type * as z from 'zod';

/** The options with every default filled in; a `UserError` naming the first wrong one. */
export function parseOptions<S extends z.ZodType>(name: string, schema: S, options: z.input<S>): z.output<S> {
  const parsed = schema.safeParse(options, { reportInput: true });
  if (parsed.success) return parsed.data;
  const [first] = explainIssues(parsed.error, schema);
  throw new UserError(`${[name, ...(first?.path ?? [])].join('.')}: ${first?.message ?? 'its options are not valid'}`);
}
