// Emits the instructions of a kernel: what is equal along the vector loop once, as scalars, everything else for groups
// of neighbouring positions, as vectors.
import {
  InternalError,
  bytesOf,
  inputsOf,
  type Affine,
  type BufferParameter,
  type Dtype,
  type Guard,
  type Lowered,
  type LoweredBody,
  type Value,
} from '@athanor/core/backend';
import { combineText, identityOf, isPure, pureText } from './expression.ts';
import type { Nest, Placed } from './nest.ts';
import { at, call, literal, memoryTypes, registerOf, registerTypes, stepOf, wayOf } from './text.ts';
import { findVarying, movesAlong } from './varying.ts';

/** Neighbouring groups of lanes that are computed together. */
export interface Form {
  readonly groups: number;
  /** C text of the first group's position along the vector loop. */
  readonly position?: string;
  /** One mask per group: only these lanes exist, and guards are tested. Without masks, all guards are known to hold. */
  readonly masks?: readonly string[];
}

export interface BodyShape {
  readonly lanes: number;
  /** The loop that groups run along; −1 computes one position at a time. */
  readonly vector: number;
  /** Whether groups are positions of an outer loop (each reduces alone). */
  readonly vectorIsOuter: boolean;
  /** Index into a row of scratch, without the group. */
  readonly rowStrides?: readonly number[];
  /** Buffers that are too big for the caches: they are asked for ahead, and written past the caches. */
  readonly huge?: ReadonlySet<number>;
  /** Where an epilogue finds the finished sums of a group. */
  readonly accumulator?: (group: number, dtype: Dtype) => string;
}

interface LoopVariable {
  readonly name: string;
  readonly depth: number;
}

type Load = Extract<Lowered, { op: 'load' }>;
type Gather = Extract<Lowered, { op: 'gather' }>;
type Store = Extract<Lowered, { op: 'store' }>;
type Scatter = Extract<Lowered, { op: 'scatter' }>;
type Reduce = Extract<Lowered, { op: 'reduce' }>;

/** How far ahead huge buffers are asked for: a page, which the processor does not look beyond. */
const aheadBytes = 4096;

const raise = (flag: string): string => `__atomic_fetch_or(flags, ${flag}, __ATOMIC_RELAXED);`;

export class Body {
  readonly nest: Nest;
  readonly lanes: number;
  /** Variables of the loops that are open. */
  readonly variables: (LoopVariable | undefined)[] = [];
  /** Accumulators of the reductions of the current stage, one per group. */
  readonly accumulators = new Map<Value, readonly string[]>();
  /** How many elements ahead huge buffers are asked for, where it is not along the vector loop. */
  ahead: ((index: Affine) => number) | undefined;
  /** Whether each value differs along the vector loop. */
  readonly #varies: readonly boolean[];
  readonly #list: readonly Lowered[];
  readonly #stages: readonly number[];
  readonly #buffers: readonly BufferParameter[];
  readonly #shape: BodyShape;
  readonly #uniform = new Map<Value, Placed>();
  readonly #splats = new Map<Value, Placed>();
  readonly #groups = new Map<Value, string[]>();

  constructor(nest: Nest, body: LoweredBody, buffers: readonly BufferParameter[], shape: BodyShape) {
    this.nest = nest;
    this.lanes = shape.lanes;
    this.#list = body.instructions;
    this.#stages = body.stages;
    this.#buffers = buffers;
    this.#shape = shape;
    this.#varies = findVarying(this.#list, shape);
  }

  /** Reductions of a stage. */
  reductions(stage: number): { value: Value; instruction: Reduce }[] {
    return this.#list.flatMap((instruction, value) => (instruction.op === 'reduce' && this.#stages[value] === stage ? [{ value, instruction }] : []));
  }

  /** How many instructions of a stage are emitted for every group. */
  cost(stage: number): number {
    return this.#list.filter((instruction, i) => this.#stages[i] === stage && instruction.op !== 'constant' && at(this.#varies, i)).length;
  }

  get lastStage(): number {
    return this.#stages.at(-1) ?? 0;
  }

  stageOf(value: Value): number {
    return at(this.#stages, value);
  }

  dtypeOf(value: Value): Dtype {
    return at(this.#list, value).dtype;
  }

  isEmpty(stage: number): boolean {
    return !this.#list.some(({ op }, i) => this.#stages[i] === stage && op !== 'constant');
  }

  /** The vector of a value in a form of one group. */
  vectorOf(value: Value): string {
    return this.#vector(value, 0);
  }

  /** Values of earlier stages, different along the vector loop, that a stage reads. */
  neededBy(stage: number): Value[] {
    const needed = this.#list.flatMap((instruction, i) => (this.#stages[i] === stage ? inputsOf(instruction) : []));
    return [...new Set(needed)].filter((value) => at(this.#varies, value) && this.stageOf(value) < stage);
  }

  /** Values that some later stage reads, and all reductions. */
  handedOn(): Value[] {
    const stages = Array.from({ length: this.lastStage + 1 }, (_, stage) => stage);
    return [...new Set([...stages.flatMap((stage) => this.neededBy(stage)), ...stages.flatMap((stage) => this.reductions(stage).map(({ value }) => value))])];
  }

  /** Guards that differ along the vector loop, of one stage or of all. */
  movingGuards(stage?: number): Guard[] {
    return this.#list.flatMap((instruction, i) =>
      'guards' in instruction && (stage === undefined || this.#stages[i] === stage) ? instruction.guards.filter((guard) => this.#moves(guard.index)) : [],
    );
  }

  /** Opens a loop. */
  open(loop: number, size: number): void {
    const name = `i${loop}`;
    this.nest.open(`for (int64_t ${name} = 0; ${name} < ${size}; ${name}++)`);
    this.bind(loop, name);
  }

  /** Tells the variable of a loop that was opened by hand. */
  bind(loop: number, name: string, depth: number = this.nest.depth): void {
    this.variables[loop] = { name, depth };
  }

  /** Forgets what was declared at a depth or deeper. */
  forget(depth: number): void {
    for (const known of [this.#uniform, this.#splats]) for (const [value, placed] of known) if (placed.depth >= depth) known.delete(value);
  }

  /** Closes scopes and forgets what was declared in them. */
  close(depth: number = this.nest.depth - 1): void {
    this.nest.close(depth);
    this.forget(depth + 1);
    this.variables.forEach((variable, loop) => {
      if (variable !== undefined && variable.depth > depth) this.variables[loop] = undefined;
    });
  }

  /** Forgets the values of all groups. */
  endForm(): void {
    this.#groups.clear();
  }

  /** Gives a reduction its finished value, equal along the vector loop. */
  define(value: Value, text: string): void {
    this.#uniform.set(value, { text, depth: this.nest.depth });
  }

  /** Gives a value one vector for each group. */
  defineGroups(value: Value, vectors: readonly string[]): void {
    this.#groups.set(value, [...vectors]);
  }

  /** offset + Σ stride · loop; the vector loop's term only if `vector` says so. */
  affine(index: Affine, vector: 'with vector' | 'without vector'): Placed {
    const terms: string[] = [];
    let depth = 0;
    index.strides.forEach((stride, loop) => {
      if (stride === 0 || (loop === this.#shape.vector && vector === 'without vector')) return;
      const variable = this.variables[loop];
      if (variable === undefined) throw new InternalError(`loop ${loop} is not open`);
      terms.push(stride === 1 ? variable.name : `${variable.name} * ${stride}`);
      depth = Math.max(depth, variable.depth);
    });
    if (index.offset !== 0 || terms.length === 0) terms.unshift(String(index.offset));
    return { text: terms.length === 1 ? at(terms, 0) : `(${terms.join(' + ')})`, depth };
  }

  emitStage(stage: number, form: Form): void {
    this.#list.forEach((instruction, i) => {
      if (this.#stages[i] !== stage || instruction.op === 'constant') return;
      if (instruction.op === 'reduce') return this.#accumulate(i, instruction, form);
      if (!at(this.#varies, i)) return this.#emitUniform(i, instruction);
      for (let group = 0; group < form.groups; group++) this.#emitGroup(i, instruction, group, form.masks?.[group]);
    });
  }

  #moves(index: Affine): boolean {
    return movesAlong(index, this.#shape.vector);
  }

  /** A value that is equal along the vector loop. */
  #scalar(value: Value): Placed {
    const instruction = at(this.#list, value);
    if (instruction.op === 'constant') {
      const text = literal(instruction.value, instruction.dtype);
      return { text: text.startsWith('-') ? `(${text})` : text, depth: 0 };
    }
    const known = this.#uniform.get(value);
    if (known === undefined) throw new InternalError(`value ${value} (${instruction.op}) is not known here`);
    return known;
  }

  #type(dtype: Dtype, lanes: number): string {
    return `${registerOf(dtype)}_${lanes}`;
  }

  /** A value as a vector of a group. */
  #vector(value: Value, group: number): string {
    const vectors = this.#groups.get(value);
    if (vectors !== undefined) return at(vectors, group);
    if (at(this.#varies, value)) throw new InternalError(`value ${value} (${at(this.#list, value).op}) is not known here`);
    const known = this.#splats.get(value);
    if (known !== undefined) return known.text;
    const scalar = this.#scalar(value);
    const splat = this.#splat(scalar.text, this.dtypeOf(value), scalar.depth);
    this.#splats.set(value, splat);
    return splat.text;
  }

  #splat(text: string, dtype: Dtype, depth: number): Placed {
    return this.nest.declare(this.#type(dtype, this.lanes), call(`splat_${registerOf(dtype)}`, this.lanes, text), depth);
  }

  #fill(fill: number, dtype: Dtype): string {
    const text = literal(fill, dtype);
    return call(`splat_${registerOf(dtype)}`, this.lanes, text);
  }

  /** One condition for guards that are equal along the vector loop. */
  #condition(guards: readonly Guard[]): Placed | undefined {
    const still = guards.filter(({ index }) => !this.#moves(index));
    if (still.length === 0) return undefined;
    const parts = still.map(({ index, size }) => {
      const { text, depth } = this.affine(index, 'with vector');
      return { text: `(uint64_t)${text} < ${size}`, depth };
    });
    return { text: parts.map(({ text }) => `(${text})`).join(' && '), depth: deepest(parts) };
  }

  /** The mask of a group's lanes where guards hold; undefined means all lanes. */
  #mask(guards: readonly Guard[], group: number, mask: string | undefined): string | undefined {
    if (mask === undefined) return undefined;
    const moving = guards.filter(({ index }) => this.#moves(index));
    const tests = moving.map(({ index, size }) => {
      const stride = index.strides[this.#shape.vector] ?? 0;
      const start = this.affine({ ...index, offset: index.offset + group * this.lanes * stride }, 'with vector').text;
      return call('inside', this.lanes, start, String(stride), String(size));
    });
    return tests.length === 0 ? mask : `(${[mask, ...tests].join(' & ')})`;
  }

  /** What a kernel writes must be read where it stands. */
  #depthOf(buffer: number, depth: number): number {
    return this.#buffers[buffer]?.access === 'read' ? depth : this.nest.depth;
  }

  /** Pointer to the first lane of a group, and the distance of lanes. */
  #pointer(buffer: number, index: Affine, group: number): { text: string; stride: number } {
    const stride = index.strides[this.#shape.vector] ?? 0;
    const start = this.affine({ ...index, offset: index.offset + group * this.lanes * stride }, 'with vector').text;
    return { text: `b${buffer} + ${start}`, stride };
  }

  #emitUniform(i: Value, instruction: Lowered): void {
    if (this.#uniform.has(i)) return;
    const { nest } = this;
    const declare = (text: string, depth: number): void => {
      this.#uniform.set(i, nest.declare(this.#type(instruction.dtype, 1), text, depth));
    };
    if (isPure(instruction)) {
      const depth = deepest(inputsOf(instruction).map((input) => this.#scalar(input)));
      return declare(pureText(instruction, 1, (value) => this.#scalar(value).text, (value) => this.dtypeOf(value)), depth);
    }
    switch (instruction.op) {
      case 'load': {
        const { buffer, guards, fill, dtype } = instruction;
        const index = this.affine(instruction.index, 'with vector');
        const condition = this.#condition(guards);
        const text = call(`load_${memoryTypes[dtype].suffix}`, 1, `b${buffer} + ${index.text}`);
        const depth = this.#depthOf(buffer, deepest(condition === undefined ? [index] : [index, condition]));
        return declare(condition === undefined ? text : `${condition.text} ? ${text} : ${literal(fill, dtype)}`, depth);
      }
      case 'gather':
        return this.#uniformGather(i, instruction);
      case 'index': {
        const { text, depth } = this.affine(instruction.index, 'with vector');
        return declare(`(int32_t)${text}`, depth);
      }
      case 'inside': {
        const { text, depth } = this.#condition(instruction.guards) ?? { text: '1', depth: 0 };
        return declare(`-(${text})`, depth);
      }
      case 'store': {
        const { text } = this.affine(instruction.index, 'with vector');
        return nest.line(`${call(`store_${memoryTypes[instruction.dtype].suffix}`, 1, `b${instruction.buffer} + ${text}`, this.#scalar(instruction.input).text)};`);
      }
      case 'scatter':
        return this.#scatter(instruction);
      case 'keep':
        return nest.line(`row${instruction.row}[${this.#rowIndex(0)}] = ${this.#scalar(instruction.input).text};`);
      case 'recall':
        return declare(`row${instruction.row}[${this.#rowIndex(0)}]`, nest.depth);
      default:
        throw new InternalError(`instruction ${instruction.op} stands in a kernel that cannot have it`);
    }
  }

  #uniformGather(i: Value, { buffer, index, guards, fill, dtype, size, stride, at: where }: Gather): void {
    const { nest } = this;
    const place = this.#scalar(where);
    const start = this.affine(index, 'with vector');
    const condition = this.#condition(guards);
    const depth = this.#depthOf(buffer, deepest([place, start, ...(condition === undefined ? [] : [condition])]));
    const [clamped, value] = [nest.name('g'), nest.name('v')];
    const read = call(`load_${memoryTypes[dtype].suffix}`, 1, `b${buffer} + ${start.text} + (int64_t)${clamped} * ${stride}`);
    nest.line(`${this.#type(dtype, 1)} ${value} = ${literal(fill, dtype)};`, depth);
    nest.line(
      `${condition === undefined ? '' : `if (${condition.text}) `}{
int32_t ${clamped} = ${place.text};
if ((uint32_t)${clamped} >= ${size}) { ${raise('GATHER_OUT_OF_RANGE')} ${clamped} = ${clamped} < 0 ? 0 : ${size - 1}; }
${size > 0 ? `${value} = ${read};` : ''}
}`,
      depth,
    );
    this.#uniform.set(i, { text: value, depth });
  }

  #scatter({ buffer, index, at: where, size, stride, input, dtype }: Scatter): void {
    const place = this.#scalar(where).text;
    const target = `b${buffer}[${this.affine(index, 'with vector').text} + (int64_t)${place} * ${stride}]`;
    this.nest.line(`if ((uint32_t)${place} < ${size}) ${target} = (${memoryTypes[dtype].element})(${target} + ${this.#scalar(input).text}); else { ${raise('SCATTER_OUT_OF_RANGE')} }`);
  }

  #emitGroup(i: Value, instruction: Lowered, group: number, mask: string | undefined): void {
    const { nest, lanes } = this;
    const declare = (text: string): void => this.#setGroup(i, group, nest.declare(this.#type(instruction.dtype, lanes), text).text);
    if (isPure(instruction)) {
      return declare(pureText(instruction, lanes, (value) => this.#vector(value, group), (value) => this.dtypeOf(value)));
    }
    switch (instruction.op) {
      case 'load':
        return this.#conditional(i, instruction, group, this.#loadText(instruction, group, mask));
      case 'gather':
        return this.#gather(i, instruction, group, mask);
      case 'index': {
        const stride = instruction.index.strides[this.#shape.vector] ?? 0;
        const start = this.affine({ ...instruction.index, offset: instruction.index.offset + group * lanes * stride }, 'with vector').text;
        return declare(call('ramp', lanes, `(int32_t)${start}`, String(stride)));
      }
      case 'inside': {
        const condition = this.#condition(instruction.guards);
        const inside = this.#mask(instruction.guards, group, mask);
        const text = inside ?? call('splat_b', lanes, '-1');
        return declare(condition === undefined ? text : `(${condition.text} ? ${text} : ${call('splat_b', lanes, '0')})`);
      }
      case 'keep': {
        const { suffix } = registerTypes[registerOf(instruction.dtype)];
        return nest.line(`${call(`store_${suffix}`, lanes, `row${instruction.row} + ${this.#rowIndex(group)}`, this.#vector(instruction.input, group))};`);
      }
      case 'recall': {
        const { suffix } = registerTypes[registerOf(instruction.dtype)];
        return declare(call(`load_${suffix}`, lanes, `row${instruction.row} + ${this.#rowIndex(group)}`));
      }
      case 'store':
        return this.#store(instruction, group, mask);
      case 'accumulator': {
        const text = this.#shape.accumulator?.(group, instruction.dtype);
        if (text === undefined) throw new InternalError('an accumulator outside of a contraction');
        return declare(text);
      }
      default:
        throw new InternalError(`instruction ${instruction.op} cannot run along a vector`);
    }
  }

  #setGroup(i: Value, group: number, name: string): void {
    const vectors = this.#groups.get(i) ?? [];
    vectors[group] = name;
    this.#groups.set(i, vectors);
  }

  /** Declares a value that guards common to all lanes may replace by `fill`. */
  #conditional(i: Value, { guards, fill, dtype }: Load | Gather, group: number, text: string): void {
    const condition = this.#condition(guards);
    const type = this.#type(dtype, this.lanes);
    if (condition === undefined) return this.#setGroup(i, group, this.nest.declare(type, text).text);
    const name = this.nest.name('v');
    this.nest.line(`${type} ${name} = ${this.#fill(fill, dtype)};\nif (${condition.text}) ${name} = ${text};`);
    this.#setGroup(i, group, name);
  }

  #loadText({ buffer, index, guards, fill, dtype }: Load, group: number, active: string | undefined): string {
    const { suffix } = memoryTypes[dtype];
    const { text, stride } = this.#pointer(buffer, index, group);
    const mask = this.#mask(guards, group, active);
    if (mask !== undefined) {
      const filled = this.#fill(fill, dtype);
      if (stride === 0) {
        const value = call(`splat_${registerOf(dtype)}`, this.lanes, call(`load_${suffix}`, 1, text));
        return `${call('any', this.lanes, mask)} ? ${call(`select_${registerOf(dtype)}`, this.lanes, mask, value, filled)} : ${filled}`;
      }
      return call(`masked_${wayOf(stride)}${suffix}`, this.lanes, text, ...stepOf(stride), mask, filled);
    }
    if (stride === 0) return call(`splat_${registerOf(dtype)}`, this.lanes, call(`load_${suffix}`, 1, text));
    if (stride === 1) {
      if (this.#shape.huge?.has(buffer) === true) this.nest.line(`__builtin_prefetch(${text} + ${this.ahead?.(index) ?? aheadBytes / bytesOf(dtype)});`);
      return call(`load_${suffix}`, this.lanes, text);
    }
    return stride === -1 ? call(`load_reversed_${suffix}`, this.lanes, text) : call(`load_${wayOf(stride)}${suffix}`, this.lanes, text, ...stepOf(stride));
  }

  #gather(i: Value, instruction: Gather, group: number, active: string | undefined): void {
    const { nest, lanes } = this;
    const { buffer, index, guards, fill, dtype, size, stride } = instruction;
    if (size === 0) return this.#setGroup(i, group, nest.declare(this.#type(dtype, lanes), this.#fill(fill, dtype)).text);
    const { text, stride: step } = this.#pointer(buffer, index, group);
    const [mask, clamped] = [nest.name('m'), nest.name('g')];
    const where = this.#vector(instruction.at, group);
    const condition = this.#condition(guards);
    const inside = this.#mask(guards, group, active) ?? call('splat_b', lanes, '-1');
    nest.line(`const b_${lanes} ${mask} = ${condition === undefined ? inside : `${condition.text} ? ${inside} : ${call('splat_b', lanes, '0')}`};`);
    nest.line(`const i32_${lanes} ${clamped} = ${call('clamp_i32', lanes, where, '0', String(size - 1))};`);
    nest.line(`if (${call('any', lanes, `${mask} & ${call('ne_i32', lanes, clamped, where)}`)}) { ${raise('GATHER_OUT_OF_RANGE')} }`);
    const { suffix } = memoryTypes[dtype];
    const value = call(`gather_${suffix}`, lanes, text, String(step), clamped, String(stride), mask, this.#fill(fill, dtype));
    this.#setGroup(i, group, nest.declare(this.#type(dtype, lanes), value).text);
  }

  #store({ buffer, index, input, dtype }: Store, group: number, mask: string | undefined): void {
    const { suffix } = memoryTypes[dtype];
    const { text, stride } = this.#pointer(buffer, index, group);
    const value = this.#vector(input, group);
    if (mask === undefined && stride === 1 && this.#streams(buffer, dtype)) return this.nest.line(`${call(`stream_${suffix}`, this.lanes, text, value)};`);
    const name = `store_${mask === undefined ? '' : 'masked_'}${wayOf(stride)}${suffix}`;
    this.nest.line(`${call(name, this.lanes, text, ...stepOf(stride), value, ...(mask === undefined ? [] : [mask]))};`);
  }

  #streams(buffer: number, dtype: Dtype): boolean {
    return this.#shape.huge?.has(buffer) === true && this.#buffers[buffer]?.access === 'write' && (dtype === 'float32' || dtype === 'int32');
  }

  /** Whether any store goes past the caches. */
  get streams(): boolean {
    return this.#list.some((instruction) => instruction.op === 'store' && this.#streams(instruction.buffer, instruction.dtype));
  }

  #rowIndex(group: number): string {
    const strides = this.#shape.rowStrides ?? [];
    return this.affine({ offset: group * this.lanes, strides }, this.#shape.vectorIsOuter ? 'without vector' : 'with vector').text;
  }

  /** Adds the values of this stage to a reduction's accumulators. */
  #accumulate(i: Value, { combine, input, dtype }: Reduce, form: Form): void {
    const accumulators = this.accumulators.get(i) ?? [];
    accumulators.forEach((accumulator, group) => {
      if (this.#shape.vector < 0) {
        return this.nest.line(`${accumulator} = ${combineText(combine, dtype, 1, accumulator, this.#scalar(input).text)};`);
      }
      if (group >= form.groups) return;
      const combined = combineText(combine, dtype, this.lanes, accumulator, this.#vector(input, group));
      const mask = this.#shape.vectorIsOuter ? undefined : form.masks?.[group];
      const text = mask === undefined ? combined : call(`select_${registerOf(dtype)}`, this.lanes, mask, combined, accumulator);
      this.nest.line(`${accumulator} = ${text};`);
    });
  }

  /** Declares the accumulators of a reduction, at the current depth. */
  start(value: Value, { combine, dtype }: Reduce, groups: number): void {
    const lanes = this.#shape.vector < 0 ? 1 : this.lanes;
    const identity = literal(identityOf(combine, dtype), dtype);
    const text = lanes === 1 ? identity : call(`splat_${registerOf(dtype)}`, lanes, identity);
    const names = Array.from({ length: groups }, () => this.nest.name('a'));
    for (const name of names) this.nest.line(`${this.#type(dtype, lanes)} ${name} = ${text};`);
    this.accumulators.set(value, names);
  }
}

function deepest(values: readonly Placed[]): number {
  return values.reduce((depth, value) => Math.max(depth, value.depth), 0);
}
