// Stages with several reductions become stages with one each, where their rows stay in the nearest cache: the 32 lanes
// of one reduction take half of the vector registers, those of two take all.
import { inputsOf, withInputs, type Lowered, type LoweredBody, type Value } from '@athanor/core/backend';
import { at } from './at.ts';

const isSink = ({ op }: Lowered): boolean => op === 'reduce' || op === 'store' || op === 'keep';

/** The same kernel body with at most one reduction in each stage. */
export function separateReductions({ instructions, stages }: LoweredBody): LoweredBody {
  const out: { list: Lowered[]; stages: number[] } = { list: [], stages: [] };
  /** Where a value is now: of inner values, in the stage that was written last. */
  const places = new Map<Value, Value>();
  let added = 0;
  const copy = (chosen: Iterable<Value>, stage: number): void => {
    for (const i of chosen) {
      places.set(i, out.list.length);
      out.list.push(withInputs(at(instructions, i), (value) => places.get(value) ?? value));
      out.stages.push(stage);
    }
  };
  for (let stage = 0; stage <= (stages.at(-1) ?? 0); stage++) {
    const own = instructions.flatMap((_, i) => (stages[i] === stage ? [i] : []));
    for (const pass of passesOf(own, instructions)) {
      copy(pass, stage + added);
      added += 2;
    }
    added -= 2;
  }
  return { instructions: out.list, stages: out.stages };
}

/** The instructions of a stage in groups, each complete in itself, with one reduction each; what is written comes last. */
function passesOf(own: readonly Value[], instructions: readonly Lowered[]): readonly (readonly Value[])[] {
  const reductions = own.filter((i) => at(instructions, i).op === 'reduce');
  if (reductions.length < 2 || own.some((i) => at(instructions, i).op === 'scatter')) return [own];
  const needs = (sinks: readonly Value[]): Value[] => {
    const needed = new Set(sinks);
    for (const i of [...own].reverse()) if (needed.has(i)) for (const input of inputsOf(at(instructions, i))) needed.add(input);
    return own.filter((i) => needed.has(i));
  };
  const written = own.filter((i) => isSink(at(instructions, i)) && !reductions.includes(i));
  const base = new Set(needs(written));
  const shared = (reduction: Value): number => needs([reduction]).filter((i) => base.has(i)).length;
  const ordered = [...reductions].sort((x, y) => shared(x) - shared(y));
  const last = ordered.slice(-1);
  return [...ordered.slice(0, -1).map((reduction) => needs([reduction])), needs([...last, ...written])];
}
