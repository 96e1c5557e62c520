// The epilogue of a contraction: what happens to each finished sum, over one block of rows and columns.
import { InternalError, lower, type ContractKernel, type Instruction } from '@athanor/core/backend';
import type { Code, Local } from '../../assembler/code.ts';
import { at } from '../at.ts';
import { Body, type BodyOptions, type Group } from '../body.ts';
import { Frame, type Pointer } from '../pointers.ts';
import { mergedAxis } from './axes.ts';
import { Odometer } from './odometer.ts';

/** A block of finished sums in scratch. */
export interface Block {
  /** Address of the first sum, and bytes between rows. */
  readonly sums: Local;
  readonly pitch: number;
  readonly firstRow: Local;
  readonly rows: Local;
  readonly firstColumn: Local;
  readonly columns: Local;
}

/**
 * The epilogue as instructions over loops [...batch, ...rows, ...columns], where the sums are one more buffer. Loops are
 * merged as far as the epilogue alone allows.
 */
interface Plan {
  readonly instructions: readonly Instruction[];
  readonly batch: number;
  readonly rowSizes: readonly number[];
  readonly columnSizes: readonly number[];
}

function affineLists(kernel: ContractKernel): number[][] {
  return kernel.epilogue.flatMap((instruction) => {
    if ('index' in instruction && 'guards' in instruction) return [instruction.index, ...instruction.guards.map(({ index }) => index)].map(({ strides }) => [...strides]);
    if ('index' in instruction) return [[...instruction.index.strides]];
    if ('guards' in instruction) return instruction.guards.map(({ index }) => [...index.strides]);
    return [];
  });
}

function planEpilogue(kernel: ContractKernel): Plan {
  const batch = kernel.batch.length;
  const accesses = affineLists(kernel);
  const rows = mergedAxis(kernel.m, batch, accesses);
  const columns = mergedAxis(kernel.n, batch + kernel.m.length, accesses);
  let next = 0;
  const regroup = ({ offset, strides }: { readonly offset: number; readonly strides: readonly number[] }) => {
    const i = next++;
    return { offset, strides: [...kernel.batch.map((_, loop) => strides[loop] ?? 0), ...at(rows.strides, i), ...at(columns.strides, i)] };
  };
  const instructions = kernel.epilogue.map((instruction): Instruction => {
    switch (instruction.op) {
      case 'accumulator': {
        // Rows and columns of the block are counted by the block itself: only the innermost column loop has a stride.
        const strides = [...kernel.batch, ...rows.sizes, ...columns.sizes].map(() => 0);
        strides[strides.length - 1] = 1;
        return { op: 'load', buffer: kernel.buffers.length, index: { offset: 0, strides }, guards: [], fill: 0, dtype: instruction.dtype };
      }
      case 'load':
      case 'gather': {
        const index = regroup(instruction.index);
        return { ...instruction, index, guards: instruction.guards.map((guard) => ({ ...guard, index: regroup(guard.index) })) };
      }
      case 'inside':
        return { ...instruction, guards: instruction.guards.map((guard) => ({ ...guard, index: regroup(guard.index) })) };
      case 'index':
      case 'store':
      case 'scatter':
        return { ...instruction, index: regroup(instruction.index) };
      default:
        return instruction;
    }
  });
  return { instructions, batch, rowSizes: rows.sizes, columnSizes: columns.sizes };
}

/** Groups of four columns per turn of the column loop. */
const unroll = 4;

export class Epilogue {
  private readonly code: Code;
  private readonly kernel: ContractKernel;
  private readonly plan: Plan;
  private readonly body: Body;
  private readonly unroll: number;

  constructor(code: Code, kernel: ContractKernel, options: BodyOptions) {
    this.code = code;
    this.kernel = kernel;
    this.plan = planEpilogue(kernel);
    const lowered = lower(this.plan.instructions, this.plan.instructions.map(() => 0));
    const loops = kernel.batch.length + this.plan.rowSizes.length + this.plan.columnSizes.length;
    this.body = new Body(code, lowered, loops, { vector: loops - 1, vectorIsOuter: true, rowStrides: () => [] }, options);
    this.unroll = lowered.instructions.length <= 100 ? unroll : 2;
  }

  /** Emits the epilogue over a block; `batchIndices` are the block's batch loops. */
  emit(batchIndices: readonly Local[], block: Block): void {
    const { code, plan: { rowSizes, columnSizes, batch } } = this;
    const { pointers } = this.body.pointers;
    // Bytes of each pointer at the block's batch.
    const start = pointers.map((pointer) => this.startOf(pointer, batchIndices, block));
    const rowWalk = pointers.map((pointer) => new Odometer(code, rowSizes, rowSizes.map((_, i) => at(pointer.strides, batch + i))));
    for (const walk of rowWalk) walk.start(block.firstRow);
    const columnWalk = new Odometer(code, columnSizes, columnSizes.map(() => 0));
    const [row, left, run, sums] = [code.local('i32'), code.local('i32'), code.local('i32'), code.local('i32')];
    code.get(block.sums).set(sums);
    code.get(block.rows).set(row);
    const rowLoop = code.loop();
    columnWalk.start(block.firstColumn);
    code.get(block.columns).set(left);
    const columnPointers = pointers.map(() => code.local('i32'));
    const sumPointer = code.local('i32');
    code.get(sums).set(sumPointer);
    const runLoop = code.loop();
    pointers.forEach((pointer, i) => {
      const local = at(columnPointers, i);
      if (this.isSums(pointer)) {
        code.get(sumPointer).set(local);
        return;
      }
      code.get(at(start, i)).get(at(rowWalk, i).offset).op('i32.add');
      this.addColumns(pointer, columnWalk, block);
      code.set(local);
    });
    // As many columns as are left of the block, or up to the end of the innermost loop.
    code.get(left).set(run);
    const inner = columnWalk.innermost;
    if (inner !== undefined) {
      const size = at(columnSizes, columnSizes.length - 1);
      code.i32(size).get(inner).op('i32.sub').get(left).i32(size).get(inner).op('i32.sub').get(left).op('i32.lt_s').op('select').set(run);
    }
    const frame = new Frame(pointers, columnPointers);
    this.body.emitShared(0, frame);
    this.emitRun(frame, columnPointers, run);
    this.body.release(this.body.shared);
    if (inner !== undefined) {
      code.get(sumPointer).get(run).i32(4).op('i32.mul').op('i32.add').set(sumPointer);
      code.get(left).get(run).op('i32.sub').set(left);
      code.get(inner).get(run).op('i32.add').set(inner);
      columnWalk.carry(columnSizes.length - 1);
      code.get(left).brIf(runLoop);
    }
    code.end();
    for (const walk of rowWalk) walk.next();
    code.advance(sums, block.pitch);
    code.advance(row, -1).get(row).brIf(rowLoop);
    code.end();
    for (const walk of [...rowWalk, columnWalk]) walk.release();
    for (const local of [row, left, run, sums, sumPointer, ...columnPointers, ...start]) code.release(local);
  }

  private isSums(pointer: Pointer): boolean {
    return pointer.source === this.kernel.buffers.length;
  }

  private startOf(pointer: Pointer, batchIndices: readonly Local[], block: Block): Local {
    const { code } = this;
    const local = code.local('i32');
    if (typeof pointer.source === 'object') throw new InternalError('an epilogue has no scratch rows');
    if (pointer.source === 'index') code.i32(0);
    else if (this.isSums(pointer)) code.get(block.sums);
    else code.get(code.parameter(0)).memory('i32.load', pointer.source * 4).i32(pointer.base).op('i32.add');
    batchIndices.forEach((index, i) => code.get(index).i32(at(pointer.strides, i)).op('i32.mul').op('i32.add'));
    code.set(local);
    return local;
  }

  /** Adds the columns' part of a pointer to the address on the stack. */
  private addColumns(pointer: Pointer, walk: Odometer, block: Block): void {
    const { code, plan: { columnSizes, rowSizes, batch } } = this;
    const strides = columnSizes.map((_, i) => at(pointer.strides, batch + rowSizes.length + i));
    if (walk.innermost === undefined) {
      code.get(block.firstColumn).i32(at(strides, 0)).op('i32.mul').op('i32.add');
      return;
    }
    strides.forEach((stride, i) => {
      if (stride !== 0) code.get(walk.index(i)).i32(stride).op('i32.mul').op('i32.add');
    });
  }

  /** A run of columns along the innermost loop: turns of several groups, single groups, single columns. */
  private emitRun(frame: Frame, moving: readonly Local[], run: Local): void {
    const { code, body } = this;
    const { pointers } = body.pointers;
    const vector = at(pointers, 0).strides.length - 1;
    const remaining = code.local('i32');
    code.get(run).set(remaining);
    const part = (groups: readonly Omit<Group, 'values'>[], columns: number) => {
      const block = code.block();
      code.get(remaining).i32(columns).op('i32.lt_s').brIf(block);
      const loop = code.loop();
      const full = groups.map((group) => ({ ...group, values: new Map() }));
      body.emitGroups(0, frame, full);
      for (const group of full) body.release(group);
      pointers.forEach((pointer, i) => code.advance(at(moving, i), columns * at(pointer.strides, vector)));
      code.advance(remaining, -columns).get(remaining).i32(columns).op('i32.ge_s').brIf(loop);
      code.end().end();
    };
    part(Array.from({ length: this.unroll }, (_, i) => ({ first: 4 * i, active: 4 })), 4 * this.unroll);
    part([{ first: 0, active: 4 }], 4);
    part([{ first: 0, active: 1 }], 1);
    code.release(remaining);
  }
}
