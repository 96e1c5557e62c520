// LoopKernel → JavaScript. Two forms with the same bits:
// - natural: the loops as they stand, one outer position after the other;
// - strip: where lanes are outer positions and the inner loops are long, a strip of neighbouring positions goes
//   through each stage together, so that memory is read along the axis in which it lies.
import { accumulatedRange, accumulations, bytesOf, independentLoops, loopCount, type Dtype, type Instruction, type LoopKernel, type Value } from '@athanor/core/backend';
import { Emitter } from './emitter.ts';
import { elementwiseText, literal, loaded, stored } from './expression.ts';
import { Nest, type NestLoop } from './nest.ts';
import { lanes } from './runtime.ts';

type Reduce = Instruction & { readonly op: 'reduce' };

/** Statements that make scratch once, and the body of the kernel's function. */
export interface Source {
  readonly setup: string;
  readonly body: string;
}

export function loopSource(kernel: LoopKernel): Source {
  return new LoopWriter(kernel).write();
}

/** Strips pay where the inner loops are longer than this. */
const shortReduction = 16;

const narrowestStrip = 4;

/** Positions of a strip: as many as keep its rows of scratch within 1 MB. */
function stripWidth(rows: readonly Dtype[], positions: number): number {
  if (rows.length === 0) return 64;
  const bytes = rows.reduce((sum, dtype) => sum + bytesOf(dtype) * positions, 0);
  return Math.min(16, Math.floor(2 ** 20 / bytes));
}

class LoopWriter {
  readonly #kernel: LoopKernel;
  readonly #nest = new Nest();
  readonly #emitter: Emitter;
  readonly #setup: string[] = [];
  readonly #inner: readonly number[];
  readonly #innerCount: number;
  /** Outer positions that go through a stage together; 0 in the natural form. */
  readonly #strip: number;
  readonly #lastUse: readonly number[];
  /** Values of a strip that later stages read, by the scratch that holds them. */
  readonly #saved = new Map<Value, string>();

  constructor(kernel: LoopKernel) {
    const { loops, outer, vector, scatters, rows } = kernel;
    this.#kernel = kernel;
    this.#emitter = new Emitter(this.#nest, kernel.instructions, kernel.buffers);
    this.#inner = loops.slice(outer);
    this.#innerCount = loopCount(this.#inner);
    const across = vector === outer - 1 && outer < loops.length && !scatters && this.#innerCount > shortReduction;
    const width = across ? Math.min(stripWidth(rows, this.#innerCount), loops[vector] ?? 1) : 0;
    this.#strip = width >= narrowestStrip ? width : 0;
    this.#lastUse = lastUses(kernel);
  }

  write(): Source {
    const { loops, outer, instructions, stages, rows } = this.#kernel;
    if (loops.slice(0, outer).includes(0)) return { setup: '', body: '' };
    rows.forEach((dtype, row) => this.#scratch(`row${row}`, dtype, this.#innerCount * Math.max(1, this.#strip)));
    const outerLoops = loops.slice(0, outer).map((size, loop) => this.#loop(loop, size));
    if (this.#strip > 0) outerLoops[outer - 1] = this.#stripLoop();
    this.#nest.open(outerLoops);
    if (this.#strip > 0) this.#nest.line(outer, `const count = Math.min(${this.#strip}, ${loops[outer - 1] ?? 1} - start);`);
    this.#clearSums();
    const lastStage = stages.at(-1) ?? 0;
    for (let stage = 0; stage <= lastStage; stage++) {
      this.#stage(
        stage,
        instructions.flatMap((_, position) => (stages[position] === stage ? [position] : [])),
      );
    }
    this.#nest.close(outerLoops.length);
    return { setup: this.#setup.join('\n'), body: this.#nest.text() };
  }

  /** Sums over outer loops start from 0 at each position of the loops that are outside of these. */
  #clearSums(): void {
    for (const sum of accumulations(this.#kernel)) {
      const { start, count } = accumulatedRange(sum, this.#kernel);
      const { text } = this.#nest.index(start, `o${sum.buffer}`);
      this.#nest.line(independentLoops(this.#kernel), `b${sum.buffer}.fill(0, ${text}, ${text} + ${count});`);
    }
  }

  #stage(stage: number, positions: readonly Value[]): void {
    const nest = this.#nest;
    const isInner = stage % 2 === 1;
    const reduces = positions.flatMap((position) => {
      const instruction = this.#emitter.instruction(position);
      return instruction.op === 'reduce' ? [{ position, instruction, accumulator: `a${position}` }] : [];
    });
    for (const { instruction, accumulator } of reduces) this.#start(instruction, accumulator);
    if (positions.length > 0 && (!isInner || this.#innerCount > 0)) {
      const { loops, outer } = this.#kernel;
      const open = isInner ? loops.slice(outer).map((size, i) => this.#loop(outer + i, size)) : [];
      if (this.#strip > 0) open.push(this.#laneLoop());
      nest.open(open);
      for (const [value, scratch] of this.#saved) this.#recallSaved(value, scratch, positions);
      for (const position of positions) this.#emit(position, stage);
      nest.close(open.length);
    }
    for (const { position, instruction, accumulator } of reduces) this.#finish(position, instruction, accumulator);
  }

  #emit(position: Value, stage: number): void {
    const nest = this.#nest;
    const instruction = this.#emitter.instruction(position);
    switch (instruction.op) {
      case 'reduce':
        return nest.line(nest.depth, this.#accumulate(instruction, `a${position}`));
      case 'keep': {
        const value = stored(this.#emitter.value(instruction.input).text, instruction.dtype);
        return nest.line(nest.depth, `row${instruction.row}[${this.#innerPosition()}] = ${value};`);
      }
      case 'recall': {
        const element = `row${instruction.row}[${this.#innerPosition()}]`;
        return this.#emitter.define(position, nest.declare('v', { text: loaded(element, instruction.dtype), level: nest.depth }));
      }
      default:
        this.#emitter.emit(position);
    }
    this.#save(position, instruction, stage);
  }

  /** A strip's value that a later stage reads goes to scratch. */
  #save(position: Value, instruction: Instruction, stage: number): void {
    const perLane = this.#strip > 0 && stage % 2 === 0 && (this.#lastUse[position] ?? 0) > stage;
    if (!perLane || this.#emitter.value(position).level < this.#nest.depth) return;
    const scratch = this.#scratch(`s${position}`, instruction.dtype, this.#strip);
    this.#nest.line(this.#nest.depth, `${scratch}[lane] = ${stored(this.#emitter.value(position).text, instruction.dtype)};`);
    this.#saved.set(position, scratch);
  }

  #recallSaved(value: Value, scratch: string, positions: readonly Value[]): void {
    if (!positions.some((position) => operandsOf(this.#emitter.instruction(position)).includes(value))) return;
    const { dtype } = this.#emitter.instruction(value);
    this.#emitter.define(value, this.#nest.declare('v', { text: loaded(`${scratch}[lane]`, dtype), level: this.#nest.depth }));
  }

  /** Float sums and products along a vector inner loop run in lanes; every other reduction in one accumulator. */
  #usesLanes({ combine, dtype }: Reduce): boolean {
    const { vector, outer } = this.#kernel;
    const ordered = (combine === 'sum' || combine === 'prod') && (dtype === 'float32' || dtype === 'float64');
    return ordered && this.#strip === 0 && vector >= outer;
  }

  #start(instruction: Reduce, accumulator: string): void {
    const { depth } = this.#nest;
    const identity = identityOf(instruction);
    if (this.#strip > 0 || this.#usesLanes(instruction)) {
      const array = this.#scratch(accumulator, instruction.dtype, this.#strip > 0 ? this.#strip : lanes);
      this.#nest.line(depth, `${array}.fill(${stored(identity, instruction.dtype)});`);
    } else {
      this.#nest.line(depth, `let ${accumulator} = ${identity};`);
    }
  }

  #accumulate(instruction: Reduce, accumulator: string): string {
    const { dtype, combine } = instruction;
    const input = this.#emitter.value(instruction.input).text;
    const vectorLoop = `i${this.#kernel.loops.length - 1}`;
    const place =
      this.#strip > 0
        ? `${accumulator}[lane]`
        : this.#usesLanes(instruction)
          ? `${accumulator}[${vectorLoop} & ${lanes - 1}]`
          : accumulator;
    const old = this.#strip > 0 ? `(${loaded(place, dtype)})` : place;
    const name = { sum: 'add', prod: 'mul', max: 'max', min: 'min' } as const;
    const combined = elementwiseText(name[combine], dtype, old, input);
    return `${place} = ${this.#strip > 0 ? stored(combined, dtype) : combined};`;
  }

  #finish(position: Value, instruction: Reduce, accumulator: string): void {
    const { depth } = this.#nest;
    if (this.#strip > 0) {
      this.#saved.set(position, accumulator);
    } else if (this.#usesLanes(instruction)) {
      const combine = instruction.combine === 'sum' ? 'sumLanes' : 'multiplyLanes';
      this.#emitter.define(position, this.#nest.declare('v', { text: `${combine}(${accumulator})`, level: depth }));
    } else {
      this.#emitter.define(position, { text: accumulator, level: depth });
    }
  }

  #innerPosition(): string {
    const { loops, outer } = this.#kernel;
    const width = Math.max(1, this.#strip);
    const strides = loops.map((_, loop) => (loop < outer ? 0 : width * loopCount(loops.slice(loop + 1))));
    const { text } = this.#nest.index({ offset: 0, strides });
    return this.#strip === 0 ? text : `(${text} + lane) | 0`;
  }

  #scratch(name: string, dtype: Dtype, length: number): string {
    this.#setup.push(`const ${name} = scratch('${dtype}', ${length});`);
    return name;
  }

  #loop(loop: number, size: number): NestLoop {
    return { variable: `i${loop}`, start: '0', stop: String(size), step: 1, stride: (index) => index.strides[loop] ?? 0 };
  }

  #stripLoop(): NestLoop {
    const { loops, vector } = this.#kernel;
    return {
      variable: 'start',
      start: '0',
      stop: String(loops[vector] ?? 1),
      step: this.#strip,
      stride: (index) => index.strides[vector] ?? 0,
    };
  }

  #laneLoop(): NestLoop {
    const { vector } = this.#kernel;
    return { variable: 'lane', start: '0', stop: 'count', step: 1, stride: (index) => index.strides[vector] ?? 0 };
  }
}

function identityOf({ combine, dtype }: Reduce): string {
  if (combine === 'sum') return literal(0, dtype);
  if (combine === 'prod') return literal(1, dtype);
  if (dtype === 'bool') return String(combine === 'min');
  return literal(combine === 'max' ? -Infinity : Infinity, dtype);
}

function operandsOf(instruction: Instruction): readonly Value[] {
  switch (instruction.op) {
    case 'gather':
      return [instruction.at];
    case 'scatter':
      return [instruction.at, instruction.input];
    case 'reduce':
    case 'keep':
    case 'store':
    case 'accumulate':
      return [instruction.input];
    case 'elementwise':
    case 'where':
    case 'cast':
    case 'bitcast':
    case 'threefry':
      return instruction.inputs;
    default:
      return [];
  }
}

/** The last stage that reads each value. */
function lastUses({ instructions, stages }: LoopKernel): number[] {
  const last = instructions.map(() => -1);
  instructions.forEach((instruction, position) => {
    for (const operand of operandsOf(instruction)) last[operand] = Math.max(last[operand] ?? -1, stages[position] ?? 0);
  });
  return last;
}
