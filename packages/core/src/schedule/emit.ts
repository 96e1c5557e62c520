// Turns roots into instructions over one iteration space: views become index arithmetic, everything that is not a
// root of another kernel is computed in place.
import { elementwise, isElementwiseOp } from '../graph/elementwise.ts';
import type { Node, NodeOf, ReduceOp } from '../graph/node.ts';
import type { Affine, Guard, Instruction, ReduceCombine } from '../kernel/ir.ts';
import { loopCount } from '../kernel/ir.ts';
import { bytesOf } from '../dtype.ts';
import { elementCount, sameShape, stridesOf } from '../shape.ts';
import { Refine, Unfusable, fixed, linear, sameAffine, unravel } from './affine.ts';
import { partLoops } from './columns.ts';
import { computedOf, isLeaf, type Root } from './roots.ts';
import type { Space } from './space.ts';
import { isMovement, operand, sourceIndex, type MovementNode } from './view.ts';

/** An instruction whose operands are other drafts and whose buffer is the node that lives in it. */
export interface Draft {
  readonly instruction: Instruction;
  readonly stage: number;
  readonly inputs: readonly Draft[];
  readonly buffer: Node | undefined;
}

/** A value at an index, before it is known in which stages it is needed. */
interface Value {
  readonly instruction: Instruction;
  readonly inputs: readonly Value[];
  readonly buffer: Node | undefined;
  /** Depends on inner loops. */
  readonly inner: boolean;
  /** First stage in which it can be computed. */
  readonly ready: number;
  readonly cost: number;
  /** Where it has been emitted; few stages. */
  readonly drafts: { readonly stage: number; readonly draft: Draft }[];
  row: { readonly index: number; readonly stage: number } | undefined;
}

interface Placed {
  readonly position: Affine;
  readonly index: readonly Affine[];
  readonly reduced: Value | undefined;
}

/** What a load gives where its guards do not hold; undefined where nobody looks at that. */
type Fill = number | undefined;

interface Known {
  readonly index: readonly Affine[];
  readonly guards: readonly Guard[];
  readonly fill: Fill;
  readonly value: Value;
}

const combines: Record<ReduceOp, ReduceCombine> = { sum: 'sum', prod: 'prod', maxReduce: 'max', minReduce: 'min' };
const largestRowBytes = 256 * 1024;
const largestKeepCost = 8;

export class Emitter {
  readonly space: Space;
  readonly drafts: Draft[] = [];
  readonly rows: Draft['instruction']['dtype'][] = [];
  /** Leaves and roots of other kernels that this kernel reads. */
  readonly reads = new Set<Node>();
  private readonly roots: ReadonlyMap<Node, Root>;
  private readonly placed = new Map<Node, Placed>();
  private readonly known = new Map<Node, Known[]>();
  /** Loads of nodes that live in memory, by their position there, whatever views they are seen through. */
  private readonly loads = new Map<Node, Known[]>();
  private readonly members = new Set<Node>();
  /** Axes that values have, those of them that are not reduced, and sizes of the first. */
  private readonly domain: { readonly all: readonly number[]; readonly outer: readonly number[]; readonly domain: readonly number[] };
  private readonly accumulator: Node | undefined;
  /** Leading loops that sums over the outer loops behind them are kept apart by. */
  private parts: number | undefined;
  /** What has been noted since the last complete root, to be taken back: lists of `known`, drafts of values, all else. */
  private readonly noted: { readonly known: Known[][]; readonly drafts: Value['drafts'][]; readonly others: (() => void)[] } = { known: [], drafts: [], others: [] };

  constructor(space: Space, roots: ReadonlyMap<Node, Root>, accumulator?: Node) {
    this.space = space;
    this.roots = roots;
    this.accumulator = accumulator;
    const all = space.axes.flatMap((axis, i) => (axis.class === 'k' ? [] : [i]));
    const outer = all.filter((i) => space.axes[i]?.class === 'outer');
    this.domain = { all, outer, domain: all.map((i) => space.axes[i]?.size ?? 1) };
  }

  /** Adds a root and a store of its value, or throws and leaves everything as it was. */
  add(root: Root, check: (emitter: Emitter) => void): void {
    const drafts = this.drafts.length;
    const rows = this.rows.length;
    this.members.add(root.node);
    try {
      if (root.kind === 'reduce') this.addReduction(root);
      else this.addElementwise(root.node);
      check(this);
    } catch (error) {
      for (const list of [...this.noted.known, ...this.noted.drafts]) list.pop();
      for (const revert of this.noted.others.reverse()) revert();
      this.drafts.length = drafts;
      this.rows.length = rows;
      this.placed.delete(root.node);
      this.members.delete(root.node);
      throw error;
    } finally {
      this.noted.known.length = this.noted.drafts.length = this.noted.others.length = 0;
    }
  }

  /** The position in `node`'s memory that the space's current point stands for. */
  private indexOf(shape: readonly number[]): Affine[] {
    const { axes, index, loops } = this.space;
    const { all, domain, outer } = this.domain;
    if (sameShape(shape, domain)) return index.slice(0, all.length);
    const chosen = elementCount(shape) === elementCount(domain) ? all : outer;
    const sizes = chosen.map((i) => axes[i]?.size ?? 1);
    if (elementCount(sizes) !== elementCount(shape)) throw new Unfusable('sizes differ');
    const position = linear(chosen.map((i) => index[i] ?? fixed(0, loops.length)), stridesOf(sizes), loops.length);
    return unravel(position, shape, loops);
  }

  private addElementwise(node: Node): void {
    const index = this.indexOf(node.shape);
    const position = linear(index, stridesOf(node.shape), this.space.loops.length);
    this.placed.set(node, { position, index, reduced: undefined });
    const value = this.resolve(node, index, [], undefined);
    const inner = this.isInner(position);
    const stage = inner ? odd(value.ready) : value.ready;
    this.store(node, position, this.emit(value, stage), stage);
  }

  private addReduction(root: Root): void {
    const node = computedOf(root) as NodeOf<ReduceOp>;
    const input = operand(node);
    const index = this.indexOf(input.shape);
    const { loops, classes } = this.space;
    const reduced = loops.map((_, loop) => index.some((part, axis) => (part.strides[loop] ?? 0) !== 0 && node.attributes.axes.includes(axis)));
    const kept = loops.map((_, loop) => index.some((part, axis) => (part.strides[loop] ?? 0) !== 0 && !node.attributes.axes.includes(axis)));
    const outIndex = index.map((part, axis) => (node.attributes.axes.includes(axis) ? fixed(0, loops.length) : part));
    const position = linear(outIndex, stridesOf(node.shape), loops.length);
    if (classes.some((axisClass, loop) => (axisClass === 'inner' ? kept[loop] : reduced[loop]))) {
      const parts = root.beside === true ? partLoops(this.space, { reduced, kept }) : undefined;
      if (parts === undefined || parts !== (this.parts ?? parts)) throw new Unfusable('reduces over other loops');
      const before = this.parts;
      this.parts = parts;
      this.noted.others.push(() => (this.parts = before));
      const value = this.resolve(input, index, [], undefined);
      const stage = classes.includes('inner') ? odd(value.ready) : value.ready;
      this.write({ op: 'accumulate', buffer: -1, index: position, input: -1, dtype: node.dtype }, this.emit(value, stage), { node: root.node, stage });
      return;
    }
    const value = this.resolve(input, index, [], undefined);
    const stage = odd(value.ready);
    const draft: Draft = {
      instruction: { op: 'reduce', combine: combines[node.op], input: -1, dtype: node.dtype },
      stage,
      inputs: [this.emit(value, stage)],
      buffer: undefined,
    };
    this.drafts.push(draft);
    const total = this.value(draft.instruction, [], { ready: stage + 1, inner: false, cost: 0 });
    total.drafts.push({ stage: stage + 1, draft });
    this.placed.set(root.node, { position, index: outIndex, reduced: total });
    this.store(root.node, position, draft, stage + 1);
  }

  /** Stores a value at every point of a space whose axes are `node`'s. */
  storeAll(node: Node, value: Value): void {
    const position = linear(this.space.index, stridesOf(node.shape), this.space.loops.length);
    this.store(node, position, this.emit(value, 0), 0);
  }

  private store(node: Node, position: Affine, input: Draft, stage: number): void {
    this.write({ op: 'store', buffer: -1, index: position, input: -1, dtype: node.dtype }, input, { node, stage });
  }

  private write(instruction: Instruction, input: Draft, { node, stage }: { node: Node; stage: number }): void {
    this.drafts.push({ instruction, stage, inputs: [input], buffer: node });
  }

  /** The value of `node` at an index, where guards must hold before memory is read. */
  resolve(node: Node, index: readonly Affine[], guards: readonly Guard[], fill: Fill): Value {
    const before = this.known.get(node) ?? [];
    for (let i = 0; i < before.length; i++) {
      const entry = before[i] as Known;
      if (entry.fill === fill && sameIndex(entry.index, index) && sameGuards(entry.guards, guards)) return entry.value;
    }
    const value = this.compute(node, index, guards, fill);
    this.remember(this.known, node, { index, guards, fill, value });
    return value;
  }

  private compute(node: Node, index: readonly Affine[], guards: readonly Guard[], fill: Fill): Value {
    const { loops } = this.space;
    if (node === this.accumulator) {
      const position = linear(index, stridesOf(node.shape), loops.length);
      const own = linear(this.space.index, stridesOf(node.shape), loops.length);
      if (!sameAffine(position, own) || guards.length > 0) throw new Unfusable('the accumulator is used elsewhere');
      return this.value({ op: 'accumulator', dtype: node.dtype }, []);
    }
    if (this.members.has(node)) {
      const place = this.placed.get(node);
      if (place === undefined) throw new Unfusable('used before it is computed');
      const position = linear(index, stridesOf(node.shape), loops.length);
      if (!sameAffine(position, place.position) || guards.length > 0) throw new Unfusable('used at another place');
      if (place.reduced !== undefined) return place.reduced;
    } else if (this.isMemory(node)) {
      return this.loadAt(node, linear(index, stridesOf(node.shape), loops.length), guards, fill);
    }
    if (isMovement(node)) return this.moved(node, index, guards, fill);
    switch (node.op) {
      case 'constant':
        return this.value({ op: 'constant', value: node.attributes.value, dtype: node.dtype }, []);
      case 'iota':
        return this.value({ op: 'index', index: index[0] ?? fixed(0, loops.length), dtype: 'int32' }, []);
      case 'randomBits':
        return this.threefry(node, index);
      case 'gather':
        return this.gather(node, index, guards, fill);
      case 'where': {
        const [condition, a, b] = node.inputs.map((input) => this.resolve(input, index, guards, undefined));
        if (condition === undefined || a === undefined || b === undefined) throw new Error('where needs three operands');
        return this.value({ op: 'where', inputs: [-1, -1, -1], dtype: node.dtype }, [condition, a, b], { cost: 1 });
      }
      case 'cast':
      case 'bitcast':
        return this.value({ op: node.op, inputs: [-1], dtype: node.dtype }, [this.resolve(operand(node), index, guards, undefined)], { cost: 1 });
      default: {
        if (!isElementwiseOp(node.op)) throw new Unfusable(`${node.op} is no expression`);
        const inputs = node.inputs.map((input) => this.resolve(input, index, guards, undefined));
        return this.value({ op: 'elementwise', name: node.op, inputs: inputs.map(() => -1), dtype: node.dtype }, inputs, { cost: elementwise[node.op].cost });
      }
    }
  }

  private moved(node: Node, index: readonly Affine[], guards: readonly Guard[], fill: Fill): Value {
    if (!isMovement(node)) throw new Error('not a movement');
    const viewed = operand(node);
    // Memory is contiguous: its reshape needs no division.
    if (node.op === 'reshape' && this.isMemory(viewed)) return this.loadAt(viewed, linear(index, stridesOf(node.shape), this.space.loops.length), guards, fill);
    try {
      return this.throughView(node, sourceIndex(node, index, this.space.loops), guards, fill);
    } catch (error) {
      if ((error instanceof Unfusable || error instanceof Refine) && (error.culprit === undefined || error.culprit === viewed)) error.culprit = node;
      throw error;
    }
  }

  private throughView(node: MovementNode, source: ReturnType<typeof sourceIndex>, guards: readonly Guard[], fill: Fill): Value {
    const viewed = operand(node);
    if (node.op !== 'pad') return this.resolve(viewed, source.index, guards, fill);
    const all = [...guards, ...source.guards];
    if (this.readsDirectly(node)) return this.resolve(viewed, source.index, all, node.attributes.value);
    const value = this.resolve(viewed, source.index, all, undefined);
    if (source.guards.length === 0) return value;
    const inside = this.value({ op: 'inside', guards: source.guards, dtype: 'bool' }, []);
    const outside = this.value({ op: 'constant', value: node.attributes.value, dtype: node.dtype }, []);
    return this.value({ op: 'where', inputs: [-1, -1, -1], dtype: node.dtype }, [inside, value, outside], { cost: 1 });
  }

  /** A pad of memory, perhaps through views and pads of the same value: the load itself can fill. */
  private readsDirectly(pad: NodeOf<'pad'>): boolean {
    let node = operand(pad);
    while (isMovement(node) && !this.roots.has(node)) {
      if (node.op === 'pad' && node.attributes.value !== pad.attributes.value) return false;
      node = operand(node);
    }
    return this.isMemory(node);
  }

  /** Leaves and the roots of other kernels. */
  private isMemory(node: Node): boolean {
    return isLeaf(node) || (this.roots.has(node) && !this.members.has(node));
  }

  private noteRead(node: Node): void {
    if (this.reads.has(node)) return;
    this.reads.add(node);
    this.noted.others.push(() => this.reads.delete(node));
  }

  private loadAt(node: Node, position: Affine, all: readonly Guard[], allFill: Fill): Value {
    const guards = allFill === undefined ? all.filter((guard) => protects(guard, position)) : all;
    const fill = guards.length > 0 ? allFill : undefined;
    const known = this.loads.get(node)?.find((entry) => entry.fill === fill && sameIndex(entry.index, [position]) && sameGuards(entry.guards, guards));
    if (known !== undefined) return known.value;
    this.noteRead(node);
    const value = this.value({ op: 'load', buffer: -1, index: position, guards, fill: fill ?? 0, dtype: node.dtype }, [], { buffer: node });
    this.remember(this.loads, node, { index: [position], guards, fill, value });
    return value;
  }

  private remember(values: Map<Node, Known[]>, node: Node, entry: Known): void {
    const list = values.get(node) ?? [];
    if (list.length === 0) values.set(node, list);
    list.push(entry);
    this.noted.known.push(list);
  }

  private gather(node: NodeOf<'gather'>, index: readonly Affine[], guards: readonly Guard[], fill: Fill): Value {
    const [x, at] = node.inputs;
    if (x === undefined || at === undefined) throw new Error('gather needs two operands');
    if (this.members.has(x)) throw new Unfusable('gathers from its own kernel');
    this.noteRead(x);
    const { axis } = node.attributes;
    const loops = this.space.loops.length;
    const strides = stridesOf(x.shape);
    const base = linear(index.map((part, i) => (i === axis ? fixed(0, loops) : part)), strides, loops);
    const where = this.resolve(at, index, guards, undefined);
    return this.value(
      { op: 'gather', buffer: -1, index: base, at: -1, stride: strides[axis] ?? 1, size: x.shape[axis] ?? 0, guards, fill: fill ?? 0, dtype: node.dtype },
      [where],
      { buffer: x, cost: 4 },
    );
  }

  private threefry(node: NodeOf<'randomBits'>, index: readonly Affine[]): Value {
    const loops = this.space.loops.length;
    const [key, counter] = node.inputs;
    if (key === undefined || counter === undefined) throw new Error('randomBits needs a key and a counter');
    const words = [0, 1].map((word) => this.resolve(key, [fixed(word, loops)], [], undefined));
    const element: Affine = linear(index, stridesOf(node.shape), loops);
    const block = this.value({ op: 'index', index: element, dtype: 'int32' }, []);
    const draw = this.resolve(counter, [], [], undefined);
    return this.value({ op: 'threefry', inputs: [-1, -1, -1, -1], dtype: 'int32' }, [...words, block, draw], { cost: 100 });
  }

  private value(
    instruction: Instruction,
    inputs: readonly Value[],
    options: { buffer?: Node; cost?: number; inner?: boolean; ready?: number } = {},
  ): Value {
    const inner = options.inner ?? (inputs.some((input) => input.inner) || this.instructionIsInner(instruction));
    const latest = options.ready ?? inputs.reduce((most, input) => Math.max(most, input.ready), 0);
    const ready = inner ? odd(latest) : latest;
    const cost = inputs.reduce((sum, input) => sum + input.cost, options.cost ?? 0);
    return { instruction, inputs, buffer: options.buffer, inner, ready, cost, drafts: [], row: undefined };
  }

  private instructionIsInner(instruction: Instruction): boolean {
    const guards = 'guards' in instruction ? instruction.guards : [];
    return ('index' in instruction && this.isInner(instruction.index)) || guards.some((guard) => this.isInner(guard.index));
  }

  private isInner({ strides }: Affine): boolean {
    const { classes } = this.space;
    // Inner loops come last.
    for (let i = strides.length - 1; i >= 0 && classes[i] === 'inner'; i--) if (strides[i] !== 0) return true;
    return false;
  }

  /** The draft of a value in a stage (an outer value's own, if it is earlier). */
  emit(value: Value, wanted: number): Draft {
    const stage = value.inner ? wanted : value.ready;
    const done = value.drafts.find((entry) => entry.stage === stage);
    if (done !== undefined) return done.draft;
    const draft = this.recall(value, stage) ?? {
      instruction: value.instruction,
      stage,
      inputs: value.inputs.map((input) => this.emit(input, stage)),
      buffer: value.buffer,
    };
    this.drafts.push(draft);
    value.drafts.push({ stage, draft });
    this.noted.drafts.push(value.drafts);
    return draft;
  }

  /** An expensive inner value of an earlier stage is kept in a row of scratch instead of computed again. */
  private recall(value: Value, stage: number): Draft | undefined {
    if (!value.inner || value.cost <= largestKeepCost) return undefined;
    // A stage can only recall what an earlier one kept; roots may ask for their stages in any order.
    const first = value.drafts.find((entry) => entry.stage < stage);
    if (first === undefined || (value.row !== undefined && value.row.stage > stage)) return undefined;
    const { dtype } = value.instruction;
    const innerLoops = this.space.loops.filter((_, i) => this.space.classes[i] === 'inner');
    if (loopCount(innerLoops) * bytesOf(dtype) > largestRowBytes) return undefined;
    if (value.row === undefined) {
      const { stage: firstStage, draft } = first;
      value.row = { index: this.rows.length, stage: firstStage };
      this.rows.push(dtype);
      this.noted.others.push(() => (value.row = undefined));
      this.drafts.push({ instruction: { op: 'keep', row: value.row.index, input: -1, dtype }, stage: firstStage, inputs: [draft], buffer: undefined });
    }
    return { instruction: { op: 'recall', row: value.row.index, dtype }, stage, inputs: [], buffer: undefined };
  }

  /** Adds a scatter root: its kernel only accumulates; the buffer is initialised by a kernel before it. */
  addScatter(node: NodeOf<'scatterAdd'>): void {
    const [, at, source] = node.inputs;
    if (at === undefined || source === undefined) throw new Error('scatterAdd needs three operands');
    const { axis } = node.attributes;
    const loops = this.space.loops.length;
    const strides = stridesOf(node.shape);
    const index = [...this.space.index];
    const base = linear(index.map((part, i) => (i === axis ? fixed(0, loops) : part)), strides, loops);
    const inputs = [this.resolve(at, index, [], undefined), this.resolve(source, index, [], undefined)].map((value) => this.emit(value, odd(value.ready)));
    this.drafts.push({
      instruction: { op: 'scatter', buffer: -1, index: base, at: -1, stride: strides[axis] ?? 1, size: node.shape[axis] ?? 0, input: -1, dtype: node.dtype },
      stage: 1,
      inputs,
      buffer: node,
    });
  }
}

/** Whether an address needs a guard. One that stands still along the guard's loops is the same where that does not hold. */
function protects({ index }: Guard, position: Affine): boolean {
  const moves = index.strides.some((stride) => stride !== 0);
  return !moves || index.strides.some((stride, loop) => stride !== 0 && position.strides[loop] !== 0);
}

function odd(stage: number): number {
  return stage % 2 === 0 ? stage + 1 : stage;
}

function sameIndex(a: readonly Affine[], b: readonly Affine[]): boolean {
  for (let i = 0; i < a.length; i++) {
    const [part, other] = [a[i] as Affine, b[i]];
    if (part !== other && (other === undefined || !sameAffine(part, other))) return false;
  }
  return true;
}

function sameGuards(a: readonly Guard[], b: readonly Guard[]): boolean {
  return a.length === b.length && a.every((guard, i) => guard.size === b[i]?.size && sameAffine(guard.index, b[i].index));
}
