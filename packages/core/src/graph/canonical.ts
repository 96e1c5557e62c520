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

function sameNumbers(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((x, i) => x === b[i]);
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
    const operands = node.inputs.map((input) => this.numberOf(input));
    return this.settle(this.renew(node, operands), operands);
  }

  /** The node with its operands' representatives as inputs. */
  private renew(node: Node, operands: readonly number[]): Node {
    if (operands.every((number, i) => this.nodes[number] === node.inputs[i])) return node;
    const inputs = operands.map((number) => this.nodes[number] as Node);
    return derive(node, node.op, inputs, node.attributes, node.shape, node.dtype);
  }

  /** Simplifies until nothing changes. */
  private settle(node: Node, operands: readonly number[]): number {
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
    return this.settle(this.renew(node, operands), operands);
  }

  private intern(node: Node, operands: readonly number[]): number {
    const text = ownText(node);
    const key = commutative.has(node.op) ? operands.toSorted((a, b) => a - b) : operands;
    let hash = textHash(node.op) ^ textHash(text);
    for (const operand of key) hash = Math.imul(hash ^ operand, 0x9e3779b1) ^ (hash >>> 15);
    const newest = this.newest.get(hash) ?? -1;
    for (let at = newest; at >= 0; at = this.older[at] ?? -1) if (this.isSame(at, node, key, text)) return at;
    const number = this.nodes.push(node) - 1;
    this.operands.push(key);
    this.texts.push(text);
    this.older.push(newest);
    this.newest.set(hash, number);
    return number;
  }

  private isSame(number: number, node: Node, operands: readonly number[], text: string): boolean {
    const other = this.nodes[number] as Node;
    return other.op === node.op && this.texts[number] === text && sameNumbers(this.operands[number] ?? [], operands) && regionOf(other) === regionOf(node);
  }
}

/** Which of the nodes the roots need. */
function findLive({ nodes, operands }: Merger, roots: readonly number[]): Uint8Array {
  const live = new Uint8Array(nodes.length);
  for (const root of roots) live[root] = 1;
  for (let at = nodes.length - 1; at >= 0; at--) {
    if (live[at] === 1) for (const operand of operands[at] ?? []) live[operand] = 1;
  }
  return live;
}

/** Leaves in order of first use, and the hash of everything that is told to it. */
class Numbering {
  readonly inputs: Node[] = [];
  readonly variables: VariableSlot[] = [];
  readonly hash = new StructureHash();
  private readonly slots = new Map<VariableSlot, { readonly position: number; version: number | undefined }>();
  private readonly regions = new Map<number, number>([[0, 0]]);

  node(node: Node, operands: readonly number[], text: string): void {
    const { hash } = this;
    hash.text(node.op);
    if (node.op === 'data') hash.number(this.inputs.push(node) - 1);
    else if (node.op === 'read') hash.number(this.read(node.attributes.variable, node.attributes.version));
    else {
      hash.text(text);
      hash.number(this.region(regionOf(node)));
      for (const operand of operands) hash.number(operand);
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
  const live = findLive(merger, rootNumbers);
  const places = new Int32Array(live.length);
  const nodes: Node[] = [];
  const numbering = new Numbering();
  merger.nodes.forEach((node, number) => {
    if (live[number] === 0) return;
    const operands = merger.operands[number] ?? [];
    numbering.node(node, operands.map((operand) => places[operand] ?? 0), merger.texts[number] ?? '');
    places[number] = nodes.push(node) - 1;
  });
  const representatives = rootNumbers.map((number) => merger.nodes[number] as Node);
  const outputs = representatives.slice(0, graph.outputs.length);
  const assignments = graph.assignments.map(({ variable }, i) => ({ variable, value: representatives[outputs.length + i] as Node }));
  const { hash } = numbering;
  hash.number(outputs.length);
  rootNumbers.forEach((number) => hash.number(places[number] ?? 0));
  for (const { variable } of assignments) hash.number(numbering.slot(variable).position);
  return { outputs, assignments, nodes, inputs: numbering.inputs, variables: numbering.variables, hash: hash.digest() };
}
