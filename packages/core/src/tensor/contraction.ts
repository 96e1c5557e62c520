// Methods that multiply and sum: matrix products in all their batched forms.
import { DtypeError, ShapeError, formatShape } from '../errors.ts';
import { isFloat, promote } from '../dtype.ts';
import { cast } from '../graph/build.ts';
import { dot } from '../graph/combine.ts';
import { describe } from '../graph/create.ts';
import { permute, reshape } from '../graph/move.ts';
import type { Node } from '../graph/node.ts';
import { broadcastShapes } from '../shape.ts';
import type { TensorBase } from './base.ts';
import { broadcastNode } from './promotion.ts';
import { TensorStatistics } from './statistics.ts';
import type { Tensor } from './tensor.ts';

/** Operands of a contraction in one dtype; int8 pairs stay int8 and give int32. */
export function contractionOperands(a: Node, b: Node, what: string): [Node, Node] {
  const dtype = promote(a.dtype, b.dtype);
  if (dtype === 'bool') throw new DtypeError(`${describe(what)}: does not work on bool`, { remedy: 'cast to float32 first' });
  const common = isFloat(dtype) || dtype === 'int8' ? dtype : 'int32';
  return [cast(a, common), cast(b, common)];
}

/** Σ over the last axis of `a` and axis `axis` of `b`, without batch axes. */
function contract(a: Node, b: Node, axis: number): Node {
  return dot(a, b, { batch: [], contract: [[a.shape.length - 1, axis]], combine: 'multiply-add' });
}

/** [...B, m, k] · [...B, k, n] with batch axes that broadcast. */
function batchedProduct(a: Node, b: Node): Node {
  const batch = broadcastShapes(a.shape.slice(0, -2), b.shape.slice(0, -2), describe('matmul'));
  const x = broadcastNode(a, [...batch, ...a.shape.slice(-2)]);
  const y = broadcastNode(b, [...batch, ...b.shape.slice(-2)]);
  const rank = batch.length;
  return dot(x, y, { batch: batch.map((_, i) => [i, i]), contract: [[rank + 1, rank]], combine: 'multiply-add' });
}

function product(a: Node, b: Node): Node {
  if (a.shape.length === 1) return contract(a, b, Math.max(0, b.shape.length - 2));
  if (b.shape.length <= 2) return contract(a, b, 0);
  if (a.shape.length > 2) return batchedProduct(a, b);
  // [m, k] · [...B, k, n]: the sum leaves [m, ...B, n].
  const sum = contract(a, b, b.shape.length - 2);
  const rank = sum.shape.length;
  return permute(sum, [...Array.from({ length: rank - 2 }, (_, i) => i + 1), 0, rank - 1]);
}

export class TensorContraction extends TensorStatistics {
  /** The matrix product, PyTorch's rules: vectors are rows on the left, columns on the right; batch axes broadcast. */
  matmul(other: TensorBase): Tensor {
    const inner = other.shape.at(other.ndim === 1 ? -1 : -2);
    if (this.ndim === 0 || other.ndim === 0 || this.shape.at(-1) !== inner) {
      throw new ShapeError(`${describe('matmul')}: ${formatShape(this.shape)} times ${formatShape(other.shape)}`, {
        remedy: 'the last axis of the first must equal the last but one of the second',
      });
    }
    return this.wrap(product(...contractionOperands(this.node, other.node, 'matmul')));
  }

  /** matmul of two matrices. */
  mm(other: TensorBase): Tensor {
    this.#requireRanks('mm', other, 2, 2);
    return this.matmul(other);
  }

  /** matmul of two stacks of matrices. */
  bmm(other: TensorBase): Tensor {
    this.#requireRanks('bmm', other, 3, 3);
    return this.matmul(other);
  }

  /** Matrix times vector. */
  mv(other: TensorBase): Tensor {
    this.#requireRanks('mv', other, 2, 1);
    return this.matmul(other);
  }

  /** The inner product of two vectors. */
  dot(other: TensorBase): Tensor {
    this.#requireRanks('dot', other, 1, 1);
    return this.matmul(other);
  }

  /** All products of the elements of two vectors: [n], [m] → [n, m]. */
  outer(other: TensorBase): Tensor {
    this.#requireRanks('outer', other, 1, 1);
    return this.unsqueeze(1).mul(other.wrap(reshape(other.node, [1, other.size])));
  }

  #requireRanks(what: string, other: TensorBase, a: number, b: number): void {
    if (this.ndim === a && other.ndim === b) return;
    throw new ShapeError(`${describe(what)}: ${formatShape(this.shape)} and ${formatShape(other.shape)}`, {
      remedy: `it takes ranks ${a} and ${b}; matmul takes any`,
    });
  }
}
