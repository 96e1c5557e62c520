// The nodes of a random graph so far, and random choices among them.
import {
  build,
  elementCount,
  isFloat,
  move,
  type Dtype,
  type Node,
  type Shape,
  type TypedArray,
  type VariableSlot,
} from '@athanor/core/backend';
import { binary } from '../compose.ts';
import { randomSource, slot, valuesOf, type Range } from '../values.ts';

/**
 * exact: small integers in every dtype and operations that keep them so; any difference is a bug.
 * smooth: transcendental functions of float32 and float64; differences are held against the graph's own sensitivity.
 */
export type Style = 'exact' | 'smooth';

const sizes = [1, 1, 2, 3, 4, 5, 7, 8, 9, 16, 31, 33, 64];
const mostElements = 1200;
/** Values of exact float nodes are cut to this size before they are multiplied. */
const small = 8;

export class Pool {
  readonly style: Style;
  readonly nodes: Node[] = [];
  readonly variables: VariableSlot[] = [];
  readonly initial = new Map<VariableSlot, TypedArray>();
  /** Largest magnitude that an exact float node can have. */
  readonly #bounds = new Map<Node, number>();
  readonly #next: () => number;
  #seed: number;

  constructor(seed: number, style: Style) {
    this.style = style;
    this.#next = randomSource(seed);
    this.#seed = seed * 1000;
  }

  integer(limit: number): number {
    return Math.floor(this.#next() * limit);
  }

  chance(probability: number): boolean {
    return this.#next() < probability;
  }

  pick<T>(list: readonly T[]): T {
    const item = list[this.integer(list.length)];
    if (item === undefined) throw new Error('nothing to pick from');
    return item;
  }

  /** A node of the pool, rather a late one. */
  node(wanted: (node: Node) => boolean = () => true): Node | undefined {
    const fitting = this.nodes.filter(wanted);
    if (fitting.length === 0) return undefined;
    const late = Math.max(this.#next(), this.#next());
    return fitting[Math.floor(late * fitting.length)];
  }

  float(): Node {
    return this.node(({ dtype }) => isFloat(dtype)) ?? this.leaf(this.shape(), 'float32');
  }

  /** A node of a dtype, cast from another where there is none. */
  ofDtype(dtype: Dtype): Node {
    const found = this.node((node) => node.dtype === dtype);
    if (found !== undefined && this.chance(0.8)) return found;
    return this.cast(this.node() ?? this.leaf(this.shape(), dtype), dtype);
  }

  shape(): Shape {
    const shape: number[] = [];
    for (let rank = this.integer(5); rank > 0; rank--) {
      const size = this.pick(sizes);
      if (elementCount(shape) * size <= mostElements) shape.push(size);
    }
    return shape;
  }

  range(dtype: Dtype): Range | undefined {
    if (this.style === 'smooth') return undefined;
    return isFloat(dtype) || (dtype === 'int32' && this.chance(0.7)) ? { low: -3, high: 4 } : undefined;
  }

  values(shape: Shape, dtype: Dtype): TypedArray {
    const values = valuesOf(dtype, elementCount(shape), this.#seed++, this.range(dtype));
    return this.style === 'exact' && isFloat(dtype) ? values.map(Math.floor) : values;
  }

  leaf(shape: Shape, dtype: Dtype): Node {
    return this.add(build.data(this.values(shape, dtype), shape, dtype), 4);
  }

  variable(shape: Shape, dtype: Dtype): Node {
    const made = slot(`v${this.variables.length}`, shape, dtype);
    this.variables.push(made);
    this.initial.set(made, this.values(shape, dtype));
    return this.add(build.read(made, 0), small);
  }

  /** Enters a node; exact floats that may be large are cut. */
  add(node: Node, bound: number): Node {
    if (elementCount(node.shape) > 4 * mostElements) return node;
    const kept = this.style === 'exact' && isFloat(node.dtype) && bound > 300 ? this.#cut(node) : node;
    this.#bounds.set(kept, kept === node ? bound : small);
    this.nodes.push(kept);
    return kept;
  }

  bound(node: Node): number {
    return this.#bounds.get(node) ?? Infinity;
  }

  /** A node whose products stay exact. */
  small(node: Node): Node {
    if (this.style === 'smooth' || !isFloat(node.dtype) || this.bound(node) <= small) return node;
    return this.#cut(node);
  }

  #cut(node: Node): Node {
    const cut = binary('max', binary('min', node, small), -small);
    this.#bounds.set(cut, small);
    return cut;
  }

  cast(node: Node, dtype: Dtype): Node {
    if (node.dtype === dtype) return node;
    // Large integers are not exact in float32.
    const source = isFloat(dtype) && node.dtype === 'int32' ? this.#cutInteger(node) : node;
    const made = build.cast(source, dtype);
    this.#bounds.set(made, isFloat(node.dtype) ? this.bound(node) : node.dtype === 'bool' ? 1 : 255);
    return made;
  }

  #cutInteger(node: Node): Node {
    return binary('max', binary('min', node, small), -small);
  }

  /** Elements of a node in another shape: reshaped, repeated, cut off or padded. */
  fit(node: Node, shape: Shape): Node {
    const bound = this.bound(node);
    const fitted = this.#fit(node, shape);
    if (!this.#bounds.has(fitted)) this.#bounds.set(fitted, Math.max(bound, 1));
    return fitted;
  }

  #fit(node: Node, shape: Shape): Node {
    const [have, want] = [elementCount(node.shape), elementCount(shape)];
    const broadcasts = node.shape.length === shape.length && node.shape.every((size, i) => size === shape[i] || size === 1);
    if (broadcasts) return move.expand(node, shape);
    const vector = move.reshape(this.chance(0.3) ? this.#reversed(node) : node, [have]);
    if (have === want) return move.reshape(vector, shape);
    if (have === 0)
      return move.expand(
        move.reshape(
          build.constant(1, node.dtype),
          shape.map(() => 1),
        ),
        shape,
      );
    if (have > want) {
      const start = this.integer(have - want + 1);
      return move.reshape(move.slice(vector, [start], [start + want], [1]), shape);
    }
    if (this.chance(0.5)) {
      const low = this.integer(want - have + 1);
      return move.reshape(move.pad(vector, [[low, want - have - low]], this.integer(2)), shape);
    }
    const turns = Math.ceil(want / have);
    const repeated = move.reshape(move.expand(move.reshape(vector, [1, have]), [turns, have]), [turns * have]);
    return move.reshape(move.slice(repeated, [0], [want], [1]), shape);
  }

  #reversed(node: Node): Node {
    return move.permute(
      node,
      node.shape.map((_, axis) => node.shape.length - 1 - axis),
    );
  }
}
