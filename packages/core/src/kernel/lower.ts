// Lowering, for backends that generate machine code: transcendental functions become simple instructions, constants are
// shared, common patterns become single machine instructions, and what nothing uses is dropped.
import { isFloat, type Dtype } from '../dtype.ts';
import { InternalError } from '../errors.ts';
import type { Accumulate } from './accumulate.ts';
import type { Instruction, Value } from './ir.ts';
import { expandMath, type MathInstruction } from './math.ts';

/** An instruction that the emitter knows: the kernel's own and what lowering adds. */
export type Lowered =
  | Exclude<Instruction, { op: 'accumulate' }>
  | MathInstruction
  /** `pmax(x, y)` = x < y ? y : x, `pmin(x, y)` = y < x ? y : x; both keep a NaN in x. */
  | { readonly op: 'pick'; readonly name: 'pmin' | 'pmax'; readonly inputs: readonly [Value, Value]; readonly dtype: Dtype }
  /** reduce(sum) of input · times, as one multiply-add a step. */
  | { readonly op: 'reduce'; readonly combine: 'sum'; readonly input: Value; readonly times: Value; readonly dtype: Dtype }
  /** max(x, +0), NaN kept. */
  | { readonly op: 'relu'; readonly inputs: readonly [Value]; readonly dtype: Dtype };

export interface LoweredBody {
  readonly instructions: readonly Lowered[];
  readonly stages: readonly number[];
}

/** The values that an instruction reads. */
export function inputsOf(instruction: Lowered): readonly Value[] {
  switch (instruction.op) {
    case 'elementwise':
    case 'where':
    case 'cast':
    case 'bitcast':
    case 'threefry':
    case 'multiplyAdd':
    case 'pick':
    case 'relu':
      return instruction.inputs;
    case 'exact':
      return [...instruction.inputs, instruction.mask, instruction.fast];
    case 'gather':
      return [instruction.at];
    case 'scatter':
      return [instruction.at, instruction.input];
    case 'reduce':
      return 'times' in instruction ? [instruction.input, instruction.times] : [instruction.input];
    case 'store':
    case 'keep':
      return [instruction.input];
    default:
      return [];
  }
}

/** The instruction with other operands: those that `map` gives for its own. */
export function withInputs(instruction: Lowered, map: (value: Value) => Value): Lowered {
  switch (instruction.op) {
    case 'elementwise':
      return { ...instruction, inputs: instruction.inputs.map(map) };
    case 'where':
    case 'multiplyAdd': {
      const [x, y, z] = instruction.inputs;
      return { ...instruction, inputs: [map(x), map(y), map(z)] };
    }
    case 'cast':
    case 'bitcast':
    case 'relu':
      return { ...instruction, inputs: [map(instruction.inputs[0])] };
    case 'pick':
      return { ...instruction, inputs: [map(instruction.inputs[0]), map(instruction.inputs[1])] };
    case 'threefry': {
      const [x, y, z, w] = instruction.inputs;
      return { ...instruction, inputs: [map(x), map(y), map(z), map(w)] };
    }
    case 'exact':
      return { ...instruction, inputs: instruction.inputs.map(map), mask: map(instruction.mask), fast: map(instruction.fast) };
    case 'gather':
      return { ...instruction, at: map(instruction.at) };
    case 'scatter':
      return { ...instruction, at: map(instruction.at), input: map(instruction.input) };
    case 'reduce':
      if ('times' in instruction) return { ...instruction, input: map(instruction.input), times: map(instruction.times) };
      return { ...instruction, input: map(instruction.input) };
    case 'store':
    case 'keep':
      return { ...instruction, input: map(instruction.input) };
    default:
      return instruction;
  }
}

/** An accumulation as a load, an addition and a store: memory holds 0 where it starts. */
function addInPlace({ buffer, index, input, dtype }: Accumulate, emit: (instruction: Lowered) => Value): Value {
  const before = emit({ op: 'load', buffer, index, guards: [], fill: 0, dtype });
  const sum = emit({ op: 'elementwise', name: 'add', inputs: [before, input], dtype });
  return emit({ op: 'store', buffer, index, input: sum, dtype });
}

/** Instructions that have an effect besides their value. */
function isRoot(instruction: Lowered): boolean {
  return instruction.op === 'store' || instruction.op === 'scatter' || instruction.op === 'keep';
}

/**
 * Instructions in the form that vector backends generate: functions spelled out, dead values dropped. With `products`,
 * sums of products become multiply-adds.
 */
export function lower(instructions: readonly Instruction[], stages: readonly number[], products = false): LoweredBody {
  const out: Lowered[] = [];
  const outStages: number[] = [];
  const renamed: Value[] = [];
  const constants = new Map<string, Value>();
  const append = (instruction: Lowered, stage: number): Value => {
    out.push(instruction);
    outStages.push(stage);
    return out.length - 1;
  };
  const emit = (instruction: Lowered, stage: number): Value => {
    if (instruction.op !== 'constant') return append(products ? joinProduct(instruction, out) : simplify(instruction, out), stage);
    // Constants are outer values: visible in every stage.
    const key = `${instruction.dtype} ${Object.is(instruction.value, -0) ? '-0' : instruction.value}`;
    const known = constants.get(key) ?? append(instruction, 0);
    constants.set(key, known);
    return known;
  };
  instructions.forEach((original, i) => {
    const stage = at(stages, i);
    if (original.op === 'accumulate') {
      renamed.push(addInPlace({ ...original, input: at(renamed, original.input) }, (step) => emit(step, stage)));
      return;
    }
    const instruction = withInputs(original, (value) => at(renamed, value));
    const expanded = instruction.op === 'elementwise' ? expandMath(instruction.name, instruction.dtype, instruction.inputs, (step) => emit(step, stage)) : undefined;
    renamed.push(expanded ?? emit(instruction, stage));
  });
  return dropDead(out, outStages);
}

function constantOf(value: Value | undefined, list: readonly Lowered[]): number | undefined {
  const instruction = value === undefined ? undefined : list[value];
  return instruction?.op === 'constant' ? instruction.value : undefined;
}

function simplify(instruction: Lowered, before: readonly Lowered[]): Lowered {
  if (instruction.op === 'where') return simplifyWhere(instruction, before);
  if (instruction.op !== 'elementwise' || !isFloat(instruction.dtype)) return instruction;
  const { name, dtype, inputs } = instruction;
  if (name !== 'max' && name !== 'min') return instruction;
  const [x = 0, y = 0] = inputs;
  const right = constantOf(y, before);
  const [value, constant, limit] = right === undefined ? [y, x, constantOf(x, before)] : [x, y, right];
  if (limit === undefined || Number.isNaN(limit)) return instruction;
  if (limit !== 0) return { op: 'pick', name: name === 'max' ? 'pmax' : 'pmin', inputs: [value, constant], dtype };
  return name === 'max' && Object.is(limit, 0) ? { op: 'relu', inputs: [value], dtype } : instruction;
}

/** Σ x · y in one instruction a step. */
function joinProduct(instruction: Lowered, before: readonly Lowered[]): Lowered {
  if (instruction.op !== 'reduce' || instruction.combine !== 'sum' || instruction.dtype !== 'float32') return simplify(instruction, before);
  const product = before[instruction.input];
  if (product?.op !== 'elementwise' || product.name !== 'mul') return instruction;
  const [input = 0, times = 0] = product.inputs;
  return { op: 'reduce', combine: 'sum', input, times, dtype: instruction.dtype };
}

/** `x < y ? y : x` and `y < x ? y : x` are single instructions. */
function simplifyWhere(instruction: Extract<Lowered, { op: 'where' }>, before: readonly Lowered[]): Lowered {
  const [condition, taken, otherwise] = instruction.inputs;
  const test = before[condition];
  if (!isFloat(instruction.dtype) || test?.op !== 'elementwise' || test.name !== 'lt') return instruction;
  const [low, high] = test.inputs;
  if (low === otherwise && high === taken) return { op: 'pick', name: 'pmax', inputs: [otherwise, taken], dtype: instruction.dtype };
  if (low === taken && high === otherwise) return { op: 'pick', name: 'pmin', inputs: [otherwise, taken], dtype: instruction.dtype };
  return instruction;
}

/** Drops dead instructions; constants move to the front, so that stages never decrease. */
function dropDead(instructions: readonly Lowered[], stages: readonly number[]): LoweredBody {
  const live = instructions.map(isRoot);
  for (let i = instructions.length - 1; i >= 0; i--) {
    if (live[i] === true) for (const input of inputsOf(at(instructions, i))) live[input] = true;
  }
  const positions = instructions.map((_, i) => i).filter((i) => live[i] === true);
  const isConstant = (i: number) => at(instructions, i).op === 'constant';
  const order = [...positions.filter(isConstant), ...positions.filter((i) => !isConstant(i))];
  const renamed = new Map(order.map((old, position) => [old, position]));
  return {
    instructions: order.map((i) => withInputs(at(instructions, i), (value) => renamed.get(value) ?? -1)),
    stages: order.map((i) => at(stages, i)),
  };
}

function at<T>(list: readonly T[], index: number): T {
  const value = list[index];
  if (value === undefined) throw new InternalError(`no instruction ${index} in a list of ${list.length}`);
  return value;
}
