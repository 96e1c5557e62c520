// One row: everybody who takes part runs in turn, again and again, so that a clock that drifts drifts for all.
import type { Contestant } from './contestant.ts';
import { valueOf, type Case, type Unit } from './problem.ts';
import { median } from './timing.ts';

export interface PeerResult {
  readonly name: string;
  readonly median_ms: number;
  /** peer's time / our time: above 1 we are faster. */
  readonly ratio: number;
}

export interface Row {
  readonly workload: string;
  readonly case: string;
  readonly backend: string;
  readonly threads: number;
  readonly median_ms: number;
  readonly value: number;
  readonly unit: Unit;
  readonly error: number;
  readonly peers: readonly PeerResult[];
}

export interface RowPlan {
  readonly entry: Case;
  readonly backend: { readonly name: string; readonly threads: number };
  readonly ours: Contestant;
  readonly peers: readonly Contestant[];
  readonly seconds: number;
  readonly error: number;
  /** Hears why a peer does not take part. */
  readonly note: (text: string) => void;
}

const rounds = 7;
const fewestRounds = 3;
/** Part of a contestant's time that warming up may take. */
const warming = 0.3;
/** Between turns, so that threads of the one before have gone to sleep. */
const restMilliseconds = 5;
const firstSteps = 2;

const pause = (milliseconds: number): Promise<void> => new Promise((resolve) => void setTimeout(resolve, milliseconds));

/** What a contestant needs to be measured: its samples' medians, one a round. */
interface Entrant {
  readonly contestant: Contestant;
  /** Seconds of a step after warming up. */
  readonly step: number;
  readonly medians: number[];
}

/** Contestants compute the same if their first steps read the same numbers, up to what float32 rounding can do. */
export function agree(ours: readonly number[], theirs: readonly number[]): boolean {
  return ours.length === theirs.length && ours.every((value, i) => Math.abs(value - (theirs[i] ?? NaN)) <= 1e-2 * Math.abs(value) + 1e-6);
}

async function enter(contestant: Contestant, seconds: number): Promise<Entrant> {
  return { contestant, step: (await contestant.warm(seconds)) / 1000, medians: [] };
}

/** Peers that can do the problem and read what we read. */
async function ready({ entry, peers, note }: RowPlan, values: readonly number[]): Promise<Contestant[]> {
  const able: Contestant[] = [];
  for (const peer of peers) {
    if (peer.concerns?.(entry.problem) === false) continue;
    const place = `${entry.workload} ${entry.name}: ${peer.name}`;
    try {
      const theirs = await peer.prepare(entry.problem, firstSteps);
      if (agree(values, theirs)) able.push(peer);
      else note(`${place} is left out: it reads ${theirs.join(', ')} where we read ${values.join(', ')}`);
    } catch (error) {
      note(`${place} is left out: ${error instanceof Error ? error.message : String(error)}`);
      await peer.close();
    }
  }
  return able;
}

async function compete(entrants: readonly Entrant[], share: number): Promise<void> {
  const slice = (share * (1 - warming)) / rounds;
  for (let round = 0; round < rounds; round++) {
    for (const { contestant, step, medians } of entrants) {
      const enough = step > share ? 1 : fewestRounds;
      if (medians.length >= enough && step * medians.length > share) continue;
      await pause(restMilliseconds);
      medians.push(median(await contestant.sample(slice)));
    }
  }
}

/** Measures a row. Prepares everybody before the first is timed. */
export async function measure(plan: RowPlan): Promise<Row> {
  const { entry, backend, ours, seconds, error } = plan;
  const peers = await ready(plan, await ours.prepare(entry.problem, firstSteps));
  const share = seconds / (1 + peers.length);
  const entrants: Entrant[] = [];
  for (const contestant of [ours, ...peers]) entrants.push(await enter(contestant, share * warming));
  await compete(entrants, share);
  const [own = NaN, ...others] = entrants.map(({ medians }) => median(medians));
  return {
    workload: entry.workload,
    case: entry.name,
    backend: backend.name,
    threads: backend.threads,
    median_ms: own,
    value: valueOf(entry, own),
    unit: entry.unit,
    error,
    peers: others.map((milliseconds, i) => ({ name: peers[i]?.name ?? '', median_ms: milliseconds, ratio: milliseconds / own })),
  };
}
