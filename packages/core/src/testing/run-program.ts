// For tests: runs a program command by command, as kernel/ir.ts defines it. Slow and plain; memory starts as NaN.
import { arrayOf, bytesOf, castNumber, viewOf, type TypedArray } from '../dtype.ts';
import { evaluator } from '../graph/evaluate.ts';
import type { Affine, ContractKernel, Guard, Instruction, LoopKernel, Program, ReduceCombine } from '../kernel/ir.ts';
import { loopCount } from '../kernel/ir.ts';
import { runRoutine } from '../kernel/routines.ts';
import { threefry2x32 } from '../random/threefry.ts';

export interface ProgramBinding {
  readonly inputs: readonly TypedArray[];
  /** Overwritten by the run. */
  readonly variables: readonly TypedArray[];
}

/** The outputs of one run. */
export function runProgram(program: Program, binding: ProgramBinding): TypedArray[] {
  const arena = new ArrayBuffer(program.arenaBytes);
  new Float32Array(arena).fill(Number.NaN);
  const outputs = program.outputs.map(({ dtype, elements }) => arrayOf(dtype, elements));
  const memory = program.buffers.map(({ dtype, elements, place }): TypedArray => {
    switch (place.kind) {
      case 'arena':
        return viewOf(dtype, arena, place.offset, elements);
      case 'input':
        return binding.inputs[place.index] ?? arrayOf(dtype, 0);
      case 'variable':
        return binding.variables[place.index] ?? arrayOf(dtype, 0);
      case 'output':
        return outputs[place.index] ?? arrayOf(dtype, 0);
    }
  });
  for (const command of program.commands) {
    const kernel = program.kernels[command.kernel];
    if (kernel === undefined) throw new Error('no such kernel');
    const buffers = command.arguments.map(({ buffer, offset }) => {
      const array = memory[buffer];
      if (array === undefined) throw new Error('no such buffer');
      return { array, offset };
    });
    if (kernel.kind === 'loop') runLoop(kernel, buffers);
    else if (kernel.kind === 'contract') runContract(kernel, buffers);
    else {
      const arrays = buffers.map(({ array }) => array);
      const output = arrays.pop();
      if (output !== undefined) runRoutine(kernel, arrays, output);
    }
  }
  return outputs;
}

interface Slot {
  readonly array: TypedArray;
  readonly offset: number;
}

function* positions(loops: readonly number[]): Generator<number[]> {
  const count = loopCount(loops);
  for (let flat = 0; flat < count; flat++) {
    const at = new Array<number>(loops.length).fill(0);
    let rest = flat;
    for (let i = loops.length - 1; i >= 0; i--) {
      const size = loops[i] ?? 1;
      at[i] = rest % size;
      rest = Math.floor(rest / size);
    }
    yield at;
  }
}

function valueAt(affine: Affine, at: readonly number[]): number {
  return affine.strides.reduce((sum, stride, i) => sum + stride * (at[i] ?? 0), affine.offset);
}

const identity: Record<ReduceCombine, number> = { sum: 0, prod: 1, max: -Infinity, min: Infinity };
const combine: Record<ReduceCombine, (a: number, b: number) => number> = {
  sum: (a, b) => a + b,
  prod: (a, b) => a * b,
  max: Math.max,
  min: Math.min,
};

function runLoop(kernel: LoopKernel, slots: readonly Slot[]): void {
  const { loops, outer, instructions, stages } = kernel;
  const inner = loops.slice(outer);
  const lastStage = Math.max(0, ...stages);
  for (const outerAt of positions(loops.slice(0, outer))) {
    const values = new Array<number>(instructions.length).fill(Number.NaN);
    const rows = kernel.rows.map(() => new Map<string, number>());
    const run = (stage: number, at: readonly number[]): void => {
      instructions.forEach((instruction, i) => {
        if (stages[i] !== stage) return;
        if (instruction.op === 'reduce') {
          values[i] = combine[instruction.combine](values[i] ?? 0, values[instruction.input] ?? 0);
          if (instruction.dtype !== 'float32') values[i] = castNumber(values[i] ?? 0, instruction.dtype);
        } else if (instruction.op === 'keep') {
          rows[instruction.row]?.set(at.join(), values[instruction.input] ?? 0);
        } else if (instruction.op === 'recall') {
          values[i] = rows[instruction.row]?.get(at.join()) ?? Number.NaN;
        } else if (instruction.op === 'accumulate') {
          const isFirst = at.every((position, loop) => position === 0 || loop >= outer || instruction.index.strides[loop] !== 0);
          write(slots[instruction.buffer], valueAt(instruction.index, at), (old) => (isFirst ? 0 : old) + (values[instruction.input] ?? Number.NaN));
        } else {
          values[i] = execute(instruction, at, values, slots);
        }
      });
    };
    for (let stage = 0; stage <= lastStage; stage++) {
      if (stage % 2 === 0) {
        run(stage, [...outerAt, ...inner.map(() => 0)]);
        continue;
      }
      instructions.forEach((instruction, i) => {
        if (stages[i] === stage && instruction.op === 'reduce') values[i] = identity[instruction.combine];
      });
      for (const innerAt of positions(inner)) run(stage, [...outerAt, ...innerAt]);
    }
  }
}

function runContract(kernel: ContractKernel, slots: readonly Slot[]): void {
  const { batch, m, n, k } = kernel;
  const a = slots[kernel.a.buffer];
  const b = slots[kernel.b.buffer];
  if (a === undefined || b === undefined) throw new Error('a contraction needs operands');
  const multiply = evaluator('mul', kernel.accumulator);
  const bits = evaluator('popcount', 'int32');
  for (const at of positions([...batch, ...m, ...n])) {
    let sum = 0;
    for (const kAt of positions(k)) {
      const full = [...at, ...kAt];
      const x = read(a, valueAt(kernel.a.index, full));
      const y = read(b, valueAt(kernel.b.index, full));
      sum += kernel.combine === 'multiply-add' ? multiply(x, y) : bits(x ^ y, 0);
    }
    const values: number[] = [];
    kernel.epilogue.forEach((instruction, i) => {
      values[i] = instruction.op === 'accumulator' ? sum : execute(instruction, at, values, slots);
    });
  }
}

function read(slot: Slot | undefined, index: number): number {
  const value = slot?.array[slot.offset + index];
  if (value === undefined) throw new Error(`read out of bounds at ${index}`);
  return value;
}

function write(slot: Slot | undefined, index: number, change: (old: number) => number): void {
  const place = (slot?.offset ?? 0) + index;
  const old = slot?.array[place];
  if (slot === undefined || old === undefined) throw new Error(`write out of bounds at ${place}`);
  slot.array[place] = change(old);
}

function inside(guards: readonly Guard[], at: readonly number[]): boolean {
  return guards.every((guard) => {
    const index = valueAt(guard.index, at);
    return index >= 0 && index < guard.size;
  });
}

function execute(instruction: Instruction, at: readonly number[], values: number[], slots: readonly Slot[]): number {
  const value = (i: number): number => values[i] ?? Number.NaN;
  switch (instruction.op) {
    case 'constant':
      return instruction.value;
    case 'load':
      return inside(instruction.guards, at) ? read(slots[instruction.buffer], valueAt(instruction.index, at)) : instruction.fill;
    case 'gather': {
      if (!inside(instruction.guards, at)) return instruction.fill;
      const where = Math.min(instruction.size - 1, Math.max(0, value(instruction.at)));
      return read(slots[instruction.buffer], valueAt(instruction.index, at) + where * instruction.stride);
    }
    case 'index':
      return valueAt(instruction.index, at);
    case 'inside':
      return inside(instruction.guards, at) ? 1 : 0;
    case 'elementwise': {
      const [a, b] = instruction.inputs;
      return evaluator(instruction.name, instruction.dtype === 'bool' ? 'float64' : instruction.dtype)(value(a ?? -1), value(b ?? -1));
    }
    case 'where':
      return value(instruction.inputs[0]) !== 0 ? value(instruction.inputs[1]) : value(instruction.inputs[2]);
    case 'cast':
      return castNumber(value(instruction.inputs[0]), instruction.dtype);
    case 'bitcast': {
      const source = instruction.dtype === 'float32' ? 'int32' : 'float32';
      const array = arrayOf(source, 1);
      array[0] = value(instruction.inputs[0]);
      return viewOf(instruction.dtype, array.buffer, 0, 1)[0] ?? 0;
    }
    case 'threefry': {
      const out = new Uint32Array(2);
      const [key0, key1, block0, block1] = instruction.inputs.map(value);
      threefry2x32(key0 ?? 0, key1 ?? 0, block0 ?? 0, block1 ?? 0, out);
      return (out[0] ?? 0) | 0;
    }
    case 'store':
      write(slots[instruction.buffer], valueAt(instruction.index, at), () => value(instruction.input));
      return Number.NaN;
    case 'scatter': {
      const slot = slots[instruction.buffer];
      const where = value(instruction.at);
      if (slot === undefined || where < 0 || where >= instruction.size) return Number.NaN;
      const index = slot.offset + valueAt(instruction.index, at) + where * instruction.stride;
      slot.array[index] = (slot.array[index] ?? Number.NaN) + value(instruction.input);
      return Number.NaN;
    }
    default:
      throw new Error(`${instruction.op} does not stand here (${bytesOf(instruction.dtype)} bytes)`);
  }
}
