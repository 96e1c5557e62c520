// Addresses of a kernel's accesses: accesses to one buffer with equal strides share a pointer that loops advance,
// and differ by constant offsets. Loop indices and guards are pointers too, into no buffer and in units of 1.
import { InternalError, bytesOf, type Affine, type Dtype, type Guard, type Lowered } from '@athanor/core/backend';
import type { Code, Local } from '../assembler/code.ts';
import { at } from './at.ts';

export interface Pointer {
  readonly index: number;
  /** A buffer argument; 'index' counts from 0; a row of scratch; partial results of a reduction in scratch. */
  readonly source: number | 'index' | { readonly row: number } | { readonly partial: number };
  /** Bytes (units of 1 for 'index') per step of each loop. */
  readonly strides: readonly number[];
  /** Bytes from the buffer argument to the pointer's start. */
  readonly base: number;
}

/** Where an access lies: `offset` bytes beyond a pointer. */
export interface Access {
  readonly pointer: Pointer;
  readonly offset: number;
}

/** Offsets within this distance share a pointer. */
const reach = 16384;

export class PointerTable {
  readonly pointers: Pointer[] = [];
  private readonly known = new Map<string, Pointer>();
  private readonly loops: number;

  constructor(loops: number) {
    this.loops = loops;
  }

  private find(source: Pointer['source'], affine: Affine, bytes: number): Access {
    const strides = Array.from({ length: this.loops }, (_, i) => (affine.strides[i] ?? 0) * bytes);
    const offset = affine.offset * bytes;
    const base = Math.floor(offset / reach) * reach;
    const key = `${JSON.stringify(source)} ${strides.join()} ${base}`;
    let pointer = this.known.get(key);
    if (pointer === undefined) {
      pointer = { index: this.pointers.length, source, strides, base };
      this.pointers.push(pointer);
      this.known.set(key, pointer);
    }
    return { pointer, offset: offset - base };
  }

  buffer(instruction: { readonly buffer: number; readonly index: Affine; readonly dtype: Dtype }): Access {
    return this.find(instruction.buffer, instruction.index, bytesOf(instruction.dtype));
  }

  affine(affine: Affine): Access {
    return this.find('index', affine, 1);
  }

  row(row: number, strides: readonly number[]): Access {
    return this.find({ row }, { offset: 0, strides }, 1);
  }

  /** Partial results of reduction number i, side by side along the vector loop. */
  partial(reduction: number, vector: number, bytes: number): Access {
    const strides = Array.from({ length: this.loops }, (_, loop) => (loop === vector ? bytes : 0));
    return this.find({ partial: reduction }, { offset: 0, strides }, 1);
  }

  /** Pointers that an instruction needs. */
  of(instruction: Lowered, rowStrides: (row: number) => readonly number[]): Pointer[] {
    const guards = (list: readonly Guard[]) => list.map((guard) => this.affine(guard.index).pointer);
    switch (instruction.op) {
      case 'load':
      case 'gather':
        return [this.buffer(instruction).pointer, ...guards(instruction.guards)];
      case 'store':
      case 'scatter':
        return [this.buffer(instruction).pointer];
      case 'inside':
        return guards(instruction.guards);
      case 'index':
        return [this.affine(instruction.index).pointer];
      case 'keep':
      case 'recall':
        return [this.row(instruction.row, rowStrides(instruction.row)).pointer];
      default:
        return [];
    }
  }
}

/** The pointers' present values while code is emitted. */
export class Frame {
  private readonly pointers: readonly Pointer[];
  /** By pointer index; undefined for 'index' pointers that are still 0. */
  readonly locals: readonly (Local | undefined)[];
  /** What to add to each local, known when code is made: positions in unrolled loops. */
  private readonly shifts: readonly number[];

  constructor(pointers: readonly Pointer[], locals: readonly (Local | undefined)[], shifts: readonly number[] = pointers.map(() => 0)) {
    this.pointers = pointers;
    this.locals = locals;
    this.shifts = shifts;
  }

  /** The frame in which some pointers have complete values of their own. */
  with(changes: ReadonlyMap<number, Local>): Frame {
    const locals = this.locals.map((local, i) => changes.get(i) ?? local);
    return new Frame(this.pointers, locals, this.shifts.map((shift, i) => (changes.has(i) ? 0 : shift)));
  }

  /** The frame at one position of an unrolled loop. */
  fix(loop: number, index: number): Frame {
    return new Frame(this.pointers, this.locals, this.shifts.map((shift, i) => shift + index * (this.pointers[i]?.strides[loop] ?? 0)));
  }

  /** Copies pointers into locals of their own, so that loops can advance them. */
  copy(code: Code, moving: readonly Pointer[]): { frame: Frame; copies: Map<number, Local> } {
    const copies = new Map<number, Local>();
    for (const { index } of moving) {
      const local = code.local('i32');
      const [old, shift] = [this.locals[index], at(this.shifts, index)];
      if (old === undefined) code.i32(shift);
      else if (shift === 0) code.get(old);
      else code.get(old).i32(shift).op('i32.add');
      code.set(local);
      copies.set(index, local);
    }
    return { frame: this.with(copies), copies };
  }

  /** Puts an address on the stack and returns the offset that the access must add to it. */
  address(code: Code, access: Access, extra = 0): number {
    const offset = access.offset + at(this.shifts, access.pointer.index) + extra;
    const local = this.locals[access.pointer.index];
    if (local === undefined) throw new InternalError('an access without a pointer');
    code.get(local);
    if (offset >= 0) return offset;
    code.i32(offset).op('i32.add');
    return 0;
  }

  /** Puts the value of an index pointer on the stack. */
  value(code: Code, access: Access, extra = 0): void {
    const offset = access.pointer.base + access.offset + at(this.shifts, access.pointer.index) + extra;
    const local = this.locals[access.pointer.index];
    if (local === undefined) code.i32(offset);
    else if (offset === 0) code.get(local);
    else code.get(local).i32(offset).op('i32.add');
  }
}
