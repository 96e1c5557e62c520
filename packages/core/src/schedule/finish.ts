// From drafts to a kernel: dead code goes, loops are ordered and merged, operands get numbers.
import type { Node } from '../graph/node.ts';
import type { Affine, BufferParameter, ContractKernel, Guard, Instruction, LoopKernel } from '../kernel/ir.ts';
import type { Group } from './cluster.ts';
import { contractionOf } from './contract.ts';
import type { Draft } from './emit.ts';

/** A kernel's buffer argument: the node whose memory it is, and the element that indices count from. */
export interface Argument {
  readonly node: Node;
  readonly offset: number;
}

export interface Finished<K> {
  readonly kernel: K;
  readonly arguments: readonly Argument[];
}

/** Rewrites every affine index of an instruction. */
function mapAffines(instruction: Instruction, map: (affine: Affine) => Affine): Instruction {
  const guards = (list: readonly Guard[]): Guard[] => list.map((guard) => ({ index: map(guard.index), size: guard.size }));
  switch (instruction.op) {
    case 'load':
    case 'gather':
      return { ...instruction, index: map(instruction.index), guards: guards(instruction.guards) };
    case 'inside':
      return { ...instruction, guards: guards(instruction.guards) };
    case 'index':
    case 'store':
    case 'accumulate':
    case 'scatter':
      return { ...instruction, index: map(instruction.index) };
    default:
      return instruction;
  }
}

function affinesOf(instruction: Instruction): Affine[] {
  const all = 'index' in instruction ? [instruction.index] : [];
  if ('guards' in instruction) for (const guard of instruction.guards) all.push(guard.index);
  return all;
}

/** Drafts that stores of `wanted` nodes need, in order of stage; stores last in each stage. */
function liveDrafts(drafts: readonly Draft[], wanted: ReadonlySet<Node>): Draft[] {
  const live = new Set<Draft>();
  const stack = drafts.filter(({ instruction, buffer }) => isStore(instruction) && buffer !== undefined && wanted.has(buffer));
  const rows = new Set<number>();
  for (;;) {
    const draft = stack.pop();
    if (draft === undefined) {
      const keeps = drafts.filter(({ instruction }) => instruction.op === 'keep' && rows.has(instruction.row));
      const missing = keeps.filter((keep) => !live.has(keep));
      if (missing.length === 0) break;
      stack.push(...missing);
      continue;
    }
    if (live.has(draft)) continue;
    live.add(draft);
    if (draft.instruction.op === 'recall') rows.add(draft.instruction.row);
    stack.push(...draft.inputs);
  }
  const late = (draft: Draft): number => (isStore(draft.instruction) ? 1 : 0);
  return drafts
    .filter((draft) => live.has(draft))
    .sort((x, y) => x.stage - y.stage || late(x) - late(y));
}

function isStore(instruction: Instruction): boolean {
  return instruction.op === 'store' || instruction.op === 'accumulate' || instruction.op === 'scatter';
}

/** New loops as lists of old ones: `groups[j]` are the old loops, outermost first, that new loop j runs through. */
function mergeLoops(order: readonly number[], sizes: readonly number[], classes: readonly string[], affines: readonly Affine[]): number[][] {
  const groups: number[][] = [];
  for (const loop of order) {
    const last = groups.at(-1);
    const before = last?.at(-1);
    const size = sizes[loop] ?? 1;
    const merges =
      last !== undefined &&
      before !== undefined &&
      classes[before] === classes[loop] &&
      affines.every((affine) => affine.strides[before] === (affine.strides[loop] ?? 0) * size);
    if (merges) last.push(loop);
    else groups.push([loop]);
  }
  return groups;
}

function regroup(affine: Affine, groups: readonly (readonly number[])[]): Affine {
  return { offset: affine.offset, strides: groups.map((group) => affine.strides[group.at(-1) ?? 0] ?? 0) };
}

function sizesOf(groups: readonly (readonly number[])[], sizes: readonly number[]): number[] {
  return groups.map((group) => group.reduce((product, loop) => product * (sizes[loop] ?? 1), 1));
}

/** Numbers operands and buffers; indices become relative to each argument's offset. */
class Numbering {
  readonly instructions: Instruction[] = [];
  readonly buffers: { node: Node; offset: number; access: BufferParameter['access']; dtype: BufferParameter['dtype'] }[] = [];
  private readonly numbers = new Map<Draft, number>();

  /** Position of the argument for a node's memory; its first index is where the argument starts. */
  buffer(node: Node, index: Affine, access: 'read' | 'write' | 'readwrite', dtype: BufferParameter['dtype']): { buffer: number; index: Affine } {
    let number = this.buffers.findIndex((known) => known.node === node);
    if (number < 0) {
      number = this.buffers.length;
      this.buffers.push({ node, offset: index.offset, access, dtype });
    }
    const entry = this.buffers[number];
    if (entry === undefined) throw new Error('no such buffer');
    if (entry.access !== access) entry.access = 'readwrite';
    return { buffer: number, index: { offset: index.offset - entry.offset, strides: index.strides } };
  }

  add(draft: Draft, map: (affine: Affine) => Affine): void {
    const moved = mapAffines(draft.instruction, map);
    const values = draft.inputs.map((input) => this.numbers.get(input) ?? -1);
    this.numbers.set(draft, this.instructions.length);
    this.instructions.push(this.link(moved, values, draft.buffer));
  }

  private link(instruction: Instruction, values: readonly number[], node: Node | undefined): Instruction {
    const value = (i: number): number => values[i] ?? -1;
    switch (instruction.op) {
      case 'load':
        return node === undefined ? instruction : { ...instruction, ...this.buffer(node, instruction.index, 'read', instruction.dtype) };
      case 'gather':
        return node === undefined ? instruction : { ...instruction, ...this.buffer(node, instruction.index, 'read', instruction.dtype), at: value(0) };
      case 'store':
      case 'accumulate':
        return node === undefined ? instruction : { ...instruction, ...this.buffer(node, instruction.index, 'write', instruction.dtype), input: value(0) };
      case 'scatter':
        return node === undefined ? instruction : { ...instruction, ...this.buffer(node, instruction.index, 'readwrite', instruction.dtype), at: value(0), input: value(1) };
      case 'elementwise':
        return { ...instruction, inputs: [...values] };
      case 'where':
        return { ...instruction, inputs: [value(0), value(1), value(2)] };
      case 'cast':
      case 'bitcast':
        return { ...instruction, inputs: [value(0)] };
      case 'threefry':
        return { ...instruction, inputs: [value(0), value(1), value(2), value(3)] };
      case 'reduce':
      case 'keep':
        return { ...instruction, input: value(0) };
      default:
        return instruction;
    }
  }

  parameters(): BufferParameter[] {
    return this.buffers.map(({ dtype, access }) => ({ dtype, access }));
  }

  arguments(): Argument[] {
    return this.buffers.map(({ node, offset }) => ({ node, offset }));
  }
}

function nameOf(group: Group): string {
  const ops = group.roots.map(({ node, kind }) => (kind === 'contract' ? contractionOf(node)?.node.op : node.op) ?? node.op);
  const shown = [...new Set(ops)].slice(0, 4).join('+');
  const module = group.roots.at(-1)?.node.module ?? '';
  return module === '' ? shown : `${module}:${shown}`;
}

/**
 * The loop that consecutive memory runs along: the one with most unit strides where most of the work is; stores count
 * double. Where there are reductions, it decides the order of their sums. So only what they read counts then, and of that
 * what no loop repeats: what else the kernel does depends on its neighbours, and these on the size of the batch.
 */
function bestVectorLoop(live: readonly Draft[], sizes: readonly number[]): number {
  // Sums over outer loops are those of whole vectors, along the loops behind.
  const summed = live.map(({ instruction }) => (instruction.op === 'accumulate' ? instruction.index.strides.findLastIndex((stride, loop) => stride === 0 && (sizes[loop] ?? 1) > 1) : -1));
  const first = Math.max(-1, ...summed);
  const innermost = live.some((draft) => draft.stage % 2 === 1) ? 1 : 0;
  const scores = new Array<number>(sizes.length).fill(0);
  for (const { instruction } of decisive(live, innermost)) {
    if (instruction.op !== 'load' && instruction.op !== 'store') continue;
    instruction.index.strides.forEach((stride, loop) => {
      if (loop <= first) return;
      // A loop of a few positions is a poor vector, however well it lies in memory; every second element is better.
      const fullness = Math.min(1, (sizes[loop] ?? 1) / 8);
      const distance = Math.abs(stride);
      // One value for the whole vector costs no lane by lane access either.
      const closeness = distance === 1 ? 1 : distance <= 4 ? 0.5 : 0;
      scores[loop] = (scores[loop] ?? 0) + closeness * fullness * (instruction.op === 'store' ? 2 : 1);
    });
  }
  const best = Math.max(0, ...scores);
  return best === 0 ? -1 : scores.lastIndexOf(best);
}

/** The accesses that choose the vector loop. */
function decisive(live: readonly Draft[], innermost: number): readonly Draft[] {
  const reductions = live.filter(({ instruction }) => instruction.op === 'reduce');
  const all = live.filter((draft) => draft.stage % 2 === innermost);
  if (reductions.length === 0) return all;
  const needed = new Set<Draft>();
  const stack = [...reductions];
  for (let draft = stack.pop(); draft !== undefined; draft = stack.pop()) {
    if (needed.has(draft)) continue;
    needed.add(draft);
    stack.push(...draft.inputs);
    const { instruction } = draft;
    if (instruction.op === 'recall') stack.push(...live.filter((other) => other.instruction.op === 'keep' && other.instruction.row === instruction.row));
  }
  const loads = all.filter((draft) => draft.instruction.op === 'load' && needed.has(draft));
  const whole = loads.filter(({ instruction }) => instruction.op === 'load' && instruction.index.strides.every((stride) => stride !== 0));
  return whole.length > 0 ? whole : loads;
}

export function finishLoop(group: Group, wanted: ReadonlySet<Node>): Finished<LoopKernel> {
  const { space, drafts, rows } = group.emitter;
  const live = liveDrafts(drafts, wanted);
  const scatters = group.kind === 'scatter';
  const best = scatters ? -1 : bestVectorLoop(live, space.loops);
  const order = space.loops.map((_, i) => i);
  if (best >= 0) {
    // The vector loop goes to the end of its class.
    order.sort((x, y) => Number(space.classes[x] === 'inner') - Number(space.classes[y] === 'inner') || Number(x === best) - Number(y === best) || x - y);
  }
  const affines = live.flatMap((draft) => affinesOf(draft.instruction));
  const groups = scatters ? order.map((loop) => [loop]) : mergeLoops(order, space.loops, space.classes, affines);
  const isInner = (members: readonly number[]): boolean => space.classes[members[0] ?? 0] === 'inner';
  const outer = groups.filter((members) => !isInner(members)).length;
  const numbering = new Numbering();
  for (const draft of live) numbering.add(draft, (affine) => regroup(affine, groups));
  const last = groups.length - 1;
  const bestIsOuter = best >= 0 && space.classes[best] !== 'inner';
  const vector = scatters ? -1 : bestIsOuter ? outer - 1 : outer <= last ? last : outer - 1;
  return {
    kernel: {
      kind: 'loop',
      name: nameOf(group),
      loops: sizesOf(groups, space.loops),
      outer,
      vector,
      buffers: numbering.parameters(),
      instructions: numbering.instructions,
      stages: live.map((draft) => draft.stage),
      rows: [...rows],
      scatters,
    },
    arguments: numbering.arguments(),
  };
}

/** Fewer neighbours than this are no vector. */
const shortRun = 4;

/** The loop of a contraction that stores run along: every other element of long runs, if the closest ones are few. */
function fastestLoop(live: readonly Draft[], { loops, classes }: Group['emitter']['space']): number {
  const stores = live.flatMap(({ instruction }) => (instruction.op === 'store' ? [instruction.index.strides] : []));
  const fastest = loops.findIndex((_, i) => stores.some((strides) => strides[i] === 1));
  const size = loops[fastest] ?? 1;
  // A side that has no other loop keeps its vectors: they hold all of its columns.
  const alone = !classes.some((side, i) => i !== fastest && side === classes[fastest]);
  if (size >= shortRun || alone) return fastest;
  const next = loops.findIndex((count, i) => count >= shortRun && stores.some((strides) => strides[i] === size));
  return next < 0 ? fastest : next;
}

export function finishContract(group: Group, wanted: ReadonlySet<Node>): Finished<ContractKernel> {
  const { operands } = group;
  const [root] = group.roots;
  const contraction = root === undefined ? undefined : contractionOf(root.node)?.node;
  if (operands === undefined || contraction === undefined) throw new Error('not a contraction');
  const { space, drafts } = group.emitter;
  const live = liveDrafts(drafts, wanted);
  // The side that lies closest in memory is the vector side, n: a contraction without n becomes one without m.
  const swap = space.classes[fastestLoop(live, space)] === 'm';
  const classes = space.classes.map((axisClass) => (swap && axisClass === 'm' ? 'n' : swap && axisClass === 'n' ? 'm' : axisClass));
  const [a, b] = swap ? [operands.b, operands.a] : [operands.a, operands.b];
  const affines = [a.position, b.position, ...live.flatMap((draft) => affinesOf(draft.instruction))];
  const order = ['batch', 'm', 'n', 'k'].flatMap((wantedClass) => classes.flatMap((axisClass, i) => (axisClass === wantedClass ? [i] : [])));
  const groups = mergeLoops(order, space.loops, classes, affines);
  const list = (wantedClass: string): number[] => sizesOf(groups.filter((members) => classes[members[0] ?? 0] === wantedClass), space.loops);
  const numbering = new Numbering();
  const dtype = inputDtype(contraction);
  const position = ({ base, position: index }: NonNullable<Group['operands']>['a']): { buffer: number; index: Affine } =>
    numbering.buffer(base, regroup(index, groups), 'read', dtype);
  const operandA = position(a);
  const operandB = position(b);
  for (const draft of live) numbering.add(draft, (affine) => regroup(affine, groups));
  return {
    kernel: {
      kind: 'contract',
      name: nameOf(group),
      combine: contraction.attributes.combine,
      batch: list('batch'),
      m: list('m'),
      n: list('n'),
      k: list('k'),
      buffers: numbering.parameters(),
      a: operandA,
      b: operandB,
      dtype,
      accumulator: contraction.dtype,
      epilogue: numbering.instructions,
    },
    arguments: numbering.arguments(),
  };
}

function inputDtype(node: Node): BufferParameter['dtype'] {
  return node.inputs[0]?.dtype ?? node.dtype;
}
