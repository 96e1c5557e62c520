// Instructions as statements of a nest: what loop kernels and the epilogues of contractions share.
import {
  InternalError,
  type Affine,
  type BufferParameter,
  type Dtype,
  type Guard,
  type Instruction,
  type Value,
} from '@athanor/core/backend';
import { bitcastText, castText, elementwiseText, literal, loaded, stored } from './expression.ts';
import type { Nest, Placed } from './nest.ts';

/** Bits of a kernel's result. */
export const flags = { gather: 1, scatter: 2 } as const;

export class Emitter {
  readonly nest: Nest;
  readonly #instructions: readonly Instruction[];
  readonly #buffers: readonly BufferParameter[];
  readonly #values: (Placed | undefined)[] = [];

  constructor(nest: Nest, instructions: readonly Instruction[], buffers: readonly BufferParameter[]) {
    this.nest = nest;
    this.#instructions = instructions;
    this.#buffers = buffers;
  }

  instruction(value: Value): Instruction {
    const found = this.#instructions[value];
    if (found === undefined) throw new InternalError(`instruction ${value} does not exist`);
    return found;
  }

  value(value: Value): Placed {
    const found = this.#values[value];
    if (found === undefined) throw new InternalError(`instruction ${value} is used before it has a value`);
    return found;
  }

  define(value: Value, placed: Placed): void {
    this.#values[value] = placed;
  }

  /** An element of a buffer argument. */
  element(buffer: number, index: Affine): Placed {
    const { text, level } = this.nest.index(index, `o${buffer}`);
    return { text: `b${buffer}[${text}]`, level };
  }

  /** Emits any instruction but those that only loop kernels or only epilogues have. */
  emit(position: Value): void {
    const instruction = this.instruction(position);
    switch (instruction.op) {
      case 'constant':
        return this.define(position, { text: literal(instruction.value, instruction.dtype), level: 0 });
      case 'load': {
        const element = this.element(instruction.buffer, instruction.index);
        return this.#defineGuarded(position, instruction, { text: loaded(element.text, instruction.dtype), level: element.level });
      }
      case 'gather':
        return this.#gather(position, instruction);
      case 'index':
        return this.#declare(position, this.nest.index(instruction.index));
      case 'inside':
        return this.#declare(position, this.#guards(instruction.guards) ?? { text: 'true', level: 0 });
      case 'elementwise': {
        const [a, b] = instruction.inputs;
        if (a === undefined) throw new InternalError(`${instruction.name} without operands`);
        const operands = [a, ...(b === undefined ? [] : [b])].map((input) => this.value(input));
        const text = elementwiseText(instruction.name, this.instruction(a).dtype, operands[0]?.text ?? '', operands[1]?.text ?? '');
        return this.#declare(position, { text, level: deepest(operands) });
      }
      case 'where': {
        const [condition, yes, no] = instruction.inputs;
        const operands = [this.value(condition), this.value(yes), this.value(no)] as const;
        return this.#declare(position, {
          text: `${operands[0].text} ? ${operands[1].text} : ${operands[2].text}`,
          level: deepest(operands),
        });
      }
      case 'cast':
      case 'bitcast': {
        const operand = this.value(instruction.inputs[0]);
        const convert = instruction.op === 'cast' ? castText : bitcastText;
        const text = convert(operand.text, this.instruction(instruction.inputs[0]).dtype, instruction.dtype);
        return this.#declare(position, { text, level: operand.level });
      }
      case 'threefry': {
        const operands = instruction.inputs.map((input) => this.value(input));
        return this.#declare(position, { text: `threefry(${operands.map(({ text }) => text).join(', ')})`, level: deepest(operands) });
      }
      case 'store':
        return this.nest.line(this.nest.depth, this.#store(instruction.buffer, instruction.index, instruction.input, instruction.dtype));
      case 'accumulate': {
        const { text } = this.element(instruction.buffer, instruction.index);
        const sum = elementwiseText('add', instruction.dtype, loaded(text, instruction.dtype), this.value(instruction.input).text);
        return this.nest.line(this.nest.depth, `${text} = ${stored(sum, instruction.dtype)};`);
      }
      case 'scatter':
        return this.#scatter(instruction);
      default:
        throw new InternalError(`instruction ${instruction.op} stands in a kernel that cannot have it`);
    }
  }

  #declare(position: Value, value: Placed): void {
    this.define(position, this.nest.declare('v', value));
  }

  #store(buffer: number, index: Affine, input: Value, dtype: Dtype): string {
    return `${this.element(buffer, index).text} = ${stored(this.value(input).text, dtype)};`;
  }

  /** One boolean for all guards. */
  #guards(guards: readonly Guard[]): Placed | undefined {
    if (guards.length === 0) return undefined;
    const parts = guards.map(({ index, size }) => {
      const { text, level } = this.nest.index(index);
      return { text: `((${text}) >>> 0) < ${size}`, level };
    });
    return { text: parts.map(({ text }) => text).join(' && '), level: deepest(parts) };
  }

  /** What is read from memory that the kernel writes must be read where it stands. */
  #levelOf(buffer: number, level: number): number {
    return this.#buffers[buffer]?.access === 'read' ? level : this.nest.depth;
  }

  #defineGuarded(position: Value, { buffer, guards, fill, dtype }: LoadLike, value: Placed): void {
    const inside = this.#guards(guards);
    const text = inside === undefined ? value.text : `${inside.text} ? ${value.text} : ${literal(fill, dtype)}`;
    this.#declare(position, { text, level: this.#levelOf(buffer, deepest(inside === undefined ? [value] : [value, inside])) });
  }

  #gather(position: Value, instruction: Instruction & { op: 'gather' }): void {
    const { nest } = this;
    const { buffer, guards, fill, dtype, size, stride } = instruction;
    const at = this.value(instruction.at);
    const start = nest.index(instruction.index, `o${buffer}`);
    const inside = this.#guards(guards);
    const level = this.#levelOf(buffer, deepest([at, start, ...(inside === undefined ? [] : [inside])]));
    const [clamped, result] = [nest.name('g'), nest.name('v')];
    nest.line(level, `let ${clamped} = ${at.text}, ${result} = ${literal(fill, dtype)};`);
    nest.line(level, inside === undefined ? '{' : `if (${inside.text}) {`);
    nest.line(level, `if ((${clamped} >>> 0) >= ${size}) { flag |= ${flags.gather}; ${clamped} = ${clamped} < 0 ? 0 : ${size - 1}; }`);
    if (size > 0) nest.line(level, `${result} = ${loaded(`b${buffer}[(${start.text} + imul(${clamped}, ${stride})) | 0]`, dtype)};`);
    nest.line(level, '}');
    this.define(position, { text: result, level });
  }

  #scatter({ buffer, index, at, size, stride, input }: Instruction & { op: 'scatter' }): void {
    const where = this.value(at).text;
    const start = this.nest.index(index, `o${buffer}`).text;
    const add = `b${buffer}[(${start} + imul(${where}, ${stride})) | 0] += ${this.value(input).text};`;
    this.nest.line(this.nest.depth, `if ((${where} >>> 0) < ${size}) ${add} else flag |= ${flags.scatter};`);
  }
}

type LoadLike = Pick<Instruction & { op: 'load' }, 'buffer' | 'guards' | 'fill' | 'dtype'>;

export function deepest(values: readonly Placed[]): number {
  return values.reduce((level, value) => Math.max(level, value.level), 0);
}
