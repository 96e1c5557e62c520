// The canonical form of a graph: simplified, equal nodes merged, dead ones gone, leaves numbered, structure hashed.
// Every flush and every new trace passes here, so nodes are numbers in this file, and maps are few.
import type { CanonicalGraph, Graph } from '../backend/backend.ts';
import { InternalError } from '../errors.ts';
import { derive } from './create.ts';
import { StructureHash, textHash } from './hash.ts';
import type { Node, VariableSlot } from './node.ts';
import { simplify, uniformValue } from './simplify.ts';

const commutative: ReadonlySet<string> = new Set(['add', 'mul', 'and', 'or', 'xor', 'eq', 'ne']);

function valueText(value: unknown): string {
  return Object.is(value, -0) ? '-0' : String(value);
}

const opHashes = new Map<string, number>();

function opHash(op: string): number {
  let hash = opHashes.get(op);
  if (hash === undefined) {
    hash = textHash(op);
    opHashes.set(op, hash);
  }
  return hash;
}

/** What tells two nodes of one op apart, other than their operands: attributes, or the identity of a leaf. */
function ownText(node: Node): string {
  switch (node.op) {
    case 'data':
      return `${node.attributes.leaf.id} ${node.shape.join()} ${node.dtype}`;
    case 'read':
      return `${node.attributes.variable.id} ${node.attributes.version}`;
    case 'constant':
      return `${valueText(node.attributes.value)} ${node.dtype}`;
    default: {
      let text = '';
      const attributes = node.attributes as Readonly<Record<string, unknown>>;
      for (const name in attributes) text += `${name}=${valueText(attributes[name])};`;
      return text;
    }
  }
}

/** Leaves and what is made of constants alone belong to no checkpoint region. */
function regionOf(node: Node): number {
  return node.region === 0 || node.inputs.length === 0 || uniformValue(node) !== undefined ? 0 : node.region;
}

function sameOperands(op: string, a: readonly number[], b: readonly number[]): boolean {
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return a[0] === b[1] && a[1] === b[0] && commutative.has(op);
  return a.length === b.length;
}

/** Simplified nodes, each structure once: what makes `x.exp()` written twice one node. Operands come before users. */
class Merger {
  readonly nodes: Node[] = [];
  readonly operands: (readonly number[])[] = [];
  readonly texts: string[] = [];
  /** The number of what stands for a node of the given graph. */
  private readonly numbers = new Map<Node, number>();
  private readonly newest = new Map<number, number>(); // by hash: the latest node; older ones follow in `older`
  private readonly older: number[] = [];

  /** Merges everything that the roots need, operands first, without recursion. */
  mergeAll(roots: readonly Node[]): void {
    const stack: Node[] = [];
    const next: number[] = [];
    for (const root of roots) {
      if (this.numbers.has(root)) continue;
      stack.push(root);
      next.push(0);
      while (stack.length > 0) {
        const top = stack.length - 1;
        const node = stack[top] as Node;
        let at = next[top] ?? 0;
        while (at < node.inputs.length && this.numbers.has(node.inputs[at] as Node)) at++;
        const operand = node.inputs[at];
        next[top] = at;
        if (operand === undefined) {
          stack.pop();
          next.pop();
          this.numbers.set(node, this.merge(node));
        } else {
          stack.push(operand);
          next.push(0);
        }
      }
    }
  }

  numberOf(node: Node): number {
    const number = this.numbers.get(node);
    if (number === undefined) throw new InternalError(`${node.op} was reached before its operands`);
    return number;
  }

  private merge(node: Node): number {
    const operands: number[] = [];
    for (let i = 0; i < node.inputs.length; i++) operands.push(this.numberOf(node.inputs[i] as Node));
    return this.settle(node, operands);
  }

  /** The node with its operands' representatives as inputs. */
  private renew(node: Node, operands: readonly number[]): Node {
    for (let i = 0; i < operands.length; i++) {
      if (this.nodes[operands[i] ?? 0] === node.inputs[i]) continue;
      const inputs = operands.map((number) => this.nodes[number] as Node);
      return derive(node, node.op, inputs, node.attributes, node.shape, node.dtype);
    }
    return node;
  }

  /** Simplifies until nothing changes. */
  private settle(original: Node, operands: readonly number[]): number {
    const node = this.renew(original, operands);
    const simpler = simplify(node);
    if (simpler === undefined) return this.intern(node, operands);
    // A rewrite consists of at most three new nodes over operands and operands of operands.
    const known = new Map<Node, number>();
    for (const number of operands) {
      known.set(this.nodes[number] as Node, number);
      for (const inner of this.operands[number] ?? []) known.set(this.nodes[inner] as Node, inner);
    }
    return this.adopt(simpler, known);
  }

  private adopt(node: Node, known: ReadonlyMap<Node, number>): number {
    const number = known.get(node);
    if (number !== undefined) return number;
    const operands = node.inputs.map((input) => this.adopt(input, known));
    return this.settle(node, operands);
  }

  private intern(node: Node, operands: readonly number[]): number {
    const text = ownText(node);
    const ordered = (operands[0] ?? 0) > (operands[1] ?? Infinity) && commutative.has(node.op) ? operands.toReversed() : operands;
    let hash = opHash(node.op) ^ textHash(text);
    for (let i = 0; i < ordered.length; i++) hash = Math.imul(hash ^ (ordered[i] ?? 0), 0x9e3779b1) ^ (hash >>> 15);
    const newest = this.newest.get(hash) ?? -1;
    for (let at = newest; at >= 0; at = this.older[at] ?? -1) if (this.isSame(at, node, operands, text)) return at;
    const number = this.nodes.push(node) - 1;
    this.operands.push(operands);
    this.texts.push(text);
    this.older.push(newest);
    this.newest.set(hash, number);
    return number;
  }

  private isSame(number: number, node: Node, operands: readonly number[], text: string): boolean {
    const other = this.nodes[number] as Node;
    if (other.op !== node.op || this.texts[number] !== text || regionOf(other) !== regionOf(node)) return false;
    return sameOperands(node.op, this.operands[number] ?? [], operands);
  }
}

/** The numbers of the nodes that the roots need, operands before users, in an order that the structure alone decides. */
function orderOf({ nodes, operands }: Merger, roots: readonly number[]): number[] {
  const order: number[] = [];
  const entered = new Uint8Array(nodes.length);
  const stack: number[] = [];
  const next: number[] = [];
  for (const root of roots) {
    let entering = entered[root] === 1 ? undefined : root;
    while (entering !== undefined || stack.length > 0) {
      if (entering !== undefined) {
        entered[entering] = 1;
        stack.push(entering);
        next.push(0);
      }
      const top = stack.length - 1;
      const number = stack[top] ?? 0;
      const list = operands[number] ?? [];
      let at = next[top] ?? 0;
      entering = list[at++];
      while (entering !== undefined && entered[entering] === 1) entering = list[at++];
      next[top] = at;
      if (entering !== undefined) continue;
      stack.length = next.length = top;
      order.push(number);
    }
  }
  return order;
}

/** Leaves in order of first use, and the hash of everything that is told to it. */
class Numbering {
  readonly inputs: Node[] = [];
  readonly variables: VariableSlot[] = [];
  readonly hash = new StructureHash();
  private readonly slots = new Map<VariableSlot, { readonly position: number; version: number | undefined }>();
  private readonly regions = new Map<number, number>([[0, 0]]);

  /** Told nodes in order; `places` has the positions of those before. */
  node(node: Node, operands: readonly number[], places: Int32Array, text: string): void {
    const { hash } = this;
    hash.number(opHash(node.op));
    if (node.op === 'data') hash.number(this.inputs.push(node) - 1);
    else if (node.op === 'read') hash.number(this.read(node.attributes.variable, node.attributes.version));
    else {
      hash.text(text);
      hash.number(this.region(regionOf(node)));
      for (let i = 0; i < operands.length; i++) hash.number(places[operands[i] ?? 0] ?? 0);
      return;
    }
    for (const size of node.shape) hash.number(size);
    hash.text(node.dtype);
  }

  /** The position of a Variable. */
  slot(variable: VariableSlot): { readonly position: number; version: number | undefined } {
    let own = this.slots.get(variable);
    if (own === undefined) {
      own = { position: this.variables.push(variable) - 1, version: undefined };
      this.slots.set(variable, own);
    }
    return own;
  }

  private read(variable: VariableSlot, version: number): number {
    const own = this.slot(variable);
    own.version ??= version;
    if (own.version !== version) throw new InternalError(`one graph reads versions ${own.version} and ${version} of ${variable.name}`);
    return own.position;
  }

  private region(region: number): number {
    const known = this.regions.get(region) ?? this.regions.size;
    this.regions.set(region, known);
    return known;
  }
}

/**
 * Simplifies a graph, merges equal nodes (never across checkpoint regions), drops dead ones, numbers inputs and
 * variables by first use and hashes the structure: two traces of the same computation have the same hash.
 */
export function canonicalize(graph: Graph): CanonicalGraph {
  const merger = new Merger();
  const roots = [...graph.outputs, ...graph.assignments.map(({ value }) => value)];
  merger.mergeAll(roots);
  const rootNumbers = roots.map((node) => merger.numberOf(node));
  const places = new Int32Array(merger.nodes.length);
  const nodes: Node[] = [];
  const numbering = new Numbering();
  for (const number of orderOf(merger, rootNumbers)) {
    const node = merger.nodes[number] as Node;
    const operands = merger.operands[number] ?? [];
    numbering.node(node, operands, places, merger.texts[number] ?? '');
    places[number] = nodes.push(node) - 1;
  }
  const representatives = rootNumbers.map((number) => merger.nodes[number] as Node);
  const outputs = representatives.slice(0, graph.outputs.length);
  const assignments = graph.assignments.map(({ variable }, i) => ({ variable, value: representatives[outputs.length + i] as Node }));
  const { hash } = numbering;
  hash.number(outputs.length);
  rootNumbers.forEach((number) => hash.number(places[number] ?? 0));
  for (const { variable } of assignments) hash.number(numbering.slot(variable).position);
  return { outputs, assignments, nodes, inputs: numbering.inputs, variables: numbering.variables, hash: hash.digest() };
}
