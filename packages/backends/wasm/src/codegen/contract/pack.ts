// Packing: copies a block of an operand into panels [k][pitch], from any affine layout: rows that lie side by side by
// vector copies, rows along which k runs by transposing 4 × 4 squares, anything else element by element.
import type { Code, Local } from '../../assembler/code.ts';
import { at } from '../at.ts';
import { integerBytes } from '../lanes.ts';
import { chunk } from './micro.ts';
import { Odometer } from './odometer.ts';

/** One operand: its flattened rows (m or n) and k, with strides in bytes. */
export interface Operand {
  readonly rowSizes: readonly number[];
  readonly rowStrides: readonly number[];
  readonly kSizes: readonly number[];
  readonly kStrides: readonly number[];
}

/** Whether k needs a table of offsets: it is not one loop. */
export const needsTable = (operand: Operand): boolean => operand.kSizes.length > 1;

/** Fills the table of byte offsets for `count` positions of k from `first` on. */
export function emitTable(code: Code, operand: Operand, table: Local, first: Local, count: Local): void {
  const odometer = new Odometer(code, operand.kSizes, operand.kStrides);
  odometer.start(first);
  const [to, left] = [code.local('i32'), code.local('i32')];
  code.get(table).set(to);
  code.get(count).set(left);
  const loop = code.loop();
  code.get(to).get(odometer.offset).memory('i32.store');
  code.advance(to, 4);
  odometer.next();
  code.advance(left, -1).get(left).brIf(loop);
  code.end();
  odometer.release();
  code.release(to);
  code.release(left);
}

export interface PackJob {
  readonly operand: Operand;
  /** Address of the operand's element at row 0 and, without a table, at the chunk's first k. */
  readonly base: Local;
  /** Table of byte offsets of the chunk's k. */
  readonly table: Local | undefined;
  readonly firstRow: Local;
  readonly rows: Local;
  readonly k: Local;
  readonly to: Local;
  /** Rows of a panel, a multiple of 4. */
  readonly pitch: number;
}

export function emitPack(code: Code, job: PackJob): void {
  const { operand, pitch } = job;
  const lastStride = at(operand.rowStrides, operand.rowStrides.length - 1);
  const lastSize = at(operand.rowSizes, operand.rowSizes.length - 1);
  const lastK = at(operand.kSizes, operand.kSizes.length - 1);
  const alongRows = lastStride === 4 && lastSize >= 4;
  const alongK = !alongRows && at(operand.kStrides, operand.kStrides.length - 1) === 4 && lastK >= 4;
  // Blocks start at multiples of 4, so groups of four never cross the innermost loop where 4 divides it.
  const wholeGroups = alongRows && lastSize % 4 === 0;
  const odometer = new Odometer(code, operand.rowSizes, operand.rowStrides);
  odometer.start(job.firstRow);
  const [left, panel, to] = [code.local('i32'), code.local('i32'), code.local('i32')];
  const rows = [code.local('i32'), code.local('i32'), code.local('i32'), code.local('i32')] as const;
  code.get(job.rows).set(left);
  code.get(job.to).set(panel);
  const exit = code.block();
  const panels = code.loop();
  code.get(left).i32(0).op('i32.le_s').brIf(exit);
  const next = code.block();
  if (alongRows && lastSize >= pitch) {
    // A panel whose rows all lie side by side is copied in one pass over k.
    code.get(left).i32(pitch).op('i32.ge_s');
    if (odometer.innermost !== undefined) code.get(odometer.innermost).i32(lastSize - pitch).op('i32.le_s').op('i32.and');
    code.if();
    code.get(job.base).get(odometer.offset).op('i32.add').set(rows[0]);
    code.get(panel).set(to);
    odometer.next(pitch);
    emitAlongRows(code, job, rows[0], to, pitch / 4);
    code.advance(left, -pitch).br(next);
    code.end();
  }
  for (let quad = 0; quad < pitch / 4; quad++) {
    code.get(left).i32(0).op('i32.le_s').brIf(next);
    code.get(panel).i32(quad * 16).op('i32.add').set(to);
    const here = (i: number) => code.get(job.base).get(odometer.offset).op('i32.add').set(at(rows, i));
    here(0);
    if (wholeGroups) {
      odometer.next(4);
      emitAlongRows(code, job, rows[0], to);
    } else {
      for (let i = 1; i < 4; i++) {
        // Rows that do not exist repeat the last one.
        code.get(left).i32(i).op('i32.gt_s').if();
        odometer.next();
        code.end();
        here(i);
      }
      code.get(left).i32(4).op('i32.gt_s').if();
      odometer.next();
      code.end();
      if (alongRows) emitFoldedRows(code, job, rows, to);
      else if (alongK) emitAlongK(code, job, rows, to, needsTable(operand) && lastK % 4 !== 0);
      else emitElements(code, job, rows, to);
    }
    code.advance(left, -4);
  }
  code.end();
  code.get(panel).get(job.k).i32(pitch * 4).op('i32.mul').op('i32.add').set(panel);
  code.br(panels).end().end();
  odometer.release();
  for (const local of [left, panel, to, ...rows]) code.release(local);
}

/** Pointers that follow k: into the table, or into the operand itself. */
class Cursor {
  private readonly code: Code;
  private readonly job: PackJob;
  private readonly place: Local;
  private readonly offset: Local;
  private readonly moving: readonly Local[];
  private readonly stride: number;

  constructor(code: Code, job: PackJob, rows: readonly Local[]) {
    this.code = code;
    this.job = job;
    this.stride = at(job.operand.kStrides, 0);
    this.place = code.local('i32');
    this.offset = code.local('i32');
    if (job.table !== undefined) code.get(job.table).set(this.place);
    this.moving = rows.map((row) => {
      const local = code.local('i32');
      code.get(row).set(local);
      return local;
    });
  }

  /** Looks up the offset of the position `step` further along k: to be called before `address`. */
  look(step: number): void {
    if (this.job.table !== undefined) this.code.get(this.place).memory('i32.load', step * 4).set(this.offset);
  }

  /** Puts the address of a row at the position looked up on the stack; returns the offset to add. */
  address(row: number, step: number): number {
    const { code } = this;
    code.get(at(this.moving, row));
    if (this.job.table !== undefined) {
      code.get(this.offset).op('i32.add');
      return 0;
    }
    const offset = step * this.stride;
    if (offset >= 0) return offset;
    code.i32(offset).op('i32.add');
    return 0;
  }

  /** The offsets of the next four positions. */
  loadOffsets(out: Local): void {
    this.code.get(this.place).memory('v128.load').set(out);
  }

  advance(steps: number): void {
    if (this.job.table !== undefined) this.code.advance(this.place, 4 * steps);
    else for (const local of this.moving) this.code.advance(local, steps * this.stride);
  }

  release(): void {
    for (const local of [this.place, this.offset, ...this.moving]) this.code.release(local);
  }
}

/**
 * How four offsets lie: `front` is the mask of those that follow the first without a gap, `covered` whether the others
 * end in the fourth without a gap. Then one load from the first and one that ends in the fourth hold them all.
 */
function emitFold(code: Code, offsets: Local, front: Local): void {
  code.get(offsets).get(offsets).get(offsets).shuffle(firstWord).op('i32x4.sub').get(code.constant(integerBytes([0, 4, 8, 12]))).op('i32x4.eq').set(front);
  code.get(offsets).get(offsets).shuffle(fourthWord).get(offsets).op('i32x4.sub').get(code.constant(integerBytes([12, 8, 4, 0]))).op('i32x4.eq');
  code.get(front).op('v128.or').op('i32x4.all_true');
}

const firstWord = [0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3];
const fourthWord = [12, 13, 14, 15, 12, 13, 14, 15, 12, 13, 14, 15, 12, 13, 14, 15];

/** Runs over k in steps of four and then of one. */
function emitOverK(code: Code, job: PackJob, to: Local, cursor: Cursor, four: () => void, one: (step: number) => void): void {
  const left = code.local('i32');
  code.get(job.k).i32(4).op('i32.sub').set(left);
  const rest = code.block();
  code.get(left).i32(0).op('i32.lt_s').brIf(rest);
  const main = code.loop();
  four();
  cursor.advance(4);
  code.advance(to, 4 * job.pitch * 4);
  code.advance(left, -4).get(left).i32(0).op('i32.ge_s').brIf(main);
  code.end().end();
  code.advance(left, 4);
  const done = code.block();
  code.get(left).op('i32.eqz').brIf(done);
  const tail = code.loop();
  one(0);
  cursor.advance(1);
  code.advance(to, job.pitch * 4);
  code.advance(left, -1).get(left).brIf(tail);
  code.end().end();
  code.release(left);
}

/** Copies `vectors` neighbouring groups of four rows. */
function emitAlongRows(code: Code, job: PackJob, row: Local, to: Local, vectors = 1): void {
  const cursor = new Cursor(code, job, [row]);
  const values = Array.from({ length: vectors }, () => code.local('v128'));
  const address = code.local('i32');
  const one = (step: number) => {
    cursor.look(step);
    const offset = cursor.address(0, step);
    code.set(address);
    values.forEach((value, i) => code.get(address).memory('v128.load', offset + 16 * i).set(value));
    values.forEach((value, i) => code.get(to).get(value).memory('v128.store', step * job.pitch * 4 + 16 * i));
  };
  emitOverK(code, job, to, cursor, () => [0, 1, 2, 3].forEach(one), one);
  cursor.release();
  for (const local of [...values, address]) code.release(local);
}

/** Four rows that lie side by side, but for one gap where the innermost loop ends; or, with more gaps, anyhow. */
function emitFoldedRows(code: Code, job: PackJob, rows: readonly [Local, Local, Local, Local], to: Local): void {
  const [offsets, front, value, end] = [code.local('v128'), code.local('v128'), code.local('v128'), code.local('i32')];
  code.get(rows[0]).op('i32x4.splat');
  for (const i of [1, 2, 3]) code.get(at(rows, i)).lane('i32x4.replace_lane', i);
  code.set(offsets);
  emitFold(code, offsets, front);
  code.if();
  code.get(front).op('i32x4.all_true').if();
  emitAlongRows(code, job, rows[0], to);
  code.else();
  code.get(rows[3]).i32(12).op('i32.sub').set(end);
  const cursor = new Cursor(code, job, [rows[0], end]);
  const one = (step: number) => {
    cursor.look(step);
    code.memory('v128.load', cursor.address(0, step)).set(value);
    code.get(to).get(value);
    code.memory('v128.load', cursor.address(1, step)).get(front).op('v128.bitselect');
    code.memory('v128.store', step * job.pitch * 4);
  };
  emitOverK(code, job, to, cursor, () => [0, 1, 2, 3].forEach(one), one);
  cursor.release();
  code.end().else();
  emitElements(code, job, rows, to);
  code.end();
  for (const local of [offsets, front, value, end]) code.release(local);
}

function emitElements(code: Code, job: PackJob, rows: readonly Local[], to: Local): void {
  const cursor = new Cursor(code, job, rows);
  const one = elementStep(code, job, cursor, to);
  emitOverK(code, job, to, cursor, () => [0, 1, 2, 3].forEach(one), one);
  cursor.release();
}

function elementStep(code: Code, job: PackJob, cursor: Cursor, to: Local): (step: number) => void {
  const vector = code.local('v128');
  return (step) => {
    cursor.look(step);
    code.memory('v128.load32_zero', cursor.address(0, step)).set(vector);
    for (const i of [1, 2, 3]) {
      const offset = cursor.address(i, step);
      code.get(vector).memoryLane('v128.load32_lane', offset, i).set(vector);
    }
    code.get(to).get(vector).memory('v128.store', step * job.pitch * 4);
  };
}

const lowWords = [0, 1, 2, 3, 16, 17, 18, 19, 4, 5, 6, 7, 20, 21, 22, 23];
const highWords = [8, 9, 10, 11, 24, 25, 26, 27, 12, 13, 14, 15, 28, 29, 30, 31];
const lowPairs = [0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23];
const highPairs = [8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31];

/** Transposes a square of 4 × 4: calls `use` for each column with a function that puts it on the stack. */
export function emitTranspose(code: Code, lines: readonly Local[], use: (column: number, push: () => void) => void): void {
  const pairs = lines.map(() => code.local('v128'));
  const [l0, l1, l2, l3] = [at(lines, 0), at(lines, 1), at(lines, 2), at(lines, 3)];
  code.get(l0).get(l1).shuffle(lowWords).set(at(pairs, 0));
  code.get(l2).get(l3).shuffle(lowWords).set(at(pairs, 1));
  code.get(l0).get(l1).shuffle(highWords).set(at(pairs, 2));
  code.get(l2).get(l3).shuffle(highWords).set(at(pairs, 3));
  for (let column = 0; column < 4; column++) {
    const first = column < 2 ? 0 : 2;
    use(column, () => code.get(at(pairs, first)).get(at(pairs, first + 1)).shuffle(column % 2 === 0 ? lowPairs : highPairs));
  }
  for (const local of pairs) code.release(local);
}

/** Transposes 4 rows × 4 positions of k at a time; `checked` where four positions may not be neighbours. */
function emitAlongK(code: Code, job: PackJob, rows: readonly Local[], to: Local, checked: boolean): void {
  const cursor = new Cursor(code, job, rows);
  const element = elementStep(code, job, cursor, to);
  const lines = rows.map(() => code.local('v128'));
  const [offsets, front, end] = [code.local('v128'), code.local('v128'), code.local('i32')];
  const transpose = () =>
    emitTranspose(code, lines, (step, push) => {
      code.get(to);
      push();
      code.memory('v128.store', step * job.pitch * 4);
    });
  const whole = () => {
    cursor.look(0);
    lines.forEach((line, i) => code.memory('v128.load', cursor.address(i, 0)).set(line));
    transpose();
  };
  const four = () => {
    if (!checked) return whole();
    cursor.loadOffsets(offsets);
    emitFold(code, offsets, front);
    code.if();
    code.get(front).op('i32x4.all_true').if();
    whole();
    code.else();
    cursor.look(0);
    code.get(offsets).lane('i32x4.extract_lane', 3).get(offsets).lane('i32x4.extract_lane', 0).op('i32.sub').i32(12).op('i32.sub').set(end);
    lines.forEach((line, i) => {
      code.memory('v128.load', cursor.address(i, 0));
      code.get(end);
      code.memory('v128.load', addTo(code, cursor.address(i, 0)));
      code.get(front).op('v128.bitselect').set(line);
    });
    transpose();
    code.end().else();
    [0, 1, 2, 3].forEach(element);
    code.end();
  };
  emitOverK(code, job, to, cursor, four, element);
  cursor.release();
  for (const local of [...lines, offsets, front, end]) code.release(local);
}

/** Adds the value below the address on the stack to it; passes the offset on. */
function addTo(code: Code, offset: number): number {
  code.op('i32.add');
  return offset;
}

/** Bytes of a table of offsets. */
export const tableBytes = chunk * 4;
