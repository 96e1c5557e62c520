// What a random graph may grow by: each entry adds a node to the pool, or nothing where it does not apply.
import {
  build,
  combine,
  elementCount,
  gradient,
  isFloat,
  move,
  type BinaryOp,
  type Dtype,
  type Node,
  type ReduceOp,
  type UnaryOp,
} from '@athanor/core/backend';
import { add, binary, mul, sigmoid, softmax, standardize, unary } from '../compose.ts';
import { filled } from '../views.ts';
import type { Pool } from './pool.ts';

type Grow = (pool: Pool) => Node | undefined;

const all: readonly Dtype[] = ['float32', 'float64', 'int32', 'uint8', 'int8', 'bool'];
const mostly: readonly Dtype[] = ['float32', 'float32', 'float32', 'float64', ...all];

/** An axis of a node. */
const axisOf = (pool: Pool, node: Node): number => pool.integer(node.shape.length);
const shaped = (pool: Pool): Node | undefined => pool.node(({ shape }) => shape.length > 0 && elementCount(shape) > 0);

const anyLeaf: Grow = (pool) =>
  pool.leaf(pool.shape(), pool.style === 'smooth' ? pool.pick(['float32', 'float32', 'float64']) : pool.pick(mostly));
const anyVariable: Grow = (pool) => pool.variable(pool.shape(), pool.style === 'smooth' ? 'float32' : pool.pick(mostly));

const movement: Grow = (pool) => {
  const x = shaped(pool);
  if (x === undefined) return undefined;
  const axis = axisOf(pool, x);
  const [rank, size] = [x.shape.length, x.shape[axis] ?? 1];
  const bound = Math.max(pool.bound(x), 3);
  switch (pool.integer(7)) {
    case 0:
      return pool.add(move.permute(x, shuffled(pool, rank)), bound);
    case 1: {
      const padding = x.shape.map((_, i): [number, number] => (i === axis ? [pool.integer(4), pool.integer(3)] : [0, 0]));
      return pool.add(move.pad(x, padding, pool.integer(3) - 1), bound);
    }
    case 2: {
      const start = x.shape.map((_, i) => (i === axis ? pool.integer(size) : 0));
      const step = x.shape.map((_, i) => (i === axis ? 1 + pool.integer(3) : 1));
      return pool.add(move.slice(x, start, x.shape, step), bound);
    }
    case 3:
      return pool.add(move.flip(x, [axis]), bound);
    case 4: {
      const [length, stride, dilation] = [1 + pool.integer(Math.min(4, size)), 1 + pool.integer(3), 1 + pool.integer(2)];
      return (length - 1) * dilation + 1 <= size ? pool.add(move.window(x, axis, { size: length, stride, dilation }), bound) : undefined;
    }
    case 5:
      return pool.add(pool.fit(x, pool.shape()), bound);
    default: {
      const factor = [2, 3, 4, 5].find((divisor) => size % divisor === 0);
      if (factor === undefined) return undefined;
      const split = [...x.shape.slice(0, axis), factor, size / factor, ...x.shape.slice(axis + 1)];
      return pool.add(move.permute(move.reshape(x, split), shuffled(pool, rank + 1)), bound);
    }
  }
};

function shuffled(pool: Pool, count: number): number[] {
  const order = Array.from({ length: count }, (_, i) => i);
  for (let i = count - 1; i > 0; i--) {
    const j = pool.integer(i + 1);
    [order[i], order[j]] = [order[j] ?? 0, order[i] ?? 0];
  }
  return order;
}

const reduction: Grow = (pool) => {
  const op = pool.pick(['sum', 'sum', 'maxReduce', 'minReduce', 'prod'] as const satisfies readonly ReduceOp[]);
  const x = pool.node(
    ({ shape, dtype }) =>
      shape.length > 0 &&
      elementCount(shape) > 0 &&
      !((op === 'sum' || op === 'prod') && dtype === 'bool') &&
      !(op === 'prod' && isFloat(dtype)),
  );
  if (x === undefined) return undefined;
  const axes = x.shape.map((_, axis) => axis).filter(() => pool.chance(0.5));
  if (axes.length === 0) axes.push(axisOf(pool, x));
  const count = elementCount(axes.map((axis) => x.shape[axis] ?? 1));
  const y = build.reduce(op, x, axes);
  if (pool.style === 'smooth' && op === 'sum') return pool.add(mul(y, 1 / count), 1);
  const reduced = pool.add(y, op === 'sum' ? pool.bound(x) * count : pool.bound(x));
  return pool.chance(0.3) ? pool.add(move.expand(move.reshape(reduced, y.shape), x.shape), pool.bound(reduced)) : reduced;
};

/** Fitted operands of a matrix product. */
const product: Grow = (pool) => {
  const a = pool.small(pool.float());
  const b = pool.small(pool.ofDtype(a.dtype));
  const [batch, m, n, k] = [1 + pool.integer(3), 1 + pool.integer(12), 1 + pool.integer(12), 1 + pool.integer(20)];
  const [left, right] = [pool.chance(0.5), pool.chance(0.5)];
  const x = pool.fit(a, [batch, ...(left ? [m, k] : [k, m])]);
  const y = pool.fit(b, [batch, ...(right ? [n, k] : [k, n])]);
  const dot = combine.dot(x, y, { batch: [[0, 0]], contract: [[left ? 2 : 1, right ? 2 : 1]], combine: 'multiply-add' });
  return pool.add(pool.style === 'smooth' ? mul(dot, 1 / k) : dot, 64 * k);
};

const convolution: Grow = (pool) => {
  const a = pool.small(pool.float());
  const b = pool.small(pool.ofDtype(a.dtype));
  const [n, g, c, o] = [1 + pool.integer(2), 1 + pool.integer(2), 1 + pool.integer(3), 1 + pool.integer(4)];
  const size = 3 + pool.integer(6);
  const kernel = 1 + pool.integer(3);
  const attributes = {
    stride: [1 + pool.integer(2), 1 + pool.integer(2)],
    padding: [
      [pool.integer(3), pool.integer(3)],
      [pool.integer(3) - 1, pool.integer(2)],
    ] as const,
    inputDilation: [1 + pool.integer(2), 1],
    kernelDilation: [1, 1 + pool.integer(2)],
    combine: 'multiply-add',
  } as const;
  if ((kernel - 1) * 2 + 1 > size - 1) return undefined;
  const y = combine.conv(pool.fit(a, [n, g, c, size, size]), pool.fit(b, [g, o, c, kernel, kernel]), attributes);
  const terms = c * kernel * kernel;
  return pool.add(pool.style === 'smooth' ? mul(y, 1 / terms) : y, 64 * terms);
};

/** An index in range, from whatever there is. */
function indexInto(pool: Pool, size: number, shape: readonly number[]): Node {
  const source = pool.style === 'smooth' ? pool.leaf(shape, 'int32') : pool.fit(pool.ofDtype('int32'), shape);
  return build.apply('mod', source, filled(size, shape, 'int32'));
}

const indexing: Grow = (pool) => {
  const x = shaped(pool);
  if (x === undefined) return undefined;
  const axis = axisOf(pool, x);
  const count = 1 + pool.integer(9);
  const shape = x.shape.map((size, i) => (i === axis ? count : size));
  const index = indexInto(pool, x.shape[axis] ?? 1, shape);
  if (pool.chance(0.5) || x.dtype === 'bool') return pool.add(combine.gather(x, index, axis), pool.bound(x));
  const source = pool.fit(pool.small(pool.ofDtype(x.dtype)), shape);
  return pool.add(combine.scatterAdd(x, index, source, axis), pool.bound(x) + 8 * count);
};

const sources: Grow = (pool) => {
  if (pool.style === 'smooth' || pool.chance(0.5))
    return pool.add(build.cast(build.iota(1 + pool.integer(60)), pool.style === 'smooth' ? 'float32' : 'int32'), 60);
  const key = build.data(Int32Array.of(pool.integer(1e9), 7), [2], 'int32');
  return pool.add(build.randomBits(key, build.constant(pool.integer(9), 'int32'), pool.shape()), 0);
};

const gradients: Grow = (pool) => {
  const y = pool.float();
  const targets = pool.nodes.filter((node) => isFloat(node.dtype) && pool.chance(3 / pool.nodes.length));
  if (targets.length === 0 || elementCount(y.shape) === 0) return undefined;
  let last: Node | undefined;
  for (const found of gradient(y, undefined, targets)) if (found !== undefined) last = pool.add(found, Infinity);
  return last;
};

const unaryOf =
  (ops: readonly UnaryOp[]): Grow =>
  (pool) => {
    const x = pool.float();
    return pool.add(build.apply(pool.pick(ops), x), pool.bound(x) + 1);
  };

const exactBinary: Grow = (pool) => {
  const x = pool.small(pool.float());
  const y = pool.fit(pool.small(pool.ofDtype(x.dtype)), x.shape);
  const op = pool.pick(['add', 'sub', 'mul', 'max', 'min'] as const satisfies readonly BinaryOp[]);
  return pool.add(build.apply(op, x, y), op === 'mul' ? 64 : 16);
};

const integerBinary: Grow = (pool) => {
  const x = pool.ofDtype(pool.pick(['int32', 'uint8', 'int8']));
  const y = pool.fit(pool.ofDtype(x.dtype), x.shape);
  if (pool.chance(0.15)) return pool.add(build.apply(pool.pick(['not', 'popcount', 'neg', 'abs', 'sign'] as const), x), 0);
  const ops = [
    'add',
    'sub',
    'mul',
    'floorDivide',
    'mod',
    'max',
    'min',
    'and',
    'or',
    'xor',
    'shl',
    'shr',
  ] as const satisfies readonly BinaryOp[];
  return pool.add(build.apply(pool.pick(ops), x, y), 0);
};

const comparison: Grow = (pool) => {
  const x = pool.node() ?? pool.float();
  return pool.add(build.apply(pool.pick(['lt', 'le', 'eq', 'ne'] as const), x, pool.fit(pool.ofDtype(x.dtype), x.shape)), 1);
};

const logic: Grow = (pool) => {
  const x = pool.ofDtype('bool');
  return pool.add(
    build.apply(pool.pick(['and', 'or', 'xor', 'max', 'min', 'eq', 'lt'] as const), x, pool.fit(pool.ofDtype('bool'), x.shape)),
    1,
  );
};

const choice: Grow = (pool) => {
  const x = pool.node() ?? pool.float();
  const y = pool.fit(pool.ofDtype(x.dtype), x.shape);
  const condition = pool.style === 'smooth' ? pool.leaf(x.shape, 'bool') : pool.fit(pool.ofDtype('bool'), x.shape);
  return pool.add(build.where(condition, x, y), Math.max(pool.bound(x), pool.bound(y)));
};

const conversion: Grow = (pool) => {
  const made = pool.cast(pool.node() ?? pool.float(), pool.pick(pool.style === 'smooth' ? ['float32', 'float64'] : all));
  return pool.add(made, pool.bound(made));
};

const routine: Grow = (pool) => {
  const x = pool.node(({ shape, dtype }) => shape.length > 0 && dtype !== 'bool' && elementCount(shape) > 0);
  if (x === undefined) return undefined;
  const axis = axisOf(pool, x);
  const size = x.shape[axis] ?? 1;
  if (pool.style === 'smooth') return pool.add(mul(combine.cumulative(x, { axis, combine: 'sum' }), 1 / size), 1);
  if (pool.chance(0.5))
    return pool.add(combine.sort(x, { axis, descending: pool.chance(0.5), output: pool.pick(['values', 'indices']) }), pool.bound(x));
  const kind = pool.pick(['sum', 'max', 'min'] as const);
  return pool.add(combine.cumulative(x, { axis, combine: kind }), kind === 'sum' ? pool.bound(x) * size : pool.bound(x));
};

const smoothBinary: Grow = (pool) => {
  const x = pool.float();
  const y = pool.fit(pool.ofDtype(x.dtype), x.shape);
  switch (pool.integer(5)) {
    case 0:
      return pool.add(add(x, y), 1);
    case 1:
      return pool.add(build.apply('sub', x, y), 1);
    case 2:
      return pool.add(unary('tanh', mul(x, y)), 1);
    case 3:
      return pool.add(mul(x, sigmoid(y)), 1);
    default:
      return pool.add(binary('div', x, add(mul(y, y), 1)), 1);
  }
};

const smoothUnary: Grow = (pool) => {
  const x = pool.float();
  switch (pool.integer(4)) {
    case 0:
      return pool.add(unary(pool.pick(['tanh', 'sin', 'cos', 'atan', 'erf'] as const), x), 1);
    case 1:
      return pool.add(unary(pool.pick(['exp', 'expm1'] as const), unary('tanh', x)), 1);
    case 2:
      return pool.add(unary(pool.pick(['sqrt', 'log', 'log1p'] as const), add(mul(x, x), 1)), 1);
    default:
      return pool.add(binary('pow', add(mul(x, x), 1), 0.5), 1);
  }
};

const rowChain: Grow = (pool) => {
  const x = pool.node(({ shape, dtype }) => isFloat(dtype) && shape.length > 0 && elementCount(shape) > 0);
  if (x === undefined) return undefined;
  const axis = axisOf(pool, x);
  if (pool.chance(0.5)) return pool.add(softmax(x, axis), 1);
  return pool.add(standardize(add(x, leafLike(pool, x)), axis), 1);
};

/** Noise, so that no row is constant: its variance would be rounding only. */
const leafLike = (pool: Pool, x: Node): Node => pool.leaf(x.shape, x.dtype);

/** Entries with their weights. */
export const menus: Readonly<Record<'exact' | 'smooth', readonly (readonly [Grow, number])[]>> = {
  exact: [
    [anyLeaf, 2],
    [anyVariable, 1],
    [movement, 6],
    [reduction, 4],
    [product, 1.5],
    [convolution, 1],
    [indexing, 1.5],
    [sources, 1],
    [gradients, 0.7],
    [unaryOf(['neg', 'abs', 'sign', 'floor', 'ceil', 'round', 'trunc']), 2],
    [exactBinary, 5],
    [integerBinary, 2],
    [comparison, 1.5],
    [logic, 0.7],
    [choice, 1.5],
    [conversion, 1.5],
    [routine, 0.5],
  ],
  smooth: [
    [anyLeaf, 1.5],
    [anyVariable, 1],
    [movement, 5],
    [reduction, 3],
    [product, 1.5],
    [convolution, 1],
    [indexing, 1],
    [sources, 0.3],
    [gradients, 0.7],
    [smoothUnary, 4],
    [smoothBinary, 5],
    [choice, 0.7],
    [conversion, 0.7],
    [routine, 0.4],
    [rowChain, 2],
  ],
};
