// The layer graph of a model: which module is called with what shapes, what it costs, and where its inputs come from.
// Nothing is allocated or computed. Summaries, folding, calibration, pruning and cost models read it.
import { traced } from '../engine/tracing.ts';
import type { Dtype } from '../dtype.ts';
import { UserError } from '../errors.ts';
import { data } from '../graph/build.ts';
import { multiplyAccumulates } from '../graph/measure.ts';
import type { Node } from '../graph/node.ts';
import { postorder } from '../graph/order.ts';
import type { Shape } from '../shape.ts';
import { Tensor } from '../tensor/tensor.ts';
import { listenToCalls, type ModuleCall } from './calls.ts';
import { Module } from './module.ts';

/** An input of a model: its shape, and its dtype if it is not float32. */
export type InputSpec = Shape | { readonly shape: Shape; readonly dtype: Dtype };

/** One call of a module. */
export interface LayerCall {
  /** Position in `LayerGraph.calls`; calls inside come before the call around them. */
  readonly id: number;
  readonly path: string;
  /** The class's name. */
  readonly kind: string;
  readonly module: Module;
  /** Calls around this one; 0 is the model itself. */
  readonly depth: number;
  /** Whether no other module is called inside. */
  readonly leaf: boolean;
  readonly inputs: readonly Node[];
  readonly outputs: readonly Node[];
  /** Elements of all parameters at and below the module. */
  readonly parameters: number;
  /** Multiply-accumulates of the contractions made during the call. */
  readonly macs: number;
  /** Of leaves: ids of the leaf calls whose outputs reach the inputs without passing another leaf; −1 is a model input. */
  readonly sources: readonly number[];
}

export interface LayerGraph {
  readonly calls: readonly LayerCall[];
  readonly inputs: readonly Node[];
  readonly outputs: readonly Node[];
  readonly parameters: number;
  readonly macs: number;
}

/** All tensors in nested arrays and objects. */
function nodesIn(value: unknown): Node[] {
  if (value instanceof Tensor) return [value.node];
  if (typeof value !== 'object' || value === null || value instanceof Module) return [];
  return Object.values(value).flatMap(nodesIn);
}

function inputNode(spec: InputSpec): Node {
  return 'shape' in spec ? data(undefined, spec.shape, spec.dtype) : data(undefined, spec, 'float32');
}

function isShape(inputs: readonly InputSpec[] | Shape): inputs is Shape {
  return inputs.every((item) => typeof item === 'number');
}

function parameterCount(module: Module): number {
  return module.parameters().reduce((sum, { elements }) => sum + elements, 0);
}

/** MACs made up to each node number, so that a call's share is a difference. */
function macsUpTo(nodes: readonly Node[]): (id: number) => number {
  const sorted = nodes.toSorted((a, b) => a.id - b.id);
  const sums: number[] = [];
  for (const node of sorted) sums.push((sums.at(-1) ?? 0) + multiplyAccumulates(node));
  return (id) => {
    let [low, high] = [0, sorted.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((sorted[middle]?.id ?? 0) <= id) low = middle + 1;
      else high = middle;
    }
    return sums[low - 1] ?? 0;
  };
}

/** The leaf calls (or −1, an input) that nodes come from. */
function sourcesOf(nodes: readonly Node[], producers: ReadonlyMap<Node, number>): number[] {
  const found = new Set<number>();
  postorder(nodes, (node) => {
    const producer = producers.get(node);
    if (producer === undefined) return node.inputs;
    found.add(producer);
    return [];
  });
  return [...found].sort((a, b) => a - b);
}

/**
 * Calls a model on placeholders and lists what was called. `inputs` is one shape or a list of shapes (or
 * `{ shape, dtype }`), one per argument of forward. Assignments and random draws on the way are undone.
 */
export function trace(model: Module, inputs: Shape | readonly InputSpec[]): LayerGraph {
  const specs: readonly InputSpec[] = isShape(inputs) ? [inputs] : inputs;
  if (specs.length === 0) throw new UserError('trace: no inputs', { remedy: 'give the shape of each argument of forward' });
  const given = specs.map(inputNode);
  const made: ModuleCall[] = [];
  const forward = model.forward as (...tensors: readonly Tensor[]) => unknown;
  const { result } = traced('trace', true, () =>
    listenToCalls(
      (call) => made.push(call),
      () => Reflect.apply(forward, model, given.map((node) => new Tensor(node))),
    ),
  );
  const outputs = nodesIn(result);
  const producers = new Map<Node, number>(given.map((node) => [node, -1]));
  const upTo = macsUpTo(postorder([...outputs, ...made.flatMap((call) => nodesIn(call.output))]));
  const calls: LayerCall[] = [];
  for (const [id, call] of made.entries()) {
    const module = call.module as Module;
    const leaf = !made.slice(0, id).some((other) => other.depth === call.depth + 1 && other.start >= call.start);
    const callInputs = nodesIn(call.inputs);
    const callOutputs = nodesIn(call.output);
    const sources = leaf ? sourcesOf(callInputs, producers) : [];
    if (leaf) for (const node of callOutputs) if (!producers.has(node)) producers.set(node, id);
    calls.push({
      id,
      path: call.path,
      kind: module.constructor.name,
      module,
      depth: call.depth,
      leaf,
      inputs: callInputs,
      outputs: callOutputs,
      parameters: parameterCount(module),
      macs: upTo(call.end) - upTo(call.start),
      sources,
    });
  }
  return { calls, inputs: given, outputs, parameters: parameterCount(model), macs: upTo(Infinity) };
}
