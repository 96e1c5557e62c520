// The oracle: computes a graph node by node in float64, from the definitions of docs/OPS.md. It is not meant to be
// fast. float32 nodes are not rounded (but where bits matter: bitcast, constants); integers wrap.
import type { CanonicalGraph } from '../backend/backend.ts';
import { arrayOf, castNumber, wrapInteger } from '../dtype.ts';
import { InternalError } from '../errors.ts';
import type { ElementwiseOp } from '../graph/elementwise.ts';
import { evaluator } from '../graph/evaluate.ts';
import type { Node, NodeOf, ReduceOp } from '../graph/node.ts';
import type { RoutineKernel, RoutineOp } from '../kernel/ir.ts';
import { runRoutine } from '../kernel/routines.ts';
import { threefry2x32 } from '../random/threefry.ts';
import { elementCount, stridesOf } from '../shape.ts';
import { convValues, dotValues } from './contract.ts';
import { offsets, pick } from './offsets.ts';

/** What a graph computes, in the order of its outputs and then of its assignments. */
export interface Interpretation {
  readonly outputs: readonly Float64Array[];
  readonly assignments: readonly Float64Array[];
  /** A gather or scatter index was out of range. */
  readonly outOfRange: boolean;
}

/** Computes a graph; `inputs` and `variables` are in its order. */
export function interpretAll(
  graph: CanonicalGraph,
  inputs: readonly ArrayLike<number>[],
  variables: readonly ArrayLike<number>[],
): Interpretation {
  const state: State = { outOfRange: false };
  const values = new Map<Node, Float64Array>();
  graph.inputs.forEach((node, i) => values.set(node, bound(inputs[i], 'input', i)));
  const lastUse = new Map<Node, number>();
  graph.nodes.forEach((node, i) => node.inputs.forEach((input) => lastUse.set(input, i)));
  for (const node of graph.outputs) lastUse.set(node, Infinity);
  for (const { value } of graph.assignments) lastUse.set(value, Infinity);
  graph.nodes.forEach((node, i) => {
    if (node.op === 'data') return;
    if (node.op === 'read') {
      const slot = graph.variables.indexOf(node.attributes.variable);
      values.set(node, bound(variables[slot], 'variable', slot));
      return;
    }
    values.set(node, compute(node, node.inputs.map((input) => valueOf(values, input)), state));
    for (const input of node.inputs) if (lastUse.get(input) === i) values.delete(input);
  });
  return {
    outputs: graph.outputs.map((node) => valueOf(values, node)),
    assignments: graph.assignments.map(({ value }) => valueOf(values, value)),
    outOfRange: state.outOfRange,
  };
}

/** The outputs of a graph in float64, whatever their dtypes. */
export function interpret(
  graph: CanonicalGraph,
  inputs: readonly ArrayLike<number>[],
  variables: readonly ArrayLike<number>[] = [],
): Float64Array[] {
  return [...interpretAll(graph, inputs, variables).outputs];
}

function bound(values: ArrayLike<number> | undefined, what: string, position: number): Float64Array {
  if (values === undefined) throw new InternalError(`${what} ${position} is not bound`);
  return Float64Array.from(values);
}

interface State {
  outOfRange: boolean;
}

function valueOf(values: ReadonlyMap<Node, Float64Array>, node: Node): Float64Array {
  const value = values.get(node);
  if (value === undefined) throw new InternalError(`${node.op} is used before it is computed`);
  return value;
}

const none = new Float64Array(0);

function compute(node: Node, inputs: readonly Float64Array[], state: State): Float64Array {
  const [x = none, y = none, z = none] = inputs;
  const shape = node.inputs[0]?.shape ?? [];
  const strides = stridesOf(shape);
  switch (node.op) {
    case 'data':
    case 'read':
      throw new InternalError(`${node.op} has no value`);
    case 'constant':
      return Float64Array.of(node.attributes.value);
    case 'iota':
      return Float64Array.from({ length: node.attributes.size }, (_, i) => i);
    case 'randomBits':
      return randomWords(elementCount(node.shape), x, y);
    case 'where':
      return x.map((condition, i) => (condition !== 0 ? y : z)[i] ?? 0);
    case 'cast':
      return node.dtype === 'float32' ? x : x.map((value) => castNumber(value, node.dtype));
    case 'bitcast':
      return bitcast(node, x);
    case 'sum':
    case 'prod':
    case 'maxReduce':
    case 'minReduce':
      return reduce(node, x);
    case 'reshape':
      return x;
    case 'permute':
      return pick(x, offsets(node.shape, node.attributes.order.map((axis) => strides[axis] ?? 0)));
    case 'expand':
      return pick(x, offsets(node.shape, strides.map((stride, axis) => (shape[axis] === 1 ? 0 : stride))));
    case 'pad': {
      const out = new Float64Array(elementCount(node.shape)).fill(node.attributes.value);
      const outStrides = stridesOf(node.shape);
      const start = outStrides.reduce((sum, stride, axis) => sum + stride * (node.attributes.padding[axis]?.[0] ?? 0), 0);
      offsets(shape, outStrides, start).forEach((to, from) => (out[to] = x[from] ?? 0));
      return out;
    }
    case 'slice': {
      const { start, step } = node.attributes;
      const first = strides.reduce((sum, stride, axis) => sum + stride * (start[axis] ?? 0), 0);
      return pick(x, offsets(node.shape, strides.map((stride, axis) => stride * (step[axis] ?? 1)), first));
    }
    case 'flip': {
      const { axes } = node.attributes;
      const first = axes.reduce((sum, axis) => sum + (strides[axis] ?? 0) * ((shape[axis] ?? 1) - 1), 0);
      return pick(x, offsets(node.shape, strides.map((stride, axis) => (axes.includes(axis) ? -stride : stride)), first));
    }
    case 'window': {
      const { axis, stride, dilation } = node.attributes;
      const step = strides[axis] ?? 1;
      return pick(x, offsets(node.shape, [...strides.map((old, i) => (i === axis ? old * stride : old)), step * dilation]));
    }
    case 'gather':
      return pick(x, indexed(node.inputs[0]?.shape ?? [], node.inputs[1]?.shape ?? [], node.attributes.axis, y, { state, clamp: true }));
    case 'scatterAdd': {
      const out = x.slice();
      const targets = indexed(node.shape, node.inputs[1]?.shape ?? [], node.attributes.axis, y, { state, clamp: false });
      targets.forEach((to, from) => {
        if (to >= 0) out[to] = wrapInteger((out[to] ?? 0) + (z[from] ?? 0), node.dtype);
      });
      return out;
    }
    case 'dot':
      return dotValues(node, x, y);
    case 'conv':
      return convValues(node, x, y);
    case 'sort':
    case 'cumulative':
    case 'eigh':
    case 'cholesky':
    case 'triangularSolve':
    case 'allReduce':
      return routine(node, inputs);
    default:
      return elementwise(node, x, y);
  }
}

function elementwise(node: NodeOf<ElementwiseOp>, x: Float64Array, y: Float64Array): Float64Array {
  const evaluate = evaluator(node.op, node.inputs[0]?.dtype ?? node.dtype);
  const out = new Float64Array(x.length);
  for (let i = 0; i < out.length; i++) out[i] = evaluate(x[i] ?? 0, y[i] ?? 0);
  return out;
}

function reduce(node: NodeOf<ReduceOp>, x: Float64Array): Float64Array {
  const shape = node.inputs[0]?.shape ?? [];
  const [identity, op] = ({ sum: [0, 'add'], prod: [1, 'mul'], maxReduce: [-Infinity, 'max'], minReduce: [Infinity, 'min'] } as const)[node.op];
  const combine = evaluator(op, node.dtype);
  const out = new Float64Array(elementCount(node.shape)).fill(identity);
  const strides = stridesOf(node.shape).map((stride, axis) => (node.attributes.axes.includes(axis) ? 0 : stride));
  offsets(shape, strides).forEach((to, from) => (out[to] = combine(out[to] ?? 0, x[from] ?? 0)));
  return out;
}

/** Offsets into a tensor of `shape` whose index along `axis` is data; −1 where it is out of range and not clamped. */
function indexed(
  shape: readonly number[],
  indexShape: readonly number[],
  axis: number,
  index: Float64Array,
  options: { readonly state: State; readonly clamp: boolean },
): Int32Array {
  const strides = stridesOf(shape);
  const [size, stride] = [shape[axis] ?? 0, strides[axis] ?? 1];
  return offsets(indexShape, strides.map((old, i) => (i === axis ? 0 : old))).map((base, i) => {
    const at = index[i] ?? 0;
    if (at >= 0 && at < size) return base + at * stride;
    options.state.outOfRange = true;
    return options.clamp ? base + Math.max(0, Math.min(size - 1, at)) * stride : -1;
  });
}

function bitcast(node: NodeOf<'bitcast'>, x: Float64Array): Float64Array {
  const from = arrayOf(node.inputs[0]?.dtype ?? node.dtype, x.length);
  from.set(x);
  const to = arrayOf(node.dtype, x.length);
  new Uint8Array(to.buffer).set(new Uint8Array(from.buffer));
  return Float64Array.from(to);
}

function randomWords(length: number, key: Float64Array, counter: Float64Array): Float64Array {
  const block = new Uint32Array(2);
  return new Float64Array(length).map((_, i) => {
    threefry2x32(key[0] ?? 0, key[1] ?? 0, i, counter[0] ?? 0, block);
    return (block[0] ?? 0) | 0;
  });
}

function routine(node: NodeOf<RoutineOp>, inputs: readonly Float64Array[]): Float64Array {
  const out = new Float64Array(elementCount(node.shape));
  const kernel = {
    kind: 'routine',
    name: node.op,
    routine: node.op,
    attributes: node.attributes,
    shapes: node.inputs.map((input) => input.shape),
    buffers: [...node.inputs, node].map((buffer, i) => ({ dtype: buffer.dtype, access: i < node.inputs.length ? 'read' : 'write' })),
  } as RoutineKernel;
  runRoutine(kernel, inputs, out);
  return out;
}
