// The canonical form of a graph: simplified, equal nodes merged, dead ones gone, leaves numbered, structure hashed.
import type { CanonicalGraph, Graph } from '../backend/backend.ts';
import { InternalError } from '../errors.ts';
import { derive } from './create.ts';
import type { Node, VariableSlot } from './node.ts';
import { postorder } from './order.ts';
import { simplify, uniformValue } from './simplify.ts';

const commutative: ReadonlySet<string> = new Set(['add', 'mul', 'and', 'or', 'xor', 'eq', 'ne']);

function numberText(value: unknown): string {
  return Object.is(value, -0) ? '-0' : String(value);
}

/** Attributes as text, but for leaves. */
function attributeText(node: Node): string {
  let text = '';
  for (const [name, value] of Object.entries(node.attributes)) text += `${name}=${numberText(value)};`;
  return text;
}

function leafText(node: Node): string {
  return `${node.shape.join()}:${node.dtype}`;
}

/** Simplified nodes, each structure once: what makes `a.exp()` written twice one node. */
class Merger {
  private readonly byKey = new Map<string, Node>();
  private readonly numbers = new Map<Node, number>();
  private readonly merged = new Map<Node, Node>();

  /** The representative of a node whose operands are merged already. */
  merge(node: Node): void {
    const inputs = node.inputs.map((input) => this.of(input));
    const changed = inputs.some((input, i) => input !== node.inputs[i]);
    const renewed = changed ? derive(node, node.op, inputs, node.attributes, node.shape, node.dtype) : node;
    this.merged.set(node, this.settle(renewed));
  }

  of(node: Node): Node {
    const representative = this.merged.get(node);
    if (representative === undefined) throw new InternalError(`${node.op} was reached before its operands`);
    return representative;
  }

  /** Simplifies until nothing changes; a rewrite makes at most three nodes, so the recursion is shallow. */
  private settle(node: Node): Node {
    if (this.numbers.has(node)) return node;
    const simpler = simplify(node);
    if (simpler === undefined) return this.intern(node);
    if (this.numbers.has(simpler)) return simpler;
    const inputs = simpler.inputs.map((input) => this.settle(input));
    return this.settle(derive(simpler, simpler.op, inputs, simpler.attributes, simpler.shape, simpler.dtype));
  }

  private intern(node: Node): Node {
    const key = this.key(node);
    const known = this.byKey.get(key);
    if (known !== undefined) return known;
    this.byKey.set(key, node);
    this.numbers.set(node, this.numbers.size);
    return node;
  }

  private key(node: Node): string {
    switch (node.op) {
      case 'data':
        return `data ${node.attributes.leaf.id} ${leafText(node)}`;
      case 'read':
        return `read ${node.attributes.variable.id} ${node.attributes.version}`;
      case 'constant':
        return `constant ${numberText(node.attributes.value)} ${node.dtype}`;
      case 'iota':
        return `iota ${node.attributes.size}`;
      default: {
        const operands = node.inputs.map((input) => this.numbers.get(input) ?? -1);
        if (commutative.has(node.op)) operands.sort((a, b) => a - b);
        const region = uniformValue(node) === undefined ? node.region : 0;
        return `${node.op} ${operands.join()} ${region} ${attributeText(node)}`;
      }
    }
  }
}

/** Two 32-bit hashes of a text that arrives in pieces. */
class Hash {
  private first = 0x243f6a88;
  private second = 0x85a308d3 | 0;
  private length = 0;

  add(text: string): void {
    this.length += text.length;
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i);
      this.first = Math.imul(this.first ^ code, 0x9e3779b1);
      this.second = Math.imul(this.second ^ code, 0x5f356495);
      this.first ^= this.second >>> 15;
      this.second ^= this.first >>> 13;
    }
  }

  digest(): string {
    const part = (word: number): string => (word >>> 0).toString(16).padStart(8, '0');
    return `${part(this.first)}${part(this.second)}-${this.length.toString(36)}`;
  }
}

/** Numbers leaves by first use and hashes the structure. */
class Numbering {
  readonly inputs: Node[] = [];
  readonly variables: VariableSlot[] = [];
  private readonly hash = new Hash();
  private readonly nodes = new Map<Node, number>();
  private readonly slots = new Map<VariableSlot, number>();
  private readonly versions = new Map<VariableSlot, number>();
  private readonly regions = new Map<number, number>([[0, 0]]);

  node(node: Node): void {
    this.hash.add(this.text(node));
    this.nodes.set(node, this.nodes.size);
  }

  output(node: Node): void {
    this.hash.add(`out ${this.nodes.get(node)};`);
  }

  assignment(variable: VariableSlot, value: Node): void {
    this.hash.add(`set ${this.slot(variable)} ${this.nodes.get(value)};`);
  }

  digest(): string {
    return this.hash.digest();
  }

  private slot(variable: VariableSlot): number {
    const known = this.slots.get(variable);
    if (known !== undefined) return known;
    const position = this.variables.push(variable) - 1;
    this.slots.set(variable, position);
    return position;
  }

  private text(node: Node): string {
    switch (node.op) {
      case 'data':
        return `data ${this.inputs.push(node) - 1} ${leafText(node)};`;
      case 'read': {
        const { variable, version } = node.attributes;
        const other = this.versions.get(variable) ?? version;
        if (other !== version) throw new InternalError(`one graph reads versions ${other} and ${version} of ${variable.name}`);
        this.versions.set(variable, version);
        return `read ${this.slot(variable)} ${leafText(node)};`;
      }
      case 'constant':
        return `constant ${numberText(node.attributes.value)} ${node.dtype};`;
      default: {
        const region = this.regions.get(node.region) ?? this.regions.size;
        this.regions.set(node.region, region);
        let text = `${node.op} ${region}`;
        for (const input of node.inputs) text += ` ${this.nodes.get(input)}`;
        return `${text} ${attributeText(node)};`;
      }
    }
  }
}

/**
 * Simplifies a graph, merges equal nodes (never across checkpoint regions), drops dead ones, numbers inputs and
 * variables by first use and hashes the structure: two traces of the same computation have the same hash.
 */
export function canonicalize(graph: Graph): CanonicalGraph {
  const merger = new Merger();
  const roots = [...graph.outputs, ...graph.assignments.map(({ value }) => value)];
  for (const node of postorder(roots)) merger.merge(node);
  const outputs = graph.outputs.map((node) => merger.of(node));
  const assignments = graph.assignments.map(({ variable, value }) => ({ variable, value: merger.of(value) }));
  const nodes = postorder([...outputs, ...assignments.map(({ value }) => value)]);
  const numbering = new Numbering();
  for (const node of nodes) numbering.node(node);
  for (const node of outputs) numbering.output(node);
  for (const { variable, value } of assignments) numbering.assignment(variable, value);
  return { outputs, assignments, nodes, inputs: numbering.inputs, variables: numbering.variables, hash: numbering.digest() };
}
