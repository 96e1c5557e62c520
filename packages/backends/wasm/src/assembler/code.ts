// The body of one WebAssembly function: instructions by name, locals by object, labels by object.
import { Bytes } from './bytes.ts';
import { opcodes, valueTypes, type LaneOp, type MemoryLaneOp, type MemoryOp, type PlainOp, type ValueType, type VectorOp } from './opcodes.ts';

export interface Local {
  readonly index: number;
  readonly type: ValueType;
}

/** A block or loop that is open; `br` to a loop goes to its start. */
export interface Label {
  readonly depth: number;
}

const isVectorOp = (name: PlainOp | VectorOp): name is VectorOp => Object.hasOwn(opcodes.vector, name);
const floatBytes = new DataView(new ArrayBuffer(8));

export class Code {
  private readonly bytes = new Bytes();
  private readonly parameters: readonly ValueType[];
  private readonly declared: ValueType[] = [];
  private readonly free = new Map<ValueType, Local[]>();
  private readonly constants = new Map<string, { readonly bytes: Uint8Array; readonly local: Local }>();
  private depth = 0;

  constructor(parameters: readonly ValueType[]) {
    this.parameters = parameters;
  }

  get size(): number {
    return this.bytes.length;
  }

  parameter(index: number): Local {
    const type = this.parameters[index];
    if (type === undefined) throw new RangeError(`the function has no parameter ${index}`);
    return { index, type };
  }

  /** A local; its first value is whatever the last user of a released one left. */
  local(type: ValueType): Local {
    const reused = this.free.get(type)?.pop();
    if (reused !== undefined) return reused;
    this.declared.push(type);
    return { index: this.parameters.length + this.declared.length - 1, type };
  }

  /** Gives a local back for reuse by `local`. */
  release(local: Local): void {
    const list = this.free.get(local.type);
    if (list === undefined) this.free.set(local.type, [local]);
    else list.push(local);
  }

  /** A local that holds 16 given bytes from the function's start on: constants inside loops are slow. Never written, never released. */
  constant(bytes: Uint8Array): Local {
    const key = bytes.join();
    const known = this.constants.get(key);
    if (known !== undefined) return known.local;
    this.declared.push('v128');
    const local: Local = { index: this.parameters.length + this.declared.length - 1, type: 'v128' };
    this.constants.set(key, { bytes, local });
    return local;
  }

  op(name: PlainOp | VectorOp): this {
    if (isVectorOp(name)) {
      this.bytes.byte(0xfd);
      this.bytes.unsigned(opcodes.vector[name]);
    } else {
      this.bytes.byte(opcodes.plain[name]);
    }
    return this;
  }

  get(local: Local): this {
    return this.indexed(0x20, local.index);
  }

  set(local: Local): this {
    return this.indexed(0x21, local.index);
  }

  tee(local: Local): this {
    return this.indexed(0x22, local.index);
  }

  call(functionIndex: number): this {
    return this.indexed(0x10, functionIndex);
  }

  /** Calls through table 0. */
  callIndirect(typeIndex: number): this {
    this.indexed(0x11, typeIndex);
    this.bytes.byte(0);
    return this;
  }

  private indexed(opcode: number, index: number): this {
    this.bytes.byte(opcode);
    this.bytes.unsigned(index);
    return this;
  }

  i32(value: number): this {
    this.bytes.byte(0x41);
    this.bytes.signed(value);
    return this;
  }

  i64(value: bigint): this {
    this.bytes.byte(0x42);
    this.bytes.signed64(value);
    return this;
  }

  f64(value: number): this {
    floatBytes.setFloat64(0, value, true);
    this.bytes.byte(0x44);
    this.bytes.raw(new Uint8Array(floatBytes.buffer, 0, 8));
    return this;
  }

  /** Result byte i is byte `order[i]` of the two operands laid side by side. */
  shuffle(order: readonly number[]): this {
    if (order.length !== 16) throw new RangeError('a shuffle names 16 bytes');
    this.bytes.byte(0xfd);
    this.bytes.unsigned(13);
    this.bytes.raw(order);
    return this;
  }

  memory(name: MemoryOp, offset = 0): this {
    const [opcode, alignment] = opcodes.memory[name];
    if (opcode < 256) this.bytes.byte(opcode);
    else {
      this.bytes.byte(opcode >> 8);
      this.bytes.unsigned(opcode & 255);
    }
    // Atomic accesses must name their natural alignment; others promise only the element's.
    this.bytes.unsigned(opcode >> 8 === 0xfe ? alignment : Math.min(alignment, 2));
    this.bytes.unsigned(offset);
    return this;
  }

  memoryLane(name: MemoryLaneOp, offset: number, lane: number): this {
    const [opcode, alignment] = opcodes.memoryLane[name];
    this.bytes.byte(0xfd);
    this.bytes.unsigned(opcode);
    this.bytes.unsigned(Math.min(alignment, 2));
    this.bytes.unsigned(offset);
    this.bytes.byte(lane);
    return this;
  }

  lane(name: LaneOp, lane: number): this {
    this.bytes.byte(0xfd);
    this.bytes.unsigned(opcodes.lane[name]);
    this.bytes.byte(lane);
    return this;
  }

  fill(): this {
    this.bytes.raw([0xfc, 11, 0]);
    return this;
  }

  block(result?: ValueType): Label {
    return this.open(0x02, result);
  }

  loop(): Label {
    return this.open(0x03);
  }

  if(result?: ValueType): Label {
    return this.open(0x04, result);
  }

  else(): this {
    this.bytes.byte(0x05);
    return this;
  }

  private open(opcode: number, result?: ValueType): Label {
    this.bytes.byte(opcode);
    this.bytes.byte(result === undefined ? 0x40 : valueTypes[result]);
    this.depth += 1;
    return { depth: this.depth };
  }

  end(): this {
    this.bytes.byte(0x0b);
    this.depth -= 1;
    return this;
  }

  br(label: Label): this {
    return this.indexed(0x0c, this.depth - label.depth);
  }

  brIf(label: Label): this {
    return this.indexed(0x0d, this.depth - label.depth);
  }

  /** `local += amount`. */
  advance(local: Local, amount: number): this {
    return amount === 0 ? this : this.get(local).i32(amount).op('i32.add').set(local);
  }

  /** The function's entry in the code section. */
  finish(): Bytes {
    if (this.depth !== 0) throw new RangeError(`${this.depth} blocks are still open`);
    const out = new Bytes();
    const runs: { type: ValueType; count: number }[] = [];
    for (const type of this.declared) {
      const last = runs.at(-1);
      if (last?.type === type) last.count += 1;
      else runs.push({ type, count: 1 });
    }
    out.unsigned(runs.length);
    for (const { type, count } of runs) {
      out.unsigned(count);
      out.byte(valueTypes[type]);
    }
    for (const { bytes, local } of this.constants.values()) {
      out.raw([0xfd, 12]);
      out.raw(bytes);
      out.byte(0x21);
      out.unsigned(local.index);
    }
    out.raw(this.bytes.view());
    out.byte(0x0b);
    return out;
  }
}
