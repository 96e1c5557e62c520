// Draws for random sweeps: the same variants for the same seed, on every machine.
import { createHash } from 'node:crypto';
import type { Range, Sweep } from './sweep.ts';

type Sampled = NonNullable<Sweep['random']>;

/** Independent draws of every variable. */
export function randomSamples({ samples, seed, space }: Sampled): Record<string, unknown>[] {
  return draw(samples, space, (name, index) => uniform(seed, name, index));
}

/**
 * A Latin hypercube (McKay, Beckman & Conover 1979): every variable's range is cut into as many
 * parts as there are samples, and each part is drawn from once; their order is shuffled for each
 * variable.
 */
export function latinHypercube({ samples, seed, space }: Sampled): Record<string, unknown>[] {
  const parts = new Map(
    Object.keys(space).map((name) => {
      const keys = Array.from({ length: samples }, (_, index) => uniform(seed, `${name} order`, index));
      return [name, keys.map((_, index) => index).toSorted((a, b) => (keys[a] ?? 0) - (keys[b] ?? 0))];
    }),
  );
  return draw(samples, space, (name, index) => ((parts.get(name)?.[index] ?? 0) + uniform(seed, name, index)) / samples);
}

function draw(samples: number, space: Sampled['space'], at: (name: string, index: number) => number): Record<string, unknown>[] {
  return Array.from({ length: samples }, (_, index) =>
    Object.fromEntries(Object.entries(space).map(([name, range]) => [name, valueIn(range, at(name, index))])),
  );
}

/** The value at `share` in [0, 1) of a range. Real numbers keep six digits, so that names and tables can be read. */
function valueIn({ uniform: plain, log, int, choice }: Range, share: number): unknown {
  if (plain !== undefined) return rounded(plain[0] + share * (plain[1] - plain[0]), plain);
  if (log !== undefined) return rounded(log[0] * (log[1] / log[0]) ** share, log);
  if (int !== undefined) return int[0] + Math.floor(share * (int[1] - int[0] + 1));
  return choice?.[Math.floor(share * choice.length)];
}

function rounded(value: number, [from, to]: readonly [number, number]): number {
  return Math.min(to, Math.max(from, Number(value.toPrecision(6))));
}

/** A number in [0, 1) for a seed, a name and an index: adding a variable changes no other's draws. */
function uniform(seed: number, name: string, index: number): number {
  const bits = createHash('sha256').update(JSON.stringify([seed, name, index])).digest();
  return bits.readUIntBE(0, 6) / 2 ** 48;
}
