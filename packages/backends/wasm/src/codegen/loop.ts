// Code for loop kernels: the loop nest, its split into units of work, and the stages.
import { accumulatedRange, accumulations, bytesOf, independentLoops, loopCount, lower, type Dtype, type LoopKernel, type Value } from '@athanor/core/backend';
import type { Code, Local } from '../assembler/code.ts';
import { finishAccumulators, laneGroups, loadStart, passAccumulators, startAccumulators, startBytes, storeStart, type Reduction } from './accumulators.ts';
import { at } from './at.ts';
import { Body, laneBytes, type BodyOptions, type Group } from './body.ts';
import { allocate, constantLanes, identityOf, mapParts, part } from './lanes.ts';
import { emitPanel, type LoopNest, type Panel } from './panel.ts';
import { Frame, type Access, type Pointer } from './pointers.ts';
import { reachOf, type Reach } from './reach.ts';
import { separateReductions } from './separate.ts';

/** What the program builder must know of a compiled kernel. */
export interface KernelShape {
  /** Independent pieces of work: the function runs any range of them. */
  readonly units: number;
  /** Rough nanoseconds of all units on one thread. */
  readonly cost: number;
  /** Scratch bytes that each thread needs. */
  readonly scratch: number;
  /** How much of its buffers the first units need; absent where they need all. */
  readonly reach?: Reach;
}

/** Pieces of a long vector loop hold at least this many elementary operations. */
const pieceWork = 8192;
const largestUnroll = 16;
/** Positions of the vector loop in a piece of a transposition, and bytes of a cache line. */
const nearPiece = 16;
const lineBytes = 64;

/** Rows of so many positions stay in the nearest cache, with what else is read beside them. */
const nearPositions = 2048;

/** A loop that units count: one of the kernel's, or the pieces of the vector loop. */
type Level = number | 'piece';

/** Parameters of every kernel function: argument list, first unit, end unit, scratch (addresses and counts). */
export const kernelParameters = ['i32', 'i32', 'i32', 'i32'] as const;

export interface LoopOptions extends BodyOptions {
  /** Sums of products become multiply-adds: for contractions. */
  readonly products?: boolean;
}

export function emitLoopKernel(code: Code, kernel: LoopKernel, options: LoopOptions): KernelShape {
  return new LoopEmitter(code, kernel, options).emit();
}

class LoopEmitter implements LoopNest {
  readonly code: Code;
  private readonly kernel: LoopKernel;
  readonly loops: readonly number[];
  readonly outer: number;
  private readonly vector: number;
  private readonly vectorIsOuter: boolean;
  readonly body: Body;
  private readonly rows: readonly Dtype[];
  private readonly rowOffsets: readonly number[];
  private readonly scratch: number;
  private readonly options: LoopOptions;
  /** Groups per turn of the vector loop. */
  private readonly unroll: number;
  /** Positions of the vector loop in one unit of work (all of them where it is not split). */
  private readonly piece: number;
  /** An outer loop along which memory is read that the vector loop only reads at a distance (transpositions); −1 if none. */
  private readonly near: number;
  /** Scratch through which finished accumulators go, in bytes; −1 if they stay in registers. */
  private readonly passage: number;
  /** Where in scratch the accumulators of reductions find what they start from; the others start from constants. */
  private readonly starts: readonly { readonly value: Value; readonly instruction: Reduction; readonly offset: number }[];
  /** Leading loops whose positions are independent; the outer loops behind them run in order. */
  private readonly leading: number;
  /** The sums over these, and the bytes that one position of the leading loops has of each. */
  private readonly sums: readonly { readonly access: Access; readonly bytes: number }[];
  /** The reductions of stage 1, where their partial results for a whole piece lie in scratch (see emitPanel). */
  private readonly panel: readonly Panel[] | undefined;

  constructor(code: Code, kernel: LoopKernel, options: LoopOptions) {
    this.code = code;
    this.kernel = kernel;
    this.options = options;
    const empty = kernel.loops.length === 0;
    this.loops = empty ? [1] : kernel.loops;
    this.outer = empty ? 1 : kernel.outer;
    this.vector = kernel.vector >= 0 ? kernel.vector : this.outer > 0 ? this.outer - 1 : this.loops.length - 1;
    this.vectorIsOuter = this.vector < this.outer;
    this.rows = kernel.rows;
    const inner = loopCount(this.loops.slice(this.outer));
    const whole = lower(kernel.instructions, kernel.stages, options.products);
    const lowered = !this.vectorIsOuter && inner <= nearPositions ? separateReductions(whole) : whole;
    const simple = lowered.instructions.filter(({ op }) => op !== 'constant').length;
    const wide = kernel.instructions.some(({ dtype }) => dtype === 'float64');
    this.unroll = !this.vectorIsOuter ? laneGroups : simple <= 100 && !wide ? 4 : 2;
    this.body = new Body(code, lowered, this.loops.length, { vector: this.vector, vectorIsOuter: this.vectorIsOuter, rowStrides: (row) => this.rowStrides(row) }, options);
    this.leading = empty ? 1 : independentLoops(kernel);
    this.sums = accumulations(kernel).map((sum) => ({
      access: this.body.pointers.buffer(sum),
      bytes: accumulatedRange(sum, kernel).count * bytesOf(sum.dtype),
    }));
    let offset = 0;
    this.rowOffsets = this.rows.map((dtype) => {
      const start = offset;
      offset += inner * laneBytes(dtype) * (this.vectorIsOuter ? 4 * this.unroll : 1) + 64;
      return start;
    });
    const size = at(this.loops, this.vector);
    this.near = this.findNear();
    if (this.wantsPanel(inner)) {
      this.piece = Math.max(64, Math.min(512, Math.ceil(size / 2 / 64) * 64));
      this.panel = this.body.analysis.reductions(1).map(({ value, instruction }, i) => {
        const bytes = laneBytes(instruction.dtype);
        const start = offset;
        offset += this.piece * bytes + 64;
        return { value, instruction, access: this.body.pointers.partial(i, this.vector, bytes), start };
      });
    } else {
      this.piece = this.choosePiece(inner, simple);
      this.panel = undefined;
    }
    const passes = options.joins && !this.vectorIsOuter && at(this.loops, this.vector) >= 4 * laneGroups;
    this.passage = passes ? offset : -1;
    if (passes) offset += 16 * laneGroups;
    this.starts = (passes ? this.body.analysis.allReductions() : []).map(({ value, instruction }) => {
      const start = offset;
      offset += startBytes(instruction);
      return { value, instruction, offset: start };
    });
    this.scratch = offset;
  }

  /** Long rows are split where there are too few of them; pieces are whole turns. */
  private choosePiece(inner: number, cost: number): number {
    const size = at(this.loops, this.vector);
    if (this.near >= 0) return nearPiece;
    const before = loopCount(this.loops.slice(0, Math.max(0, this.outer - 1)));
    if (!this.vectorIsOuter || before >= 64 || this.sums.length > 0) return size;
    const whole = Math.ceil(pieceWork / (Math.max(1, inner) * Math.max(1, cost)) / 64) * 64;
    const parts = Math.max(64, Math.ceil((size * before) / 64 / 64) * 64);
    return Math.min(size, Math.max(whole, parts));
  }

  /**
   * In a transposition, the elements beside one that is read lie along another loop: with short pieces of the vector
   * loop outside of that one, cache lines are used up before they are gone.
   */
  private findNear(): number {
    const { body } = this;
    if (!this.vectorIsOuter || this.sums.length > 0 || body.analysis.lastStage > 0 || at(this.loops, this.vector) < 2 * nearPiece) return -1;
    for (const { source, strides } of this.pointers) {
      if (typeof source !== 'number' || Math.abs(at(strides, this.vector)) < lineBytes) continue;
      const near = strides.findIndex((stride, loop) => loop < this.outer - 1 && stride !== 0 && Math.abs(stride) <= 8 && at(this.loops, loop) >= 4);
      if (near >= 0) return near;
    }
    return -1;
  }

  /** Reductions over far-apart rows read long stretches of each row, and keep the partial results in scratch. */
  private wantsPanel(inner: number): boolean {
    const { body } = this;
    if (!this.vectorIsOuter || this.loops.length === this.outer || at(this.loops, this.vector) < 64 || inner < 16) return false;
    const plain = body.analysis.lastStage <= 2 && body.analysis.reductions(1).length > 0 && !body.analysis.has(0, 'store', 'scatter', 'keep') && !body.analysis.has(1, 'store', 'scatter', 'keep');
    return plain && body.analysis.cost(0) <= 4 && body.analysis.largestStride(1, this.loops.length - 1) >= 512;
  }

  private rowStrides(row: number): number[] {
    const bytes = laneBytes(at(this.rows, row));
    const strides = this.loops.map(() => 0);
    let stride = this.vectorIsOuter ? bytes * 4 * this.unroll : bytes;
    for (let loop = this.loops.length - 1; loop >= this.outer; loop--) {
      strides[loop] = stride;
      stride *= at(this.loops, loop);
    }
    strides[this.vector] = bytes;
    return strides;
  }

  get pointers(): readonly Pointer[] {
    return this.body.pointers.pointers;
  }

  emit(): KernelShape {
    const pieces = Math.ceil(at(this.loops, this.vector) / this.piece);
    const prefix = Array.from({ length: Math.min(this.leading, this.vectorIsOuter ? this.outer - 1 : this.outer) }, (_, loop) => loop);
    const order: Level[] = [...prefix.filter((loop) => loop !== this.near), ...(pieces > 1 ? ['piece' as const] : []), ...(this.near >= 0 ? [this.near] : [])];
    const levels = order.map((level) => ({ level, size: level === 'piece' ? pieces : at(this.loops, level) }));
    const units = loopCount(levels.map(({ size }) => size));
    for (const { instruction, offset } of this.starts) storeStart(this.code, instruction, offset);
    this.emitUnits(levels, this.start());
    let work = 0;
    for (let stage = 0; stage <= this.body.analysis.lastStage; stage++) {
      const positions = loopCount(stage % 2 === 0 ? this.loops.slice(0, this.outer) : this.loops);
      work += positions * (2 + this.body.analysis.cost(stage)) * 0.03;
    }
    const [outermost] = levels;
    const shape = { units, cost: work, scratch: this.scratch };
    if (outermost === undefined) return shape;
    const [loop, width] = outermost.level === 'piece' ? [this.vector, this.piece] : [outermost.level, 1];
    return { ...shape, reach: reachOf(this.kernel, { loop, width, steps: outermost.size }) };
  }

  /** Pointers at index 0 of all loops. */
  private start(): Frame {
    const { code } = this;
    return new Frame(
      this.pointers,
      this.pointers.map(({ source, base }) => {
        if (source === 'index') return undefined;
        const local = code.local('i32');
        if (typeof source === 'number') code.get(code.parameter(0)).memory('i32.load', source * 4);
        else code.get(code.parameter(3)).i32('row' in source ? at(this.rowOffsets, source.row) : at(this.panel ?? [], source.partial).start).op('i32.add');
        if (base !== 0) code.i32(base).op('i32.add');
        code.set(local);
        return local;
      }),
    );
  }

  /** The loops that units count, from the unit range in the parameters; then the rest of the nest for each. */
  private emitUnits(levels: readonly { readonly level: Level; readonly size: number }[], start: Frame): void {
    const { code } = this;
    const sizes = levels.map(({ size }) => size);
    const pieceLevel = levels.findIndex(({ level }) => level === 'piece');
    if (sizes.length === 0) {
      code.get(code.parameter(1)).get(code.parameter(2)).op('i32.lt_s').if();
      this.emitPosition(start, undefined);
      code.end();
      return;
    }
    const indices = sizes.map(() => code.local('i32'));
    const [rest, remaining] = [code.local('i32'), code.local('i32')];
    const exit = code.block();
    code.get(code.parameter(2)).get(code.parameter(1)).op('i32.sub').tee(remaining).i32(0).op('i32.le_s').brIf(exit);
    code.get(code.parameter(1)).set(rest);
    for (let i = sizes.length - 1; i > 0; i--) {
      code.get(rest).i32(at(sizes, i)).op('i32.rem_u').set(at(indices, i));
      code.get(rest).i32(at(sizes, i)).op('i32.div_u').set(rest);
    }
    code.get(rest).set(at(indices, 0));
    const isScratch = ({ source }: Pointer) => typeof source === 'object';
    const strideAt = (pointer: Pointer, i: number) => {
      const { level } = at(levels, i);
      if (level !== 'piece') return at(pointer.strides, level);
      return isScratch(pointer) ? 0 : at(pointer.strides, this.vector) * this.piece;
    };
    const nest = (i: number, frame: Frame): void => {
      if (i === sizes.length) {
        this.emitPosition(frame, pieceLevel < 0 ? undefined : at(indices, pieceLevel));
        code.advance(remaining, -1).get(remaining).op('i32.eqz').brIf(exit);
        return;
      }
      const moving = this.pointers.filter((pointer) => strideAt(pointer, i) !== 0);
      const changes = new Map<number, Local>();
      for (const pointer of moving) {
        const local = code.local('i32');
        code.get(at(indices, i)).i32(strideAt(pointer, i)).op('i32.mul');
        const base = frame.locals[pointer.index];
        if (base !== undefined) code.get(base).op('i32.add');
        code.set(local);
        changes.set(pointer.index, local);
      }
      const loop = code.loop();
      nest(i + 1, frame.with(changes));
      for (const pointer of moving) {
        const local = changes.get(pointer.index);
        if (local !== undefined) code.advance(local, strideAt(pointer, i));
      }
      code.advance(at(indices, i), 1);
      code.get(at(indices, i)).i32(at(sizes, i)).op('i32.lt_u').brIf(loop);
      code.end();
      code.i32(0).set(at(indices, i));
    };
    nest(0, start);
    code.end();
  }

  /** Scratch rows of an outer vector loop hold one turn only. */
  private vectorStride(pointer: Pointer): number {
    if (typeof pointer.source === 'object' && 'row' in pointer.source && this.vectorIsOuter) return 0;
    return at(pointer.strides, this.vector);
  }

  /** Everything inside the loops that units count. */
  private emitPosition(frame: Frame, pieceIndex: Local | undefined): void {
    this.clearSums(frame);
    const ordered = this.loops.map((_, loop) => loop).slice(this.leading, this.vectorIsOuter ? this.outer - 1 : this.outer);
    this.emitNest(ordered, undefined, frame, (inside) => (this.vectorIsOuter ? this.emitRows(inside, pieceIndex) : this.emitRow(inside)));
  }

  /** All stages at all outer positions of the vector loop, or of one piece of it. */
  private emitRows(frame: Frame, pieceIndex: Local | undefined): void {
    const { body } = this;
    for (let stage = 0; stage <= body.analysis.lastStage; stage += 2) body.emitShared(stage, frame);
    if (this.panel !== undefined) emitPanel(this, this.panel, frame, pieceIndex);
    else this.emitVector(frame, pieceIndex, (groups, current) => this.emitTurn(groups, current));
    body.release(body.shared);
  }

  /** All stages at one outer position. */
  private emitRow(frame: Frame): void {
    const { body } = this;
    for (let stage = 0; stage <= body.analysis.lastStage; stage++) {
      if (stage % 2 === 0) this.emitOuterStage(stage, frame);
      else this.emitReducingStage(stage, frame);
    }
    body.release(body.shared);
  }

  /** Sums over outer loops start from 0 at each position of the leading loops. */
  private clearSums(frame: Frame): void {
    const { code } = this;
    for (const { access, bytes } of this.sums) {
      const offset = frame.address(code, access);
      if (offset !== 0) code.i32(offset).op('i32.add');
      code.i32(0).i32(bytes).fill();
    }
  }

  /** Vector loop outside: each lane is an outer position that reduces alone. */
  private emitTurn(groups: readonly Group[], frame: Frame): void {
    const { body, code } = this;
    for (let stage = 0; stage <= body.analysis.lastStage; stage++) {
      if (stage % 2 === 0) {
        body.emitGroups(stage, frame, groups);
        continue;
      }
      for (const { value, instruction } of body.analysis.reductions(stage)) {
        const identity = constantLanes(code, identityOf(instruction.combine, instruction.dtype), instruction.dtype);
        for (const group of groups) {
          const accumulator = allocate(code, instruction.dtype);
          mapParts(code, accumulator, (i) => code.get(part(identity, i)));
          group.values.set(value, accumulator);
        }
      }
      const inner = this.loops.map((_, loop) => loop).slice(this.outer);
      this.emitNest(inner, stage, frame, (inside) => {
        body.emitShared(stage, inside);
        body.emitGroups(stage, inside, groups);
      });
    }
    for (const group of groups) body.release(group);
  }

  /** Vector loop inside: values that are equal for all inner positions; stores write one element. */
  private emitOuterStage(stage: number, frame: Frame): void {
    this.body.emitShared(stage, frame);
    const group: Group = { first: 0, active: 1, values: new Map() };
    this.body.emitGroups(stage, frame, [group]);
    for (const [value, lanes] of group.values) this.body.shared.values.set(value, lanes);
  }

  private emitReducingStage(stage: number, frame: Frame): void {
    const { body, code } = this;
    const reductions = body.analysis.reductions(stage);
    const size = at(this.loops, this.vector);
    const used = Math.max(1, Math.min(laneGroups, Math.ceil(size / 4)));
    const accumulators = new Map(reductions.map(({ value, instruction }) => [value, startAccumulators(code, instruction, used)]));
    for (const { value, offset } of this.starts) {
      const list = accumulators.get(value);
      if (list !== undefined) loadStart(code, list, offset);
    }
    const inner = this.loops.map((_, loop) => loop).slice(this.outer, -1);
    this.emitNest(inner, stage, frame, (inside) => {
      body.emitShared(stage, inside);
      this.emitVector(inside, undefined, (groups, current, settle) => {
        for (const [value, list] of accumulators) groups.forEach((group, i) => group.values.set(value, at(list, i)));
        body.emitGroups(stage, current, groups, settle);
        for (const group of groups) {
          for (const value of accumulators.keys()) group.values.delete(value);
          body.release(group);
        }
      }, stage);
    });
    for (const { value, instruction } of reductions) {
      const list = accumulators.get(value) ?? [];
      if (this.passage >= 0 && instruction.dtype !== 'float64') passAccumulators(code, list, this.passage);
      body.shared.values.set(value, finishAccumulators(code, instruction, list));
    }
  }

  /** The vector loop, or one piece of it: turns of `unroll` groups, then the groups that are left. */
  emitVector(frame: Frame, pieceIndex: Local | undefined, turn: (groups: Group[], frame: Frame, settle?: () => void) => void, stage?: number): void {
    const { code, unroll } = this;
    const size = at(this.loops, this.vector);
    const step = 4 * unroll;
    const lastPiece = size - (Math.ceil(size / this.piece) - 1) * this.piece;
    const [turns, lastTurns] = [Math.floor(this.piece / step), Math.floor(lastPiece / step)];
    const left = lastPiece % step;
    const used = stage === undefined ? undefined : this.body.analysis.pointersOf(stage);
    const moving = this.pointers.filter((pointer) => this.vectorStride(pointer) !== 0 && (used?.has(pointer.index) ?? true));
    const groups = (count: number): Group[] =>
      Array.from({ length: Math.ceil(count / 4) }, (_, i) => ({ first: 4 * i, active: Math.min(4, count - 4 * i), values: new Map() }));
    if (pieceIndex === undefined && turns === 0) return turn(groups(left), frame);
    const { frame: current, copies } = frame.copy(code, moving);
    const isLast = code.local('i32');
    if (pieceIndex !== undefined) code.get(pieceIndex).i32(Math.ceil(size / this.piece) - 1).op('i32.eq').set(isLast);
    const counter = code.local('i32');
    if (pieceIndex === undefined) code.i32(turns).set(counter);
    else code.i32(lastTurns).i32(turns).get(isLast).op('select').set(counter);
    const skip = code.block();
    if (pieceIndex !== undefined && lastTurns === 0) code.get(counter).op('i32.eqz').brIf(skip);
    const loop = code.loop();
    let ends = 0;
    // Never taken, and different each time: equal conditions would be merged. What lives on after the loop is computed before.
    const settle = () => code.get(counter).i32(-1000 - ends++).op('i32.eq').brIf(skip);
    turn(groups(step), current, this.options.split ? settle : undefined);
    for (const pointer of moving) {
      const local = copies.get(pointer.index);
      if (local !== undefined) code.advance(local, this.vectorStride(pointer) * step);
    }
    code.advance(counter, -1).get(counter).brIf(loop);
    code.end();
    code.end();
    if (left > 0) {
      if (pieceIndex !== undefined) code.get(isLast).if();
      turn(groups(left), current);
      if (pieceIndex !== undefined) code.end();
    }
    for (const local of [...copies.values(), isLast, counter]) code.release(local);
  }

  /** Loops over all positions of some inner loops, or the same unrolled; without a stage, of some outer ones. */
  emitNest(loops: readonly number[], stage: number | undefined, frame: Frame, emitInside: (frame: Frame) => void): void {
    const { code, body } = this;
    const sizes = loops.map((loop) => at(this.loops, loop));
    const count = loopCount(sizes);
    if (count === 0) return;
    if (count === 1) return emitInside(loops.reduce((now, loop) => now.fix(loop, 0), frame));
    if (stage !== undefined && count <= largestUnroll && count * body.analysis.cost(stage) <= 64 && this.vectorIsOuter) return this.emitUnrolled(loops, frame, emitInside);
    const used = stage === undefined ? undefined : body.analysis.pointersOf(stage);
    const moving = this.pointers.filter((pointer) => (used?.has(pointer.index) ?? true) && loops.some((loop) => at(pointer.strides, loop) !== 0));
    const { frame: current, copies } = frame.copy(code, moving);
    const level = (i: number): void => {
      if (i === loops.length) return emitInside(current);
      const counter = code.local('i32');
      code.i32(at(sizes, i)).set(counter);
      const loop = code.loop();
      level(i + 1);
      for (const pointer of moving) {
        const local = copies.get(pointer.index);
        const next = i + 1 < loops.length ? at(pointer.strides, at(loops, i + 1)) * at(sizes, i + 1) : 0;
        if (local !== undefined) code.advance(local, at(pointer.strides, at(loops, i)) - next);
      }
      code.advance(counter, -1).get(counter).brIf(loop);
      code.end();
      code.release(counter);
    };
    level(0);
    for (const local of copies.values()) code.release(local);
  }

  private emitUnrolled(loops: readonly number[], frame: Frame, emitInside: (frame: Frame) => void): void {
    const [first, ...rest] = loops;
    if (first === undefined) return emitInside(frame);
    for (let i = 0; i < at(this.loops, first); i++) this.emitUnrolled(rest, frame.fix(first, i), emitInside);
  }
}
