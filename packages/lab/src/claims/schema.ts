// The schema of a claim: what must come out of an experiment, in one of six forms.
import * as z from 'zod';

const selector = z
  .record(z.string(), z.unknown())
  .meta({ description: 'Variables of the sweep and their values: names one variant; {} where there is no sweep' });

/** Keys that belong to a form: those it needs, sets of which one at least is needed, and those it may have. */
const forms = {
  higher: { needs: ['than'], oneOf: [], may: ['by'] },
  lower: { needs: ['than'], oneOf: [], may: ['by'] },
  of: { needs: [], oneOf: ['atLeast', 'atMost'], may: [] },
  equal: { needs: ['to', 'within'], oneOf: [], may: [] },
  ratio: { needs: ['to'], oneOf: ['atLeast', 'atMost'], may: [] },
  count: { needs: [], oneOf: ['atLeast', 'atMost'], may: ['above', 'below'] },
} as const satisfies Record<string, { needs: readonly string[]; oneOf: readonly string[]; may: readonly string[] }>;

export type FormName = keyof typeof forms;
export const formNames = Object.keys(forms) as FormName[];

const common = ['metric', 'interval', 'exact'];

export const expectSchema = z
  .strictObject({
    metric: z.string().min(1).meta({ description: 'A final number, such as test.accuracy; stage/metric where several stages have it' }),
    higher: selector.optional(),
    lower: selector.optional(),
    than: selector.optional(),
    by: z.number().min(0).optional().meta({ description: 'How much higher or lower at least (default: 0)' }),
    of: selector.optional(),
    equal: selector.optional(),
    ratio: selector.optional(),
    to: selector.optional(),
    within: z.number().min(0).optional().meta({ description: 'The greatest difference that counts as equal' }),
    count: selector.optional().meta({ description: 'Counts, of all variants that have these values, those above or below a threshold' }),
    above: z.number().optional(),
    below: z.number().optional(),
    atLeast: z.number().optional(),
    atMost: z.number().optional(),
    interval: z.enum(['t', 'bootstrap']).default('t').meta({ description: "95 %: Student's t over seeds, or a percentile bootstrap for six seeds or more" }),
    exact: z.boolean().default(false).meta({ description: 'The metric is not random: every seed must agree, and one is enough' }),
  })
  .check(({ value, issues }) => {
    for (const { path, message } of formMistakes(value)) issues.push({ code: 'custom', path: [...path], message, input: value });
  });

export const claimSchema = z.strictObject({
  says: z.string().min(1).meta({ description: 'The claim in words' }),
  paper: z.string().optional().meta({ description: 'Who claims it' }),
  expect: expectSchema,
  finding: z.boolean().default(false).meta({ description: 'Recorded and judged, but no part of the exit code' }),
});

export type Claim = z.output<typeof claimSchema>;
export type ClaimExpectation = z.output<typeof expectSchema>;
export type Selector = z.output<typeof selector>;

/** The form of an expectation: the one of the six keys that it has. */
export function formOf(expectation: ClaimExpectation): FormName {
  const form = formNames.find((name) => expectation[name] !== undefined);
  if (form === undefined) throw new Error('the expectation was not checked: it has no form');
  return form;
}

function formMistakes(value: Readonly<Record<string, unknown>>): { path: readonly string[]; message: string }[] {
  const given = Object.keys(value).filter((key) => value[key] !== undefined);
  const chosen = formNames.filter((form) => given.includes(form));
  const [form] = chosen;
  if (form === undefined) return [{ path: [], message: `says nothing about the metric: write one of ${formNames.join(', ')}` }];
  if (chosen.length > 1) return [{ path: [], message: `${chosen.join(' and ')} exclude each other: write one claim for each` }];
  const { needs, oneOf, may } = forms[form];
  const mistakes = needs.filter((key) => !given.includes(key)).map((key) => ({ path: [] as string[], message: `${form} needs "${key}" too` }));
  if (oneOf.length > 0 && !oneOf.some((key) => given.includes(key))) mistakes.push({ path: [], message: `${form} needs "${oneOf.join('" or "')}" too` });
  const allowed: readonly string[] = [form, ...common, ...needs, ...oneOf, ...may];
  mistakes.push(...given.filter((key) => !allowed.includes(key)).map((key) => ({ path: [key], message: `does not go with ${form} (which takes ${[...needs, ...oneOf, ...may].join(', ')})` })));
  if (form === 'count' && given.includes('above') === given.includes('below')) mistakes.push({ path: [], message: 'count needs either "above" or "below"' });
  const { atLeast, atMost } = value;
  if (typeof atLeast === 'number' && typeof atMost === 'number' && atLeast > atMost) {
    mistakes.push({ path: ['atLeast'], message: `is more than atMost: ${atLeast} > ${atMost}` });
  }
  return mistakes;
}
