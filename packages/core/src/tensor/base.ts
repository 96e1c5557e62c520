// What every tensor is: a handle on a graph node. The groups of methods extend this class one after another
// (base → movement → unary → elementwise → functions → reduction → selection → statistics → contraction → Tensor), each in a
// file of its own.
import type { Dtype } from '../dtype.ts';
import { cast, constant } from '../graph/build.ts';
import type { Node } from '../graph/node.ts';
import { elementCount, type Shape } from '../shape.ts';
import type { Tensor } from './tensor.ts';

/** What arithmetic accepts: numbers and booleans take the dtype of the tensor that they meet. */
export type Operand = TensorBase | number | boolean;

export class TensorBase {
  #node: Node;

  /** Made by methods and by `tensor`, `zeros`, …; a node is what the engine's own code passes. */
  constructor(node: Node) {
    this.#node = node;
  }

  /** The node of the graph: for backends and operations, not for models. */
  get node(): Node {
    return this.#node;
  }

  /** Sizes of the axes, outermost first. */
  get shape(): Shape {
    return this.#node.shape;
  }

  /** The type of the elements. */
  get dtype(): Dtype {
    return this.#node.dtype;
  }

  /** Number of axes. */
  get ndim(): number {
    return this.#node.shape.length;
  }

  /** Number of elements. */
  get size(): number {
    return elementCount(this.#node.shape);
  }

  /** A tensor on another node, for authors of compositions. */
  wrap(node: Node): Tensor {
    const constructor = this.constructor as new (node: Node) => Tensor;
    return new constructor(node);
  }

  /** Replaces the node by one of equal value that is cheaper to keep. */
  protected settle(node: Node): void {
    this.#node = node;
  }

  /** This tensor as another dtype: float to integer truncates and saturates, NaN gives 0, to bool is `≠ 0`. */
  to(dtype: Dtype): Tensor {
    return this.wrap(cast(this.#node, dtype));
  }
}

/** The node of an operand; numbers and booleans become constants. */
export function operandNode(x: Operand, dtype: Dtype): Node {
  if (x instanceof TensorBase) return cast(x.node, dtype);
  return constant(Number(x), dtype);
}
