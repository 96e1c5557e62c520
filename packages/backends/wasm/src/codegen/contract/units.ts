// What every form of a contraction begins with: its range of units of work, their batch indices, and where operands start.
import type { ContractKernel } from '@athanor/core/backend';
import type { Code, Local } from '../../assembler/code.ts';
import { at } from '../at.ts';

/** Runs `body` for each unit that the function is called for. */
export function emitUnits(code: Code, body: (unit: Local) => void): void {
  const unit = code.local('i32');
  const exit = code.block();
  code.get(code.parameter(1)).tee(unit).get(code.parameter(2)).op('i32.ge_s').brIf(exit);
  const units = code.loop();
  body(unit);
  code.advance(unit, 1).get(unit).get(code.parameter(2)).op('i32.lt_s').brIf(units);
  code.end().end();
  code.release(unit);
}

/** Takes an index over several loops apart; `index` ends as what is left of it. */
export function emitIndices(code: Code, index: Local, sizes: readonly number[], out: readonly Local[]): void {
  for (let i = sizes.length - 1; i >= 0; i--) {
    code.get(index).i32(at(sizes, i)).op('i32.rem_u').set(at(out, i));
    code.get(index).i32(at(sizes, i)).op('i32.div_u').set(index);
  }
}

/** Address of an operand's first element in a batch, `shift` bytes further. */
export function operandAddress(code: Code, kernel: ContractKernel, side: 'a' | 'b', batchIndices: readonly Local[], shift = 0): Local {
  const { buffer, index } = kernel[side];
  const local = code.local('i32');
  code.get(code.parameter(0)).memory('i32.load', buffer * 4).i32(index.offset * 4 + shift).op('i32.add');
  batchIndices.forEach((batchIndex, i) => {
    const stride = (index.strides[i] ?? 0) * 4;
    if (stride !== 0) code.get(batchIndex).i32(stride).op('i32.mul').op('i32.add');
  });
  code.set(local);
  return local;
}

/** A place in the thread's scratch. */
export function scratchPlace(code: Code, offset: number): Local {
  const local = code.local('i32');
  code.get(code.parameter(3)).i32(offset).op('i32.add').set(local);
  return local;
}

/** out = min(size, whole − first): the extent of a block that may be the last one. */
export function emitExtent(code: Code, first: Local, size: number, whole: number, out: Local): void {
  code.i32(whole).get(first).op('i32.sub').tee(out).i32(size).get(out).i32(size).op('i32.lt_s').op('select').set(out);
}
