// Reductions where lanes are positions of an outer loop and memory lies in rows along it: a strip of positions goes
// through each stage together, its sums in scratch, so that rows are read from end to end.
import type { LoopKernel, Value } from '@athanor/core/backend';
import type { Body } from './body.ts';
import { identityOf } from './expression.ts';
import { at, call, literal, registerOf, registerTypes } from './text.ts';
import type { VectorLoop } from './vector-loop.ts';

/** Positions of a strip. */
const stripLength = 1024;
/** Shorter reductions keep their sums in registers. */
const shortReduction = 32;

export interface StripShape {
  readonly kernel: LoopKernel;
  readonly lanes: number;
  /** Positions that registers would hold. */
  readonly inRegisters: number;
}

/** Whether strips pay: long reductions over rows that are longer than what registers hold. */
export function wantsStrips({ kernel, inRegisters }: StripShape): boolean {
  const { loops, outer, vector, rows, instructions } = kernel;
  const inner = loops.slice(outer);
  const count = inner.reduce((product, size) => product * size, 1);
  if (rows.length > 0 || count <= shortReduction || (loops[vector] ?? 1) <= inRegisters) return false;
  return instructions.some((instruction) => {
    if (instruction.op !== 'load' || instruction.index.strides[vector] !== 1) return false;
    const strides = instruction.index.strides.slice(outer);
    return Math.abs(strides.at(-1) ?? 0) > inRegisters;
  });
}

export class StripWriter {
  readonly #body: Body;
  readonly #loop: VectorLoop;
  readonly #kernel: LoopKernel;
  readonly #lanes: number;
  readonly #length: number;
  readonly #lastStage: number;
  /** Values that one stage hands on to another, for each position of the strip: their place in scratch. */
  readonly #places = new Map<Value, number>();
  #masks: { masks?: readonly string[] } = {};

  constructor(body: Body, loop: VectorLoop, { kernel, lanes }: StripShape) {
    this.#body = body;
    this.#loop = loop;
    this.#kernel = kernel;
    this.#lanes = lanes;
    this.#length = Math.min(stripLength, Math.ceil(at(kernel.loops, kernel.vector) / lanes) * lanes);
    this.#lastStage = body.lastStage;
    const bytes = (this.#length + lanes) * 8;
    for (const value of body.handedOn()) this.#places.set(value, this.#places.size * bytes);
  }

  /** Scratch bytes that the strip needs. */
  get scratch(): number {
    return this.#places.size * (this.#length + this.#lanes) * 8;
  }

  /** Emits all stages for positions `from` … `to` − 1. */
  write(): void {
    const { nest } = this.#body;
    for (const [value, place] of this.#places) {
      const { element } = registerTypes[registerOf(this.#body.dtypeOf(value))];
      nest.line(`${element} *const s${value} = (${element} *)(scratch + ${place});`, 0);
    }
    nest.open(`for (int64_t base = from; base < to; base += ${this.#length})`);
    nest.line(`const int64_t limit = base + ${this.#length} < to ? base + ${this.#length} : to;`);
    for (let stage = 0; stage <= this.#lastStage; stage++) {
      if (stage % 2 === 0) this.#outerStage(stage);
      else this.#innerStage(stage);
    }
    this.#body.close();
  }

  #outerStage(stage: number): void {
    if (this.#body.isEmpty(stage)) return;
    this.#along(stage, (position) => {
      this.#recall(stage, position);
      this.#body.emitStage(stage, { groups: 1, ...this.#masks });
      for (const value of this.#places.keys()) if (this.#body.stageOf(value) === stage && !this.#isReduction(value)) this.#keep(value, position, this.#body.vectorOf(value));
    });
  }

  #along(stage: number, emit: (position: string) => void): void {
    this.#loop.run({ start: 'base', stop: 'limit', step: this.#lanes, guards: this.#body.movingGuards(stage) }, ({ masks, position = '' }) => {
      this.#masks = masks === undefined ? {} : { masks };
      emit(position);
    });
  }

  #innerStage(stage: number): void {
    const body = this.#body;
    const { nest } = body;
    const { loops, outer } = this.#kernel;
    const reductions = body.reductions(stage);
    for (const { value, instruction } of reductions) {
      const identity = literal(identityOf(instruction.combine, instruction.dtype), instruction.dtype);
      nest.line(`for (int64_t i = 0; i < ${this.#length}; i++) s${value}[i] = ${identity};`);
    }
    const inner = loops.slice(outer);
    if (inner.includes(0)) return;
    const outside = nest.depth;
    for (let i = 0; i < inner.length - 1; i++) body.open(outer + i, at(inner, i));
    const last = outer + inner.length - 1;
    const count = at(inner, inner.length - 1);
    const cost = body.cost(stage);
    const together = Math.min(count, cost <= 6 ? 8 : cost <= 12 ? 4 : 2);
    body.ahead = ({ strides }) => together * (strides[last] ?? 0);
    const row = nest.name('j');
    nest.line(`int64_t ${row} = 0;`);
    for (const rows of count % together === 0 ? [together] : [together, 1]) {
      nest.open(`for (; ${row} + ${rows} <= ${count}; ${row} += ${rows})`);
      const depth = nest.depth;
      this.#along(stage, (position) => {
        const sums = reductions.map(({ value, instruction }) => {
          const name = nest.name('a');
          nest.line(`${registerOf(instruction.dtype)}_${this.#lanes} ${name} = ${this.#load(value, position)};`);
          body.accumulators.set(value, [name]);
          return { value, name };
        });
        for (let i = 0; i < rows; i++) {
          body.bind(last, i === 0 ? row : `(${row} + ${i})`, depth);
          this.#recall(stage, position);
          body.emitStage(stage, { groups: 1, ...this.#masks });
          body.endForm();
          body.forget(depth);
        }
        for (const { value, name } of sums) this.#keep(value, position, name);
      });
      body.close();
    }
    body.ahead = undefined;
    body.close(outside);
  }

  #isReduction(value: Value): boolean {
    return this.#body.reductions(this.#body.stageOf(value)).some((reduction) => reduction.value === value);
  }

  /** Brings the values that a stage needs from earlier ones into registers. */
  #recall(stage: number, position: string): void {
    for (const value of this.#body.neededBy(stage)) {
      if (!this.#places.has(value)) continue;
      const type = `${registerOf(this.#body.dtypeOf(value))}_${this.#lanes}`;
      this.#body.defineGroups(value, [this.#body.nest.declare(type, this.#load(value, position)).text]);
    }
  }

  #load(value: Value, position: string): string {
    return call(`load_${registerTypes[registerOf(this.#body.dtypeOf(value))].suffix}`, this.#lanes, `s${value} + (${position} - base)`);
  }

  #keep(value: Value, position: string, text: string): void {
    const { suffix } = registerTypes[registerOf(this.#body.dtypeOf(value))];
    this.#body.nest.line(`${call(`store_${suffix}`, this.#lanes, `s${value} + (${position} - base)`, text)};`);
  }
}
