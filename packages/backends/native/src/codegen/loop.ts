// LoopKernel → C: the loop nest, its split into units of work, the vector loop and the stages.
import { kernelCost, loopCount, lower, type Affine, type Guard, type LoopKernel, type LoweredBody } from '@athanor/core/backend';
import { Body, type Form } from './body.ts';
import { elementwiseText } from './expression.ts';
import { Nest } from './nest.ts';
import { functionText, type Phase, type Source, type Target } from './source.ts';
import { at, call, registerOf, registerTypes } from './text.ts';

/** Logical lanes of a reduction along the vector loop (see LoopKernel in core). */
const logicalLanes = 32;
/** Units that a kernel is split into, if it has so many positions. */
const enoughUnits = 64;
/** Pieces of a long vector loop visit at least this many positions. */
const smallestPiece = 1024;

export function loopSource(kernel: LoopKernel, target: Target): Source {
  return new LoopWriter(kernel, target).write();
}

/** Lanes of vectors such that the widest dtype fills a register. */
export function lanesOf({ instructions }: LoweredBody, { vectorBytes }: Target): number {
  const wide = instructions.some(({ dtype }) => dtype === 'float64');
  return wide ? Math.max(4, vectorBytes / 8) : vectorBytes / 4;
}

class LoopWriter {
  readonly #kernel: LoopKernel;
  readonly #nest = new Nest();
  readonly #body: Body;
  readonly #loops: readonly number[];
  readonly #outer: number;
  /** The loop that vectors run along, or −1. */
  readonly #vector: number;
  readonly #vectorIsOuter: boolean;
  readonly #lanes: number;
  readonly #groups: number;
  readonly #lastStage: number;
  readonly #rowOffsets: readonly number[];
  readonly #scratch: number;

  constructor(kernel: LoopKernel, target: Target) {
    const { loops, outer, vector, scatters, rows } = kernel;
    const lowered = lower(kernel.instructions, kernel.stages);
    this.#kernel = kernel;
    this.#loops = loops;
    this.#outer = outer;
    this.#vector = scatters || vector < 0 || loops[vector] === 1 ? -1 : vector;
    this.#vectorIsOuter = this.#vector >= 0 && this.#vector < outer;
    this.#lanes = this.#vector < 0 ? 1 : lanesOf(lowered, target);
    this.#lastStage = lowered.stages.at(-1) ?? 0;
    const probe = new Body(this.#nest, lowered, kernel.buffers, { lanes: this.#lanes, vector: this.#vector, vectorIsOuter: this.#vectorIsOuter });
    this.#groups = this.#chooseGroups(probe);
    const width = this.#vectorIsOuter ? this.#groups * this.#lanes : 1;
    const positions = loopCount(loops.slice(outer)) * width;
    let scratch = 0;
    this.#rowOffsets = rows.map((dtype) => {
      const start = scratch;
      // Room for a last vector that is not full.
      scratch += Math.ceil(((positions + logicalLanes) * registerTypes[registerOf(dtype)].bytes) / 64) * 64;
      return start;
    });
    this.#scratch = scratch;
    const rowStrides = loops.map((_, loop) => (loop < outer ? 0 : width * loopCount(loops.slice(loop + 1))));
    this.#body = new Body(this.#nest, lowered, kernel.buffers, {
      lanes: this.#lanes,
      vector: this.#vector,
      vectorIsOuter: this.#vectorIsOuter,
      rowStrides,
    });
  }

  /** Vectors side by side: enough for additions in flight, few enough for registers. */
  #chooseGroups(probe: Body): number {
    if (this.#vector < 0) return 1;
    if (!this.#vectorIsOuter) return logicalLanes / this.#lanes;
    if (this.#lastStage === 0) return 1;
    const stages = Array.from({ length: this.#lastStage + 1 }, (_, stage) => stage);
    const reductions = Math.max(1, ...stages.map((stage) => probe.reductions(stage).length));
    const cost = Math.max(...stages.map((stage) => probe.cost(stage)));
    const wanted = cost > 40 ? 1 : cost > 16 || reductions > 3 ? 2 : 4;
    return Math.max(1, Math.min(wanted, Math.floor(at(this.#loops, this.#vector) / this.#lanes)));
  }

  write(): Source {
    const { rows } = this.#kernel;
    if (this.#loops.slice(0, this.#outer).includes(0)) return { text: '', phases: [], lanes: [], helpers: [] };
    rows.forEach((dtype, row) => {
      const { element } = registerTypes[registerOf(dtype)];
      this.#nest.line(`${element} *const row${row} = (${element} *)(scratch + ${at(this.#rowOffsets, row)});`);
    });
    const units = this.#openUnits();
    if (this.#vectorIsOuter) this.#vectorLoop({ start: 'from', stop: 'to', step: this.#groups * this.#lanes, guards: this.#body.movingGuards() }, (form) => this.#allStages(form));
    else this.#allStages({ groups: this.#vector < 0 ? 1 : this.#groups });
    this.#body.close(0);
    const { flops, bytesRead, bytesWritten } = kernelCost(this.#kernel);
    const phase: Phase = { name: 'run', units, scratch: this.#scratch, shared: 0, nanoseconds: (bytesRead + bytesWritten) / 20 + flops / 4 };
    return { text: functionText('run', this.#kernel.buffers, this.#nest.text()), phases: [phase], lanes: [this.#lanes], helpers: [] };
  }

  /** Opens the loop over units of work and the outer loops inside of a unit; declares `from` and `to` of an outer vector loop. */
  #openUnits(): number {
    const nest = this.#nest;
    const prefix = this.#loops.slice(0, this.#vectorIsOuter ? this.#outer - 1 : this.#outer);
    let split = 0;
    while (split < prefix.length && loopCount(prefix.slice(0, split)) < enoughUnits) split++;
    const counted = prefix.slice(0, split);
    const size = this.#vectorIsOuter ? at(this.#loops, this.#vector) : 1;
    const step = this.#groups * this.#lanes;
    const inner = Math.max(1, loopCount(this.#loops.slice(this.#outer)));
    const missing = Math.ceil(enoughUnits / loopCount(counted));
    const piece = this.#vectorIsOuter ? Math.max(Math.ceil(smallestPiece / inner / step), Math.ceil(size / missing / step)) * step : 1;
    const pieces = this.#vectorIsOuter && loopCount(prefix) < enoughUnits ? Math.ceil(size / piece) : 1;
    nest.open('for (int64_t unit = first; unit < end; unit++)');
    nest.line('int64_t rest = unit;');
    if (pieces > 1) {
      nest.line(`const int64_t from = rest % ${pieces} * ${piece}, to = from + ${piece} < ${size} ? from + ${piece} : ${size};`);
      nest.line(`rest /= ${pieces};`);
    } else if (this.#vectorIsOuter) nest.line(`const int64_t from = 0, to = ${size};`);
    for (let loop = split - 1; loop >= 0; loop--) {
      nest.line(loop === 0 ? 'const int64_t i0 = rest;' : `const int64_t i${loop} = rest % ${at(counted, loop)}; rest /= ${at(counted, loop)};`);
      this.#body.bind(loop, `i${loop}`);
    }
    for (let loop = split; loop < prefix.length; loop++) this.#body.open(loop, at(prefix, loop));
    return loopCount(counted) * pieces;
  }

  /** Runs `emit` for whole steps of the vector loop, and with masks for the rest. */
  #vectorLoop(range: { start: string; stop: string; step: number; guards: readonly Guard[] }, emit: (form: Form) => void): void {
    const nest = this.#nest;
    const { start, stop, step, guards } = range;
    const name = nest.name('x');
    const outside = nest.depth;
    const size = at(this.#loops, this.#vector);
    const divides = size % step === 0;
    const full: Form = { groups: step / this.#lanes };
    const emitIn = (form: Form): void => {
      this.#body.bind(this.#vector, name);
      emit(form);
      if (this.#vectorIsOuter) this.#body.endForm();
    };
    const careful = (groups: number): void => {
      const masks = Array.from({ length: groups }, (_, group) => {
        const mask = nest.name('m');
        nest.line(`const b_${this.#lanes} ${mask} = ${call('first', this.#lanes, `${stop} - ${name}${group === 0 ? '' : ` - ${group * this.#lanes}`}`)};`);
        return mask;
      });
      emitIn({ groups, masks });
    };
    // An inner vector loop must keep its positions in their logical lanes: its last step has all groups.
    const carefulGroups = this.#vectorIsOuter ? 1 : full.groups;
    const carefulStep = carefulGroups * this.#lanes;
    if (guards.length > 0) {
      const bounds = this.#interior(guards);
      nest.line(`int64_t ${name} = ${start};`);
      nest.open(`while (${name} < ${stop})`);
      nest.line(`const int whole = ${name} >= ${bounds.low} && ${name} + ${step} <= ${bounds.high} && ${name} + ${step} <= ${stop};`);
      nest.open('if (whole)');
      emitIn(full);
      nest.line(`${name} += ${step};`);
      this.#body.close();
      nest.open('if (!whole)');
      careful(carefulGroups);
      nest.line(`${name} += ${carefulStep};`);
      this.#body.close(outside);
      return;
    }
    if (size < step && !divides && carefulGroups === full.groups) {
      nest.open('');
      nest.line(`const int64_t ${name} = ${start};`);
      careful(carefulGroups);
      this.#body.close();
      return;
    }
    nest.line(`int64_t ${name} = ${start};`);
    nest.open(`for (; ${name} + ${step} <= ${stop}; ${name} += ${step})`);
    emitIn(full);
    this.#body.close();
    if (divides) return;
    nest.open(`for (; ${name} < ${stop}; ${name} += ${carefulStep})`);
    careful(carefulGroups);
    this.#body.close();
  }

  /** Positions of the vector loop between which all its guards hold, whatever inner loops do. */
  #interior(guards: readonly Guard[]): { low: string; high: string } {
    const nest = this.#nest;
    const [low, high] = [nest.name('low'), nest.name('high')];
    nest.line(`int64_t ${low} = 0, ${high} = ${at(this.#loops, this.#vector)};`);
    for (const { index, size } of guards) {
      const stride = index.strides[this.#vector] ?? 0;
      const { text, least, most } = this.#open(index);
      // stride · i + base must lie in [0, size) for every base in [text + least, text + most].
      const [bottom, top] = stride > 0 ? [`-(${text} + ${least})`, `${size} - (${text} + ${most})`] : [`${text} + ${most} - ${size} + 1`, `${text} + ${least} + 1`];
      const distance = Math.abs(stride);
      nest.line(`{ const int64_t bottom = ceil_divide(${bottom}, ${distance}), top = ceil_divide(${top}, ${distance}); if (bottom > ${low}) ${low} = bottom; if (top < ${high}) ${high} = top; }`);
    }
    return { low, high };
  }

  /** An index at position 0 of the vector loop: the part that is known outside of it, and bounds of the rest. */
  #open(index: Affine): { text: string; least: number; most: number } {
    let [least, most] = [0, 0];
    const known = index.strides.map((stride, loop) => {
      if (loop === this.#vector) return 0;
      if (this.#body.variables[loop] !== undefined) return stride;
      const reach = stride * (at(this.#loops, loop) - 1);
      least += Math.min(0, reach);
      most += Math.max(0, reach);
      return 0;
    });
    return { text: this.#body.affine({ offset: index.offset, strides: known }, 'without vector').text, least, most };
  }

  #allStages(form: Form): void {
    for (let stage = 0; stage <= this.#lastStage; stage++) {
      if (stage % 2 === 0) this.#body.emitStage(stage, form);
      else this.#innerStage(stage, form);
    }
  }

  #innerStage(stage: number, form: Form): void {
    const body = this.#body;
    const inner = this.#loops.slice(this.#outer);
    const reductions = body.reductions(stage);
    for (const { value, instruction } of reductions) body.start(value, instruction, form.groups);
    const depth = this.#nest.depth;
    if (!inner.includes(0)) {
      const alongInner = this.#vector >= this.#outer;
      const plain = alongInner ? inner.length - 1 : inner.length;
      for (let i = 0; i < plain; i++) body.open(this.#outer + i, at(inner, i));
      if (alongInner) this.#vectorLoop({ start: '0', stop: String(inner.at(-1)), step: logicalLanes, guards: body.movingGuards(stage) }, (groups) => {
        body.emitStage(stage, groups);
        body.endForm();
      });
      else body.emitStage(stage, form);
    }
    body.close(depth);
    for (const { value, instruction } of reductions) {
      const accumulators = body.accumulators.get(value) ?? [];
      if (this.#vectorIsOuter) body.defineGroups(value, accumulators);
      else body.define(value, this.#vector < 0 ? at(accumulators, 0) : this.#combineLanes(instruction.combine, instruction.dtype, accumulators));
    }
  }

  #combineLanes(combine: 'sum' | 'prod' | 'max' | 'min', dtype: LoopKernel['rows'][number], accumulators: readonly string[]): string {
    const nest = this.#nest;
    const register = registerOf(dtype);
    const vectors = nest.name('t');
    // Masks are integers of which `and` is the smallest and `or` the largest: 0 > −1.
    const name = register === 'b' ? `tree_${combine === 'max' ? 'min' : 'max'}_i32` : `tree_${combine}_${register}`;
    nest.line(`${register}_${this.#lanes} ${vectors}[] = {${accumulators.join(', ')}};`);
    const text = call(name, this.#lanes, vectors);
    const narrow = dtype === 'uint8' || dtype === 'int8';
    return nest.declare(`${register}_1`, narrow ? elementwiseText('add', dtype, 1, text, '0') : text).text;
  }
}
