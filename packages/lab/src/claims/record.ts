// What is recorded of a reproduced experiment: every final number and every verdict, with all that it was made with.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { parse } from 'yaml';
import type { Estimate, Variant } from '../analysis/summary.ts';
import type { Interval } from '../analysis/statistics.ts';
import type { Environment } from '../run/environment.ts';
import { readEnvironments } from '../run/results.ts';
import type { Json } from '../run/stage.ts';
import { identityOf } from '../run/study.ts';
import type { Study } from '../run/study.ts';
import type { Judgement, Verdict } from './evaluate.ts';
import { numbersOf } from './measure.ts';
import type { Claim } from './schema.ts';

/** A picture beside the numbers. */
export interface RecordedPicture {
  readonly file: string;
  readonly caption: string;
}

/** Numbers that were not finite, or not there, are null. */
type Stored = number | null;

export interface RecordedEstimate {
  readonly mean: Stored;
  readonly interval: readonly [low: Stored, high: Stored] | null;
  readonly n: number;
  readonly method: string;
}

export interface RecordedVariant {
  readonly name: string;
  readonly values: Readonly<Record<string, Json>>;
  readonly seeds: readonly number[];
  /** Metric → its values in the order of the seeds, and what they amount to. */
  readonly metrics: Readonly<Record<string, RecordedEstimate & { readonly values: readonly Stored[] }>>;
  /** Of work, all seeds together. */
  readonly seconds: number;
}

export interface RecordedClaim extends Pick<Claim, 'says' | 'finding' | 'expect'> {
  readonly paper?: string;
  readonly verdict: Verdict;
  readonly quantity: string;
  readonly expected: string;
  readonly estimate?: RecordedEstimate;
  readonly reason?: string;
}

/** An environment and how many runs it served. */
export interface RecordedEnvironment extends Omit<Environment, 'started' | 'command'> {
  readonly runs: number;
}

/** What `results.json` holds. */
export interface ResultsRecord {
  readonly format: 1;
  readonly experiment: string;
  readonly question: string | null;
  readonly command: string;
  readonly config: {
    readonly file: string;
    /** Of what the file says, without its comments. */
    readonly sha256: string;
    /** Of all jobs with every default: the end of the run folder's name. */
    readonly hash: string;
    readonly plugins: readonly string[];
  };
  readonly seeds: readonly number[];
  /** When the last run was begun, ISO 8601. */
  readonly recorded: string;
  readonly seconds: number;
  readonly environments: readonly RecordedEnvironment[];
  readonly claims: readonly RecordedClaim[];
  readonly variants: readonly RecordedVariant[];
  readonly pictures: readonly RecordedPicture[];
}

export interface RecordInput {
  readonly study: Study;
  readonly variants: readonly Variant[];
  readonly judgements: readonly Judgement[];
  readonly pictures: readonly RecordedPicture[];
  /** How to repeat it. */
  readonly command: string;
}

export function makeRecord({ study, variants, judgements, pictures, command }: RecordInput): ResultsRecord {
  const { record, runs } = study;
  const attempts = runs.map(readEnvironments);
  return {
    format: 1,
    experiment: record.name,
    question: record.question,
    command,
    config: {
      file: basename(record.file),
      sha256: contentHash(record.file),
      hash: identityOf(runs),
      plugins: record.plugins,
    },
    seeds: [...new Set(runs.map(({ config }) => config.seed))],
    recorded: attempts.flat().map(({ started }) => started).toSorted().at(-1) ?? record.created,
    seconds: rounded(variants.reduce((sum, { seconds }) => sum + seconds, 0)),
    environments: distinctEnvironments(attempts),
    claims: judgements.map(recordClaim),
    variants: variants.map(recordVariant),
    pictures,
  };
}

/** sha256 of what an experiment file says: of its values if it is YAML, else of its text. */
export function contentHash(file: string): string {
  const text = readFileSync(file, 'utf8');
  const content = /\.ya?ml$/.test(file) ? JSON.stringify(parse(text)) : text;
  return createHash('sha256').update(content).digest('hex');
}

function distinctEnvironments(attempts: readonly (readonly Environment[])[]): RecordedEnvironment[] {
  const counted = new Map<string, RecordedEnvironment>();
  for (const run of attempts) {
    for (const key of new Set(run.map(keyOf))) {
      const { started: _started, command: _command, ...environment } = JSON.parse(key) as Environment;
      counted.set(key, { ...environment, runs: (counted.get(key)?.runs ?? 0) + 1 });
    }
  }
  return [...counted.values()];
}

function keyOf(environment: Environment): string {
  return JSON.stringify({ ...environment, started: '', command: '', takenOver: undefined });
}

function recordClaim({ claim, verdict, quantity, expected, estimate, reason }: Judgement): RecordedClaim {
  const { says, paper, finding, expect } = claim;
  return {
    says,
    ...(paper === undefined ? {} : { paper }),
    finding,
    expect,
    verdict,
    quantity,
    expected,
    ...(estimate === undefined ? {} : { estimate: { mean: stored(estimate.mean), interval: storedInterval(estimate.interval), n: estimate.n, method: estimate.method } }),
    ...(reason === undefined ? {} : { reason }),
  };
}

function recordVariant({ name, values, runs, estimates, seconds }: Variant): RecordedVariant {
  const numbers = runs.map(numbersOf);
  return {
    name,
    values,
    seeds: runs.map(({ config }) => config.seed),
    metrics: Object.fromEntries([...estimates].map(([metric, estimate]) => [metric, { ...recordEstimate(estimate), values: numbers.map((known) => finite(known?.get(metric))) }])),
    seconds: rounded(seconds),
  };
}

function recordEstimate({ mean, values, interval, method }: Estimate): RecordedEstimate {
  return { mean: stored(mean), interval: storedInterval(interval), n: values.length, method };
}

/** With all its digits. */
function finite(value: number | undefined): Stored {
  return value === undefined || !Number.isFinite(value) ? null : value;
}

function storedInterval(interval: Interval | undefined): readonly [Stored, Stored] | null {
  return interval === undefined ? null : [stored(interval.low), stored(interval.high)];
}

/** Twelve digits: more are noise of the last operation, and make every diff long. */
function stored(value: number): Stored {
  return Number.isFinite(value) ? Number(value.toPrecision(12)) : null;
}

function rounded(seconds: number): number {
  return Math.round(seconds * 10) / 10;
}
