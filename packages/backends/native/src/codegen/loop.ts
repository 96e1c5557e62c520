// LoopKernel → C: the loop nest, its split into units of work, the vector loop and the stages.
import { accumulatedRange, accumulations, bytesOf, independentLoops, kernelCost, loopCount, lower, type LoopKernel, type LoweredBody } from '@athanor/core/backend';
import { Body, type Form } from './body.ts';
import { elementwiseText } from './expression.ts';
import { Nest } from './nest.ts';
import { functionText, type Phase, type Source, type Target } from './source.ts';
import { StripWriter, wantsStrips } from './strip.ts';
import { at, call, registerOf, registerTypes } from './text.ts';
import { VectorLoop } from './vector-loop.ts';

/** Logical lanes of a reduction along the vector loop (see LoopKernel in core). */
const logicalLanes = 32;
/** Units that a kernel is split into, if it has so many positions. */
const enoughUnits = 64;
/** Units of work in strips, which should be long. */
const enoughStrips = 4;
/** What caches do not hold. */
const hugeBytes = 16 * 2 ** 20;
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

/** Buffers of which a kernel touches more than caches hold. */
function hugeBuffers({ instructions, loops, buffers }: LoopKernel): Set<number> {
  const found = new Set<number>();
  for (const instruction of instructions) {
    if (instruction.op !== 'load' && instruction.op !== 'store') continue;
    const { buffer, index } = instruction;
    const positions = loopCount(loops.filter((_, loop) => index.strides[loop] !== 0));
    if (positions * bytesOf(buffers[buffer]?.dtype ?? 'float32') >= hugeBytes) found.add(buffer);
  }
  return found;
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
  readonly #vectorLoop: VectorLoop;
  readonly #strips: StripWriter | undefined;
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
    const rowStrides = loops.map((_, loop) => (loop < outer ? 0 : width * loopCount(loops.slice(loop + 1))));
    this.#body = new Body(this.#nest, lowered, kernel.buffers, {
      lanes: this.#lanes,
      vector: this.#vector,
      vectorIsOuter: this.#vectorIsOuter,
      rowStrides,
      huge: hugeBuffers(kernel),
    });
    this.#vectorLoop = new VectorLoop(this.#body, { loops, vector: this.#vector, vectorIsOuter: this.#vectorIsOuter, lanes: this.#lanes });
    const shape = { kernel, lanes: this.#lanes, inRegisters: width };
    this.#strips = this.#vectorIsOuter && wantsStrips(shape) ? new StripWriter(this.#body, this.#vectorLoop, shape) : undefined;
    this.#scratch = scratch + (this.#strips?.scratch ?? 0);
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
    if (this.#strips !== undefined) this.#strips.write();
    else if (this.#vectorIsOuter) this.#vectorLoop.run({ start: 'from', stop: 'to', step: this.#groups * this.#lanes, guards: this.#body.movingGuards() }, (form) => this.#allStages(form));
    else this.#allStages({ groups: this.#vector < 0 ? 1 : this.#groups });
    this.#body.close(0);
    if (this.#body.streams) this.#nest.line('stream_end();');
    const { flops, bytesRead, bytesWritten } = kernelCost(this.#kernel);
    const phase: Phase = { name: 'run', units, scratch: this.#scratch, shared: 0, nanoseconds: (bytesRead + bytesWritten) / 20 + flops / 4 };
    return { text: functionText('run', this.#kernel.buffers, this.#nest.text()), phases: [phase], lanes: [this.#lanes], helpers: [] };
  }

  /** Opens the loop over units of work and the outer loops inside of a unit; declares `from` and `to` of an outer vector loop. */
  #openUnits(): number {
    const nest = this.#nest;
    const prefix = this.#loops.slice(0, this.#vectorIsOuter ? this.#outer - 1 : this.#outer);
    let split = 0;
    const leading = Math.min(prefix.length, independentLoops(this.#kernel));
    while (split < leading && loopCount(prefix.slice(0, split)) < enoughUnits) split++;
    const counted = prefix.slice(0, split);
    const size = this.#vectorIsOuter ? at(this.#loops, this.#vector) : 1;
    const step = this.#groups * this.#lanes;
    const inner = Math.max(1, loopCount(this.#loops.slice(this.#outer)));
    const wanted = this.#strips === undefined ? enoughUnits : enoughStrips;
    const missing = Math.ceil(wanted / loopCount(counted));
    const piece = this.#vectorIsOuter ? Math.max(Math.ceil(smallestPiece / inner / step), Math.ceil(size / missing / step)) * step : 1;
    const pieces = this.#vectorIsOuter && leading === prefix.length && loopCount(prefix) < wanted ? Math.ceil(size / piece) : 1;
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
    for (let loop = split; loop < leading; loop++) this.#body.open(loop, at(prefix, loop));
    for (const sum of accumulations(this.#kernel)) {
      const { start, count } = accumulatedRange(sum, this.#kernel);
      nest.line(`for (int64_t i = 0; i < ${count}; i++) b${sum.buffer}[${this.#body.affine(start, 'without vector').text} + i] = 0;`);
    }
    for (let loop = leading; loop < prefix.length; loop++) this.#body.open(loop, at(prefix, loop));
    return loopCount(counted) * pieces;
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
      if (alongInner) this.#vectorLoop.run({ start: '0', stop: String(inner.at(-1)), step: logicalLanes, guards: body.movingGuards(stage) }, (groups) => {
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
