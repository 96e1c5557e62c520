// Emits the instructions of a kernel for groups of four neighbouring positions along its vector loop.
import { InternalError, bytesOf, inputsOf, type Dtype, type Guard, type Lowered, type LoweredBody, type Value } from '@athanor/core/backend';
import type { Code, Local } from '../assembler/code.ts';
import { emitStep } from './accumulators.ts';
import { Analysis, emissionOf, type BodyShape } from './analysis.ts';
import { emitCopy, emitLoad, emitMaskedLoad, emitStore, type Spot } from './access.ts';
import { at } from './at.ts';
import {
  allocate, constantLanes, emitBitcast, emitCast, emitCombine, emitElementwise, emitMultiplyAdd, emitPick, emitRelu, emitWhere,
  emitWrap, identityOf, integerBytes, isLaneWise, isWide, mapParts, part, splatBytes, upperFirst, type Lanes,
} from './lanes.ts';
import { PointerTable, type Access, type Frame } from './pointers.ts';
import { emitCall, emitClamp, emitGatherLane, emitIntegerLanes, emitScatterLane, raiseFlag, type IndexedAccess, type MathImports } from './scalar.ts';
import { emitThreefry } from './threefry.ts';

/** Neighbouring positions that are computed together, and what is known about them so far. */
export interface Group {
  /** Position of the first along the vector loop, relative to the frame's pointers. */
  readonly first: number;
  /** How many exist: 4, or fewer at the loop's end. */
  readonly active: number;
  readonly values: Map<Value, Lanes>;
}

export interface BodyOptions {
  readonly imports: MathImports;
  /** Multiply-adds round once. */
  readonly fused: boolean;
  /** The engine joins neighbouring 128-bit vectors. */
  readonly joins: boolean;
  /** The engine computes as late in a block as it can, and spills what waits: blocks must be short (V8 before 13). */
  readonly split: boolean;
}

/** Vectors that may be read before any of them is used. */
const readsInFlight = 16;

/** Bytes of one position's value as `keep` stores it: lanes are not narrowed. */
export const laneBytes = (dtype: Dtype): number => (isWide(dtype) ? 8 : 4);

export class Body {
  readonly pointers: PointerTable;
  readonly shared: Group = { first: 0, active: 1, values: new Map() };
  readonly analysis: Analysis;
  private readonly code: Code;
  private readonly list: readonly Lowered[];
  private readonly stages: readonly number[];
  private readonly shape: BodyShape;
  private readonly options: BodyOptions;

  constructor(code: Code, body: LoweredBody, loops: number, shape: BodyShape, options: BodyOptions) {
    this.code = code;
    this.list = body.instructions;
    this.stages = body.stages;
    this.shape = shape;
    this.options = options;
    this.pointers = new PointerTable(loops);
    this.analysis = new Analysis(body, this.pointers, shape);
  }

  /** Emits what is equal along the vector loop, once. */
  emitShared(stage: number, frame: Frame): void {
    const chosen = this.analysis.select(stage, (instruction, i) => instruction.op !== 'reduce' && !at(this.analysis.varies, i));
    for (const i of chosen) this.emit(i, frame, this.shared);
  }

  /** Takes what `emitShared` made for a stage away, so that it can be emitted again beside it. */
  takeShared(stage: number): Map<Value, Lanes> {
    const taken = new Map([...this.shared.values].filter(([value]) => this.stages[value] === stage && at(this.list, value).op !== 'constant'));
    for (const value of taken.keys()) this.shared.values.delete(value);
    return taken;
  }

  /**
   * Emits a stage for each group in turn. Engines compute late, and keep reads and writes in order: stores of all groups
   * come together at the end, so that groups are computed side by side, unless what is read until then needs more registers
   * than there are. With `settle`, which ends a block, there is one for each pair of groups.
   */
  emitGroups(stage: number, frame: Frame, groups: readonly Group[], settle?: () => void): void {
    const chosen = this.analysis.perGroup(stage);
    const waiting = this.analysis.select(stage, ({ op }, i) => chosen.includes(i) && (op === 'load' || op === 'recall' || op === 'store')).length;
    const step = settle !== undefined || waiting * groups.length > readsInFlight ? 2 : groups.length;
    const emit = (order: 0 | 1 | 2, some: readonly Group[]) => {
      const ordered = order > 0 && this.options.joins ? upperFirst(some) : some;
      for (const i of chosen) if (emissionOf(at(this.list, i)) === order) for (const group of ordered) this.emitAndRelease(i, frame, group, stage);
    };
    // Neighbouring stores stand side by side: engines that join vectors begin with them.
    for (let first = 0; first < groups.length; first += step) {
      const together = groups.slice(first, first + step);
      for (let one = 0; one < together.length; one += 2) {
        const pair = together.slice(one, one + 2);
        for (const group of pair) emit(0, [group]);
        emit(1, pair);
      }
      emit(2, together);
      if (first + step < groups.length) settle?.();
    }
  }

  private emitAndRelease(i: number, frame: Frame, group: Group, stage: number): void {
    this.emit(i, frame, group);
    for (const input of new Set(inputsOf(at(this.list, i)))) {
      if (this.analysis.lastUse[input] !== i || this.stages[input] !== stage || !at(this.analysis.varies, input)) continue;
      const lanes = group.values.get(input);
      if (lanes === undefined || at(this.list, input).op === 'reduce') continue;
      group.values.delete(input);
      this.releaseLanes(lanes);
    }
  }

  releaseLanes(lanes: Lanes): void {
    for (const local of new Set(lanes)) this.code.release(local);
  }

  /** Forgets a group's values and gives their locals back. */
  release(group: Group): void {
    for (const [value, lanes] of group.values) if (at(this.list, value).op !== 'constant') this.releaseLanes(lanes);
    group.values.clear();
  }

  lanes(value: Value, group: Group): Lanes {
    const known = group.values.get(value) ?? this.shared.values.get(value);
    if (known !== undefined) return known;
    const instruction = at(this.list, value);
    if (instruction.op !== 'constant') throw new InternalError(`value ${value} (${instruction.op}) is not known here`);
    const lanes = constantLanes(this.code, instruction.value, instruction.dtype);
    this.shared.values.set(value, lanes);
    return lanes;
  }

  private dtype(value: Value): Dtype {
    return at(this.list, value).dtype;
  }

  private spot(access: Access, frame: Frame, group: Group): Spot {
    const stride = access.pointer.strides[this.shape.vector] ?? 0;
    return { frame, access, stride, start: group.first * stride, active: group.active };
  }

  private emit(i: number, frame: Frame, group: Group): void {
    const { code } = this;
    const instruction = at(this.list, i);
    const operand = (value: Value) => this.lanes(value, group);
    const result = (): Lanes => {
      const lanes = group.values.get(i) ?? allocate(code, instruction.dtype);
      group.values.set(i, lanes);
      return lanes;
    };
    switch (instruction.op) {
      case 'constant':
        return;
      case 'load':
        return this.emitLoad(instruction, frame, group, result());
      case 'gather':
        return this.emitGather(instruction, frame, group, result());
      case 'index':
        return this.emitIndex(this.pointers.affine(instruction.index), frame, group, at(result(), 0));
      case 'inside':
        return this.emitInside(instruction.guards, frame, group, at(result(), 0));
      case 'elementwise':
        return this.emitElementwise(instruction, group, result());
      case 'where': {
        const [condition, x, y] = instruction.inputs;
        return emitWhere(code, instruction.dtype, result(), at(operand(condition), 0), operand(x), operand(y));
      }
      case 'cast':
        return emitCast(code, this.dtype(instruction.inputs[0]), instruction.dtype, result(), operand(instruction.inputs[0]));
      case 'bitcast':
        return emitBitcast(code, this.dtype(instruction.inputs[0]), instruction.dtype, result(), operand(instruction.inputs[0]));
      case 'multiplyAdd': {
        const [x, y, z] = instruction.inputs;
        return emitMultiplyAdd(code, instruction.dtype, result(), [operand(x), operand(y), operand(z)], this.options.fused);
      }
      case 'pick':
        return emitPick(code, instruction.name, instruction.dtype, result(), operand(instruction.inputs[0]), operand(instruction.inputs[1]));
      case 'relu':
        return emitRelu(code, instruction.dtype, result(), operand(instruction.inputs[0]));
      case 'exact':
        return this.emitExact(instruction, group, result());
      case 'threefry': {
        const [key0, key1, block0, block1] = instruction.inputs.map((value) => at(operand(value), 0));
        if (key0 === undefined || key1 === undefined || block0 === undefined || block1 === undefined) throw new InternalError('threefry takes four words');
        return emitThreefry(code, at(result(), 0), [key0, key1, block0, block1]);
      }
      case 'reduce':
        return this.emitReduce(instruction, group, this.lanes(i, group));
      case 'keep': {
        const value = operand(instruction.input);
        const spot = this.spot(this.pointers.row(instruction.row, this.shape.rowStrides(instruction.row)), frame, group);
        value.forEach((local, half) => {
          const offset = frame.address(code, spot.access, spot.start + 16 * half);
          code.get(local).memory('v128.store', offset);
        });
        return;
      }
      case 'recall': {
        const spot = this.spot(this.pointers.row(instruction.row, this.shape.rowStrides(instruction.row)), frame, group);
        mapParts(code, result(), (half) => code.memory('v128.load', frame.address(code, spot.access, spot.start + 16 * half)));
        return;
      }
      case 'store':
        return emitStore(code, instruction.dtype, operand(instruction.input), this.spot(this.pointers.buffer(instruction), frame, group));
      case 'scatter':
        return this.emitScatter(instruction, frame, group);
      case 'accumulator':
        throw new InternalError('an accumulator outside of a contraction');
    }
  }

  /** Guards in two parts: a condition common to all positions (left on the stack by `common`), and a mask. */
  private guardParts(guards: readonly Guard[], frame: Frame, group: Group): { common: (() => void) | undefined; mask: (() => Local) | undefined } {
    const { code } = this;
    const split = guards.map((guard) => {
      const access = this.pointers.affine(guard.index);
      return { access, size: guard.size, moves: access.pointer.strides[this.shape.vector] !== 0 };
    });
    const still = split.filter(({ moves }) => !moves);
    const moving = split.filter(({ moves }) => moves);
    const common = () =>
      still.forEach(({ access, size }, i) => {
        frame.value(code, access);
        code.i32(size).op('i32.lt_u');
        if (i > 0) code.op('i32.and');
      });
    const mask = (): Local => {
      const local = code.local('v128');
      moving.forEach(({ access, size }, i) => {
        this.emitIndex(access, frame, group, local, i > 0 ? local : undefined, size);
      });
      return local;
    };
    return { common: still.length > 0 ? common : undefined, mask: moving.length > 0 ? mask : undefined };
  }

  /** out = the index at each position; with a size, the mask of indices in [0, size), and-ed with `also`. */
  private emitIndex(access: Access, frame: Frame, group: Group, out: Local, also?: Local, size?: number): void {
    const { code } = this;
    const stride = access.pointer.strides[this.shape.vector] ?? 0;
    if (also !== undefined) code.get(also);
    frame.value(code, access, group.first * stride);
    code.op('i32x4.splat');
    if (stride !== 0) code.get(code.constant(integerBytes([0, stride, 2 * stride, 3 * stride]))).op('i32x4.add');
    if (size !== undefined) code.get(code.constant(splatBytes(size, 'int32'))).op('i32x4.lt_u');
    if (also !== undefined) code.op('v128.and');
    code.set(out);
  }

  private emitInside(guards: readonly Guard[], frame: Frame, group: Group, out: Local): void {
    const { code } = this;
    const { common, mask } = this.guardParts(guards, frame, group);
    const moving = mask?.();
    if (common === undefined) code.get(moving ?? code.constant(splatBytes(-1, 'int32')));
    else {
      code.i32(0);
      common();
      code.op('i32.sub').op('i32x4.splat');
      if (moving !== undefined) code.get(moving).op('v128.and');
    }
    code.set(out);
    if (moving !== undefined) code.release(moving);
  }

  /** Runs `real` where the common guards hold, else copies the fill value. */
  private whereCommon(common: (() => void) | undefined, out: Lanes, fill: Lanes, real: () => void): void {
    if (common === undefined) return real();
    common();
    this.code.if();
    real();
    this.code.else();
    emitCopy(this.code, out, fill);
    this.code.end();
  }

  private emitLoad(instruction: Extract<Lowered, { op: 'load' }>, frame: Frame, group: Group, out: Lanes): void {
    const { code } = this;
    const spot = this.spot(this.pointers.buffer(instruction), frame, group);
    if (instruction.guards.length === 0) return emitLoad(code, instruction.dtype, out, spot);
    const fill = constantLanes(code, instruction.fill, instruction.dtype);
    const { common, mask } = this.guardParts(instruction.guards, frame, group);
    this.whereCommon(common, out, fill, () => {
      if (mask === undefined) return emitLoad(code, instruction.dtype, out, spot);
      const local = mask();
      emitMaskedLoad(code, instruction.dtype, out, spot, local, fill);
      code.release(local);
    });
  }

  private emitGather(instruction: Extract<Lowered, { op: 'gather' }>, frame: Frame, group: Group, out: Lanes): void {
    const { code } = this;
    const { dtype, size } = instruction;
    const bytes = bytesOf(dtype);
    const spot = this.spot(this.pointers.buffer(instruction), frame, group);
    const index = at(this.lanes(instruction.at, group), 0);
    const fill = constantLanes(code, instruction.fill, dtype);
    const { common, mask } = this.guardParts(instruction.guards, frame, group);
    this.whereCommon(common, out, fill, () => {
      if (!at(this.analysis.varies, instruction.at) && mask === undefined) {
        const scalar = code.local('i32');
        code.get(index).lane('i32x4.extract_lane', 0).set(scalar);
        emitClamp(code, scalar, size);
        const address = this.moved(spot, frame, scalar, instruction.stride * bytes);
        emitLoad(code, dtype, out, address.spot);
        code.release(address.local);
        code.release(scalar);
        return;
      }
      const access = this.indexed(spot, frame, index, instruction.stride * bytes, size);
      const moving = mask?.();
      emitCopy(code, out, fill);
      for (let lane = 0; lane < group.active; lane++) {
        if (moving !== undefined) code.get(moving).lane('i32x4.extract_lane', lane).if();
        emitGatherLane(code, dtype, out, access, lane);
        if (moving !== undefined) code.end();
      }
      if (moving !== undefined) code.release(moving);
    });
  }

  /** The spot that lies `index · bytes` further. */
  private moved(spot: Spot, frame: Frame, index: Local, bytes: number): { spot: Spot; local: Local } {
    const { code } = this;
    const { pointer } = spot.access;
    const local = code.local('i32');
    const shift = frame.address(code, { pointer, offset: 0 });
    code.get(index).i32(bytes).op('i32.mul').op('i32.add');
    if (shift !== 0) code.i32(shift).op('i32.add');
    code.set(local);
    return { spot: { ...spot, frame: frame.with(new Map([[pointer.index, local]])) }, local };
  }

  private indexed(spot: Spot, frame: Frame, index: Local, stride: number, size: number): IndexedAccess {
    return { address: (lane) => frame.address(this.code, spot.access, spot.start + lane * spot.stride), at: index, stride, size };
  }

  private emitScatter(instruction: Extract<Lowered, { op: 'scatter' }>, frame: Frame, group: Group): void {
    const { code } = this;
    const { dtype, size } = instruction;
    const bytes = bytesOf(dtype);
    const spot = this.spot(this.pointers.buffer(instruction), frame, group);
    const index = at(this.lanes(instruction.at, group), 0);
    const input = this.lanes(instruction.input, group);
    if (at(this.analysis.varies, instruction.at) || spot.stride !== bytes || bytes < 4) {
      const access = this.indexed(spot, frame, index, instruction.stride * bytes, size);
      for (let lane = 0; lane < group.active; lane++) emitScatterLane(code, dtype, input, access, lane);
      return;
    }
    const scalar = code.local('i32');
    code.get(index).lane('i32x4.extract_lane', 0).tee(scalar).i32(size).op('i32.lt_u').if();
    const target = this.moved(spot, frame, scalar, instruction.stride * bytes);
    const sum = allocate(code, dtype);
    emitLoad(code, dtype, sum, target.spot);
    emitElementwise(code, 'add', dtype, sum, sum, input);
    emitStore(code, dtype, sum, target.spot);
    code.else();
    raiseFlag(code);
    code.end();
    this.releaseLanes(sum);
    code.release(target.local);
    code.release(scalar);
  }

  private emitElementwise(instruction: Extract<Lowered, { op: 'elementwise' }>, group: Group, out: Lanes): void {
    const { code } = this;
    const { name, inputs } = instruction;
    const operands = inputs.map((value) => this.lanes(value, group));
    const [x, y = []] = operands;
    if (x === undefined) throw new InternalError(`${name} without an operand`);
    const dtype = this.dtype(at(inputs, 0));
    if (!isLaneWise(name, dtype)) return emitElementwise(code, name, dtype, out, x, y);
    if (isWide(dtype)) {
      const lanes = group === this.shared ? 4 : group.active;
      mapParts(code, out, () => code.get(code.constant(splatBytes(0, 'float64'))));
      for (let lane = 0; lane < lanes; lane++) emitCall(code, this.import(name), dtype, out, operands, lane);
      return;
    }
    const shift = { shl: 'i32x4.shl', shr: 'i32x4.shr_s', ushr: 'i32x4.shr_u' } as const;
    const amount = inputs[1];
    if ((name === 'shl' || name === 'shr' || name === 'ushr') && amount !== undefined && !at(this.analysis.varies, amount)) {
      const known = at(this.list, amount);
      code.get(at(x, 0));
      if (name === 'ushr' && dtype === 'int8') code.get(code.constant(splatBytes(255, 'int32'))).op('v128.and');
      if (known.op === 'constant') code.i32(known.value & 31);
      else code.get(at(y, 0)).lane('i32x4.extract_lane', 0);
      code.op(shift[name]);
      if (name !== 'shr') emitWrap(code, dtype);
      code.set(at(out, 0));
      return;
    }
    emitIntegerLanes(code, name, dtype, at(out, 0), at(x, 0), at(y, 0));
  }

  private import(name: string): number {
    const index = this.options.imports.get(name);
    if (index === undefined) throw new InternalError(`no imported function ${name}`);
    return index;
  }

  /** The fast result, with the lanes of rare arguments computed exactly. */
  private emitExact(instruction: Extract<Lowered, { op: 'exact' }>, group: Group, out: Lanes): void {
    const { code } = this;
    const mask = at(this.lanes(instruction.mask, group), 0);
    const operands = instruction.inputs.map((value) => this.lanes(value, group));
    emitCopy(code, out, this.lanes(instruction.fast, group));
    code.get(mask).op('v128.any_true').if();
    for (let lane = 0; lane < 4; lane++) {
      code.get(mask).lane('i32x4.extract_lane', lane).if();
      emitCall(code, this.import(instruction.name), instruction.dtype, out, operands, lane);
      code.end();
    }
    code.end();
  }

  private emitReduce(instruction: Extract<Lowered, { op: 'reduce' }>, group: Group, accumulator: Lanes): void {
    const { code } = this;
    const { combine, dtype } = instruction;
    const input = this.lanes(instruction.input, group);
    if ('times' in instruction) {
      if (!this.shape.vectorIsOuter) throw new InternalError('products are summed in separate lanes only');
      return emitMultiplyAdd(code, dtype, accumulator, [input, this.lanes(instruction.times, group), accumulator], this.options.fused);
    }
    if (this.shape.vectorIsOuter) return emitCombine(code, combine, dtype, accumulator, accumulator, input);
    if (group.active === 4) return emitStep(code, instruction, accumulator, input);
    // Positions that do not exist bring the identity.
    const masked = allocate(code, dtype);
    const identity = constantLanes(code, identityOf(combine, dtype), dtype);
    mapParts(code, masked, (half) => {
      const real = [0, 1, 2, 3].map((lane) => (lane < group.active ? -1 : 0));
      const words = isWide(dtype) ? [0, 0, 1, 1].map((word) => real[2 * half + word] ?? 0) : real;
      code.get(part(input, half)).get(part(identity, half)).get(code.constant(integerBytes(words))).op('v128.bitselect');
    });
    emitStep(code, instruction, accumulator, masked);
    this.releaseLanes(masked);
  }
}
