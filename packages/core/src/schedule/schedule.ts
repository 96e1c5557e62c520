// From a graph to a program: prepare, choose roots, group them into kernels, order, plan memory.
import type { BackendLimits, CanonicalGraph } from '../backend/backend.ts';
import { InternalError } from '../errors.ts';
import type { Node } from '../graph/node.ts';
import type { Kernel, Program, ProgramBuffer, RoutineKernel } from '../kernel/ir.ts';
import { kernelKey } from '../kernel/ir.ts';
import { elementCount } from '../shape.ts';
import { bytesOf } from '../dtype.ts';
import { cluster, type Group } from './cluster.ts';
import { Emitter } from './emit.ts';
import { finishContract, finishLoop, type Argument, type Finished } from './finish.ts';
import { planArena, placeBarriers, type ArenaBuffer } from './memory.ts';
import { orderGroups } from './order.ts';
import { prepare, type PreparedGraph } from './prepare.ts';
import { findRoots, type Root } from './roots.ts';
import { makeAxis, makeSpace, withRefinement } from './space.ts';

export interface ScheduleOptions {
  /** Computes every operation by itself; for tests. */
  readonly fuse?: boolean;
}

/** The program of a graph: kernels, commands in order, and the memory plan. */
export function schedule(graph: CanonicalGraph, limits: BackendLimits, options: ScheduleOptions = {}): Program {
  const prepared = prepare(graph);
  const fuse = options.fuse ?? true;
  const roots = findRoots(prepared, { fuse });
  const groups = cluster(roots, { limits, fuse });
  const ordered = orderGroups(groups, prepared.assignments, prepared.nodes);
  const wanted = wantedNodes(prepared, groups);
  const steps = ordered.flatMap((item) => stepsOf(item, wanted, roots));
  return assemble(graph, prepared, steps);
}

/** Values that must lie in memory: results, and what another kernel reads. */
function wantedNodes(prepared: PreparedGraph, groups: readonly Group[]): Set<Node> {
  const wanted = new Set<Node>([...prepared.outputs, ...prepared.assignments.map(({ value }) => value)]);
  for (const item of groups) for (const node of item.emitter.reads) wanted.add(node);
  return wanted;
}

type Step = Finished<Kernel>;

function stepsOf(item: Group, wanted: ReadonlySet<Node>, roots: ReadonlyMap<Node, Root>): Step[] {
  const [root] = item.roots;
  if (root === undefined) throw new InternalError('a group without roots');
  switch (item.kind) {
    case 'loop':
      return [finishLoop(item, wanted)];
    case 'contract':
      return [finishContract(item, wanted)];
    case 'scatter':
      return [initialise(item, root.node, roots), finishLoop(item, new Set([root.node]))];
    case 'routine':
      return [routine(root.node)];
  }
}

/** Copies the base of a scatter into the buffer that will accumulate. */
function initialise(item: Group, node: Node, roots: ReadonlyMap<Node, Root>): Step {
  const base = node.inputs[0];
  if (base === undefined) throw new InternalError('scatterAdd without a base');
  return finishLoop({ ...item, kind: 'loop', emitter: emitBase(node, base, roots) }, new Set([node]));
}

function emitBase(node: Node, base: Node, roots: ReadonlyMap<Node, Root>): Emitter {
  const space = makeSpace(node.shape.map((size) => makeAxis(size, 'outer')));
  return withRefinement(space, (refined) => {
    const emitter = new Emitter(refined, roots);
    emitter.storeAll(node, emitter.resolve(base, refined.index, [], undefined));
    return emitter;
  });
}

function routine(node: Node): Step {
  const kernel = {
    kind: 'routine',
    name: node.op,
    routine: node.op,
    attributes: node.attributes,
    shapes: node.inputs.map((input) => input.shape),
    buffers: [...node.inputs.map((input) => ({ dtype: input.dtype, access: 'read' })), { dtype: node.dtype, access: 'write' }],
  } as RoutineKernel;
  return { kernel, arguments: [...node.inputs, node].map((owner) => ({ node: owner, offset: 0 })) };
}

function assemble(graph: CanonicalGraph, prepared: PreparedGraph, steps: Step[]): Program {
  const variableIndex = new Map(graph.variables.map((slot, i) => [slot.id, i]));
  const inputIndex = new Map(graph.inputs.map((node, i) => [node, i]));
  const inPlace = new Map<Node, number>();
  const copies: { value: Node; variable: number }[] = [];
  const uses = usesOf(steps);
  for (const { variable, value } of prepared.assignments) {
    const index = variableIndex.get(variable.id);
    if (index === undefined) throw new InternalError(`variable ${variable.name} is not in the graph`);
    if (mayOverwrite(steps, uses, { value, variable: variable.id })) inPlace.set(value, index);
    else copies.push({ value, variable: index });
  }

  const buffers: ProgramBuffer[] = [];
  const numbers = new Map<Node, number>();
  const variableNumbers = new Map<number, number>();
  const arena: (ArenaBuffer & { buffer: number })[] = [];
  const arenaEntry = new Map<number, ArenaBuffer>();
  const outputs = new Map(prepared.outputs.map((node, i) => [node, i]));
  const addBuffer = (node: Node, buffer: ProgramBuffer): number => {
    numbers.set(node, buffers.length);
    return buffers.push(buffer) - 1;
  };
  const variableBuffer = (index: number): number => {
    const known = variableNumbers.get(index);
    const slot = graph.variables[index];
    if (known !== undefined || slot === undefined) return known ?? 0;
    variableNumbers.set(index, buffers.length);
    return buffers.push({ dtype: slot.dtype, elements: elementCount(slot.shape), place: { kind: 'variable', index } }) - 1;
  };
  const bufferOf = (node: Node, command: number): number => {
    const overwritten = inPlace.get(node);
    if (overwritten !== undefined) return variableBuffer(overwritten);
    if (node.op === 'read') return variableBuffer(variableIndex.get(node.attributes.variable.id) ?? 0);
    const known = numbers.get(node);
    if (known !== undefined) {
      const entry = arenaEntry.get(known);
      if (entry !== undefined) entry.last = command;
      return known;
    }
    const shape = { dtype: node.dtype, elements: elementCount(node.shape) };
    const input = inputIndex.get(node);
    if (input !== undefined) return addBuffer(node, { ...shape, place: { kind: 'input', index: input } });
    const output = outputs.get(node);
    if (output !== undefined) return addBuffer(node, { ...shape, place: { kind: 'output', index: output } });
    const buffer = addBuffer(node, { ...shape, place: { kind: 'arena', offset: -1 } });
    const entry = { buffer, bytes: shape.elements * bytesOf(node.dtype), first: command, last: command };
    arena.push(entry);
    arenaEntry.set(buffer, entry);
    return buffer;
  };

  const kernels: Kernel[] = [];
  const kernelNumbers = new Map<string, number>();
  const kernelNumber = (kernel: Kernel): number => {
    const key = kernelKey(kernel);
    const known = kernelNumbers.get(key);
    if (known !== undefined) return known;
    kernelNumbers.set(key, kernels.length);
    kernels.push(kernel);
    return kernels.length - 1;
  };
  const commands = steps.map((step, i) => ({
    kernel: kernelNumber(step.kernel),
    arguments: step.arguments.map(({ node, offset }: Argument) => ({ buffer: bufferOf(node, i), offset })),
  }));
  for (const { value, variable } of copies) {
    const from = bufferOf(value, commands.length);
    commands.push({
      kernel: kernelNumber(copyKernel(value)),
      arguments: [
        { buffer: from, offset: 0 },
        { buffer: variableBuffer(variable), offset: 0 },
      ],
    });
  }

  const plan = planArena(arena);
  arena.forEach((entry, i) => {
    const buffer = buffers[entry.buffer];
    if (buffer !== undefined) buffers[entry.buffer] = { ...buffer, place: { kind: 'arena', offset: plan.offsets[i] ?? 0 } };
  });
  const describe = (node: { dtype: Node['dtype']; shape: readonly number[] }): { dtype: Node['dtype']; elements: number } => ({
    dtype: node.dtype,
    elements: elementCount(node.shape),
  });
  return {
    kernels,
    commands: placeBarriers(commands, kernels, buffers),
    buffers,
    arenaBytes: plan.bytes,
    inputs: graph.inputs.map(describe),
    variables: graph.variables.map(describe),
    outputs: prepared.outputs.map(describe),
  };
}

function copyKernel(node: Node): Kernel {
  const index = { offset: 0, strides: [1] };
  return {
    kind: 'loop',
    name: 'copy',
    loops: [elementCount(node.shape)],
    outer: 1,
    vector: 0,
    buffers: [
      { dtype: node.dtype, access: 'read' },
      { dtype: node.dtype, access: 'write' },
    ],
    instructions: [
      { op: 'load', buffer: 0, index, guards: [], fill: 0, dtype: node.dtype },
      { op: 'store', buffer: 1, index, input: 0, dtype: node.dtype },
    ],
    stages: [0, 0],
    rows: [],
    scatters: false,
  };
}

interface Uses {
  /** The step that computes each node. */
  readonly writer: ReadonlyMap<Node, number>;
  /** The last step that reads each Variable's old value, by its id. */
  readonly lastRead: ReadonlyMap<number, number>;
}

function usesOf(steps: readonly Step[]): Uses {
  const writer = new Map<Node, number>();
  const lastRead = new Map<number, number>();
  steps.forEach((step, i) => {
    for (const { node } of step.arguments) {
      if (node.op === 'read') lastRead.set(node.attributes.variable.id, i);
      else if (!writer.has(node)) writer.set(node, i);
    }
  });
  return { writer, lastRead };
}

/** Whether `value` may be written over the Variable's old value: nothing needs the old one afterwards. */
function mayOverwrite(steps: readonly Step[], uses: Uses, { value, variable }: { value: Node; variable: number }): boolean {
  const isOld = ({ node }: Argument): boolean => node.op === 'read' && node.attributes.variable.id === variable;
  const first = uses.writer.get(value);
  if (first === undefined || (uses.lastRead.get(variable) ?? -1) > first) return false;
  const step = steps[first];
  if (step === undefined) return false;
  const oldNumber = step.arguments.findIndex(isOld);
  if (oldNumber < 0) return true;
  const { kernel } = step;
  if (kernel.kind === 'routine' || (kernel.kind === 'contract' && (kernel.a.buffer === oldNumber || kernel.b.buffer === oldNumber))) return false;
  const instructions = kernel.kind === 'loop' ? kernel.instructions : kernel.epilogue;
  const stageOf = (i: number): number => (kernel.kind === 'loop' ? (kernel.stages[i] ?? 0) : 0);
  const newNumber = step.arguments.findIndex(({ node }) => node === value);
  const place = (offset: number, number: number): number => offset + (step.arguments[number]?.offset ?? 0);
  const storeAt = instructions.findIndex((instruction) => instruction.op === 'store' && instruction.buffer === newNumber);
  const store = instructions[storeAt];
  if (store?.op !== 'store') return false;
  return instructions.every((instruction, i) => {
    if (!('buffer' in instruction) || instruction.buffer !== oldNumber) return true;
    return (
      instruction.op === 'load' &&
      instruction.guards.length === 0 &&
      stageOf(i) <= stageOf(storeAt) &&
      place(instruction.index.offset, oldNumber) === place(store.index.offset, newNumber) &&
      instruction.index.strides.every((stride, loop) => stride === store.index.strides[loop])
    );
  });
}
