// Small helpers for emitting loops and for locals that are made in numbers.
import type { Code, Local } from '../../assembler/code.ts';
import type { ValueType } from '../../assembler/opcodes.ts';

/** Runs `body` for 0 ≤ counter < count; count is at least 1. */
export function emitFor(code: Code, count: number | Local, body: (counter: Local) => void): void {
  const counter = code.local('i32');
  code.i32(0).set(counter);
  if (count === 1) {
    body(counter);
    code.release(counter);
    return;
  }
  const loop = code.loop();
  body(counter);
  code.advance(counter, 1).get(counter);
  if (typeof count === 'number') code.i32(count);
  else code.get(count);
  code.op('i32.lt_s').brIf(loop);
  code.end();
  code.release(counter);
}

export function makeLocals(code: Code, type: ValueType, count: number): Local[] {
  return Array.from({ length: count }, () => code.local(type));
}

export function releaseLocals(code: Code, locals: Iterable<Local>): void {
  for (const local of new Set(locals)) code.release(local);
}

/** A new local: base + index · step. */
export function offsetBy(code: Code, base: Local, index: Local, step: number): Local {
  const local = code.local('i32');
  code.get(base).get(index).i32(step).op('i32.mul').op('i32.add').set(local);
  return local;
}
