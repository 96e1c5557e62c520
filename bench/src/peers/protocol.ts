// What the benchmark and a peer's process say to each other: one JSON object a line, a question, then its answer.
import type { Parameter } from '../numbers.ts';
import type { Problem } from '../problem.ts';

export type Question =
  /** `parameters` are those of the network, if the problem is one. */
  | { readonly ask: 'prepare'; readonly problem: Problem; readonly parameters: readonly Parameter[]; readonly steps: number }
  | { readonly ask: 'warm'; readonly seconds: number }
  | { readonly ask: 'sample'; readonly seconds: number };

export type Answer = { readonly values: readonly number[] } | { readonly milliseconds: number } | { readonly samples: readonly number[] } | { readonly failed: string };
