// Walks a flattened axis: an offset that follows an index over several nested loops without dividing at each step.
import type { Code, Local } from '../../assembler/code.ts';
import { at } from '../at.ts';

export class Odometer {
  /** Bytes to add to the operand's address. */
  readonly offset: Local;
  private readonly code: Code;
  private readonly sizes: readonly number[];
  private readonly strides: readonly number[];
  private readonly indices: readonly Local[];

  /** `strides` are in bytes. */
  constructor(code: Code, sizes: readonly number[], strides: readonly number[]) {
    this.code = code;
    this.sizes = sizes;
    this.strides = strides;
    this.offset = code.local('i32');
    this.indices = sizes.length === 1 ? [] : sizes.map(() => code.local('i32'));
  }

  /** Index of the innermost loop, where there are several. */
  get innermost(): Local | undefined {
    return this.indices.at(-1);
  }

  index(loop: number): Local {
    return at(this.indices, loop);
  }

  /** Goes to a position of the whole axis. */
  start(position: Local): void {
    const { code, sizes, strides } = this;
    if (sizes.length === 1) {
      code.get(position).i32(at(strides, 0)).op('i32.mul').set(this.offset);
      return;
    }
    const rest = code.local('i32');
    code.get(position).set(rest);
    code.i32(0).set(this.offset);
    for (let i = sizes.length - 1; i >= 0; i--) {
      const index = at(this.indices, i);
      code.get(rest);
      if (i > 0) code.i32(at(sizes, i)).op('i32.rem_u');
      code.set(index);
      code.get(this.offset).get(index).i32(at(strides, i)).op('i32.mul').op('i32.add').set(this.offset);
      if (i > 0) code.get(rest).i32(at(sizes, i)).op('i32.div_u').set(rest);
    }
    code.release(rest);
  }

  /** Goes `steps` further; these must not cross the end of the innermost loop, but may reach it. */
  next(steps = 1): void {
    const { code, sizes, strides } = this;
    const last = sizes.length - 1;
    code.advance(this.offset, steps * at(strides, last));
    if (last === 0) return;
    code.advance(at(this.indices, last), steps);
    this.carry(last);
  }

  /** Carries from loop i to the next outer one where it has reached its end. */
  carry(i: number): void {
    const { code, sizes, strides } = this;
    if (i === 0) return;
    code.get(at(this.indices, i)).i32(at(sizes, i)).op('i32.ge_u').if();
    code.i32(0).set(at(this.indices, i));
    code.advance(at(this.indices, i - 1), 1);
    code.advance(this.offset, at(strides, i - 1) - at(sizes, i) * at(strides, i));
    this.carry(i - 1);
    code.end();
  }

  release(): void {
    for (const local of [this.offset, ...this.indices]) this.code.release(local);
  }
}
