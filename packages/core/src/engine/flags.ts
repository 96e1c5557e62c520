// Training flags that traces read: a compiled function has one plan for each combination.
import { engine } from './state.ts';

let changes = 0;

/** Some module's training flag has changed. */
export function trainingChanged(): void {
  changes += 1;
}

/** Counts changes, so that a plan need not look at every flag at every call. */
export function flagChanges(): number {
  return changes;
}

/** Notes that the function in progress depends on a flag. */
export function noteFlag(owner: object, seen: boolean, current: () => boolean): void {
  engine.trace?.flags.set(owner, { seen, current });
}
