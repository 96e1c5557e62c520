// Pointwise methods on several operands: arithmetic, comparison, logic, selection.
import { isFloat, isInteger, type Dtype } from '../dtype.ts';
import { DtypeError, formatShape } from '../errors.ts';
import { apply, bitcast, constant, where } from '../graph/build.ts';
import { describe } from '../graph/create.ts';
import type { BinaryOp } from '../graph/elementwise.ts';
import type { Node } from '../graph/node.ts';
import { broadcastShapes } from '../shape.ts';
import type { Operand, TensorBase } from './base.ts';
import { broadcastNode, commonDtype, meetPair } from './promotion.ts';
import type { Tensor } from './tensor.ts';
import { TensorUnary } from './unary.ts';

interface BinaryOptions {
  /** In which the operands meet: their common one unless given. */
  readonly dtype?: Dtype;
  /** The method's name, where it is not the op's. */
  readonly what?: string;
}

/** A binary entry of the op table on operands in a common shape and dtype. */
function binary(op: BinaryOp, a: Operand, b: Operand, { dtype = commonDtype([a, b]), what = op }: BinaryOptions = {}): Node {
  return apply(op, ...meetPair(a, b, what, dtype));
}

/** float32 instead of integers and bool, for operations that only make sense on fractions. */
function floatDtype(operands: readonly Operand[]): Dtype {
  const dtype = commonDtype(operands);
  return isFloat(dtype) ? dtype : 'float32';
}

/** Numbers instead of bool, for arithmetic. */
function numberDtype(operands: readonly Operand[]): Dtype {
  const dtype = commonDtype(operands);
  return dtype === 'bool' ? 'int32' : dtype;
}

export class TensorElementwise extends TensorUnary {
  /** this + other, broadcast; bool counts as 0 and 1. */
  add(other: Operand): Tensor {
    return this.#binary('add', other, { dtype: numberDtype([this, other]) });
  }

  /** this − other, broadcast. */
  sub(other: Operand): Tensor {
    return this.#binary('sub', other, { dtype: numberDtype([this, other]) });
  }

  /** this · other, broadcast. */
  mul(other: Operand): Tensor {
    return this.#binary('mul', other, { dtype: numberDtype([this, other]) });
  }

  /** True division: integers give float32. */
  div(other: Operand): Tensor {
    return this.#binary('div', other, { dtype: floatDtype([this, other]) });
  }

  /** other − this. */
  rsub(other: Operand): Tensor {
    return this.wrap(binary('sub', other, this, { dtype: numberDtype([this, other]), what: 'rsub' }));
  }

  /** other / this. */
  rdiv(other: Operand): Tensor {
    return this.wrap(binary('div', other, this, { dtype: floatDtype([this, other]), what: 'rdiv' }));
  }

  /** ⌊this / other⌋. */
  floorDivide(other: Operand): Tensor {
    const dtype = numberDtype([this, other]);
    const what = 'floorDivide';
    return isFloat(dtype) ? this.#binary('div', other, { dtype, what }).floor() : this.#binary('floorDivide', other, { dtype });
  }

  /** this − ⌊this / other⌋ · other: the sign is the divisor's. */
  remainder(other: Operand): Tensor {
    const dtype = numberDtype([this, other]);
    const what = 'remainder';
    if (!isFloat(dtype)) return this.#binary('mod', other, { dtype, what });
    return this.sub(this.#binary('div', other, { dtype, what }).floor().mul(other));
  }

  /** thisᵉ. Exponents 0, ±½, ±1, 2 and 3 are written with roots, quotients and products. */
  pow(exponent: Operand): Tensor {
    if (typeof exponent === 'number' && exponent >= 0 && Number.isInteger(exponent) && isInteger(this.dtype)) return this.#integerPower(exponent);
    switch (exponent) {
      case 0:
        return this.wrap(broadcastNode(constant(1, floatDtype([this])), this.shape));
      case 1:
        return this.to(floatDtype([this]));
      case 2:
        return this.square();
      case 3:
        return this.square().mul(this);
      case 0.5:
        return this.sqrt();
      case -0.5:
        return this.rsqrt();
      case -1:
        return this.reciprocal();
      default:
        return this.#binary('pow', exponent, { dtype: floatDtype([this, exponent]) });
    }
  }

  /** x². */
  square(): Tensor {
    return this.mul(this);
  }

  /** 1 / x; integers give float32. */
  reciprocal(): Tensor {
    return this.rdiv(1);
  }

  /** 1 / √x. */
  rsqrt(): Tensor {
    return this.sqrt().reciprocal();
  }

  /** The larger of two; NaN wins; where equal, the gradient goes to this one. */
  maximum(other: Operand): Tensor {
    return this.#binary('max', other, { what: 'maximum' });
  }

  /** The smaller of two; NaN wins; where equal, the gradient goes to this one. */
  minimum(other: Operand): Tensor {
    return this.#binary('min', other, { what: 'minimum' });
  }

  /** Into [low, high]; either may be left out. The gradient passes at the bounds, as in PyTorch. */
  clamp(low?: Operand, high?: Operand): Tensor {
    const what = 'clamp';
    const raised = low === undefined ? this.wrap(this.node) : this.#binary('max', low, { what });
    return high === undefined ? raised : raised.#binary('min', high, { what });
  }

  /** max(x, 0), with gradient 0 at 0. */
  relu(): Tensor {
    return this.wrap(binary('max', 0, this));
  }

  /** 1 / (1 + e⁻ˣ), as (1 + tanh(x / 2)) / 2, which cannot overflow. */
  sigmoid(): Tensor {
    return this.mul(0.5).tanh().add(1).mul(0.5);
  }

  /** Whether elements are equal; NaN equals nothing. */
  eq(other: Operand): Tensor {
    return this.#binary('eq', other);
  }

  /** Whether elements differ. */
  ne(other: Operand): Tensor {
    return this.#binary('ne', other);
  }

  /** this < other. */
  lt(other: Operand): Tensor {
    return this.#binary('lt', other);
  }

  /** this ≤ other. */
  le(other: Operand): Tensor {
    return this.#binary('le', other);
  }

  /** this > other. */
  gt(other: Operand): Tensor {
    return this.wrap(binary('lt', other, this, { what: 'gt' }));
  }

  /** this ≥ other. */
  ge(other: Operand): Tensor {
    return this.wrap(binary('le', other, this, { what: 'ge' }));
  }

  /** Bitwise and; on bool, logical. */
  and(other: Operand): Tensor {
    return this.#binary('and', other);
  }

  /** Bitwise or; on bool, logical. */
  or(other: Operand): Tensor {
    return this.#binary('or', other);
  }

  /** Bitwise exclusive or; on bool, logical. */
  xor(other: Operand): Tensor {
    return this.#binary('xor', other);
  }

  /** Bits moved up by `other` places, modulo 32. */
  shl(other: Operand): Tensor {
    return this.#binary('shl', other);
  }

  /** Bits moved down by `other` places; the sign is kept. */
  shr(other: Operand): Tensor {
    return this.#binary('shr', other);
  }

  /** Bits moved down by `other` places; zeros come in. */
  ushr(other: Operand): Tensor {
    return this.#binary('ushr', other);
  }

  /** This tensor where `condition` holds, else `other`. */
  where(condition: TensorBase, other: Operand): Tensor {
    return select(condition, this, other);
  }

  /** `value` where `mask` holds, else this tensor. */
  maskedFill(mask: TensorBase, value: Operand): Tensor {
    return select(mask, value, this, 'maskedFill');
  }

  /** The same bits as another dtype of the same width. */
  bitcast(dtype: Dtype): Tensor {
    return this.wrap(bitcast(this.node, dtype));
  }

  #binary(op: BinaryOp, other: Operand, options?: BinaryOptions): Tensor {
    return this.wrap(binary(op, this, other, options));
  }

  /** By repeated squaring. */
  #integerPower(exponent: number): Tensor {
    let result: Tensor | undefined;
    let base = this.wrap(this.node);
    for (let rest = exponent; rest > 0; rest = Math.floor(rest / 2)) {
      if (rest % 2 === 1) result = result === undefined ? base : result.mul(base);
      if (rest > 1) base = base.square();
    }
    return result ?? this.wrap(broadcastNode(constant(1, this.dtype), this.shape));
  }
}

/** Elements of `a` where `condition` holds, else of `b`; all three broadcast. */
export function select(condition: TensorBase, a: Operand, b: Operand, what = 'where'): Tensor {
  if (condition.dtype !== 'bool') throw new DtypeError(`${describe(what)}: the condition is ${condition.dtype} ${formatShape(condition.shape)}`, { remedy: 'compare it (x.gt(0)), or cast it to bool' });
  const [x, y] = meetPair(a, b, what);
  const shape = broadcastShapes(condition.shape, x.shape, describe(what));
  return condition.wrap(where(broadcastNode(condition.node, shape), broadcastNode(x, shape), broadcastNode(y, shape)));
}
