// The shape classes: ways in which an operand can lie in memory, from a scalar to windows of a padded, flipped slice.
import { build, elementCount, move, type Dtype, type Node, type Shape } from '@athanor/core/backend';
import { leaf, type Range } from './values.ts';

export interface ShapeClass {
  readonly name: string;
  /** Shape of the leaf in memory. */
  readonly source: Shape;
  /** The operand that operations see. */
  readonly view: (source: Node, fill: number) => Node;
}

const plain = (name: string, source: Shape): ShapeClass => ({ name, source, view: (x) => x });

/** Contiguous operands. */
export const plainShapes: readonly ShapeClass[] = [
  plain('scalar', []),
  plain('one element', [1]),
  plain('vector of 7', [7]),
  plain('vector of 1030', [1030]),
  plain('odd sizes', [3, 5, 7]),
  plain('size-1 axes', [1, 4, 1, 3, 1]),
  plain('empty', [2, 0, 3]),
];

/** Operands that lie in memory in another way than they are read. */
export const viewShapes: readonly ShapeClass[] = [
  { name: 'transposed', source: [19, 37], view: (x) => move.permute(x, [1, 0]) },
  { name: 'permuted', source: [3, 4, 5, 6], view: (x) => move.permute(x, [2, 0, 3, 1]) },
  { name: 'expanded inside', source: [5, 1, 9], view: (x) => move.expand(x, [5, 6, 9]) },
  { name: 'expanded at both ends', source: [1, 11, 1], view: (x) => move.expand(x, [4, 11, 33]) },
  { name: 'sliced with steps', source: [17, 41], view: (x) => move.slice(x, [1, 2], [16, 40], [3, 2]) },
  {
    name: 'padded',
    source: [5, 13],
    view: (x, fill) =>
      move.pad(
        x,
        [
          [2, 1],
          [3, 4],
        ],
        fill,
      ),
  },
  { name: 'flipped', source: [6, 35], view: (x) => move.flip(x, [0, 1]) },
  { name: 'windowed', source: [4, 21], view: (x) => move.window(x, 1, { size: 5, stride: 2, dilation: 2 }) },
  { name: 'reshaped after a transposition', source: [6, 10], view: (x) => move.reshape(move.permute(x, [1, 0]), [4, 15]) },
  { name: 'merged after an expansion', source: [3, 1, 8], view: (x) => move.reshape(move.expand(x, [3, 5, 8]), [15, 8]) },
  {
    name: 'padded, flipped and sliced',
    source: [7, 9],
    view: (x, fill) =>
      move.slice(
        move.flip(
          move.pad(
            x,
            [
              [1, 1],
              [2, 3],
            ],
            fill,
          ),
          [1],
        ),
        [0, 1],
        [9, 14],
        [2, 3],
      ),
  },
  { name: 'windows of a padded image', source: [2, 6, 7], view: paddedWindows },
  {
    name: 'split and merged axes',
    source: [12, 10],
    view: (x) => move.reshape(move.permute(move.reshape(x, [3, 4, 10]), [0, 2, 1]), [30, 4]),
  },
];

function paddedWindows(x: Node, fill: number): Node {
  const padded = move.pad(
    x,
    [
      [0, 0],
      [1, 1],
      [1, 1],
    ],
    fill,
  );
  const windows = move.window(move.window(padded, 1, { size: 3 }), 2, { size: 3 });
  return move.permute(windows, [0, 3, 4, 1, 2]);
}

export const allShapes: readonly ShapeClass[] = [...plainShapes, ...viewShapes];

export interface Operand {
  readonly source: Node;
  readonly value: Node;
}

/** A leaf, and the view of it. `fill` is what pads it; it should lie in the operation's domain. */
export function operandOf(
  shape: ShapeClass,
  dtype: Dtype,
  options: { readonly seed: number; readonly range?: Range | undefined; readonly fill?: number },
): Operand {
  const source =
    options.range === undefined ? leaf(shape.source, dtype, options.seed) : leaf(shape.source, dtype, options.seed, options.range);
  return { source, value: shape.view(source, options.fill ?? 1) };
}

/** A scalar constant expanded to a shape. */
export function filled(value: number, shape: Shape, dtype: Dtype): Node {
  const ones = move.reshape(
    build.constant(value, dtype),
    shape.map(() => 1),
  );
  return move.expand(ones, shape);
}

/** All elements of a node as one vector. */
export function flat(x: Node): Node {
  return move.reshape(x, [elementCount(x.shape)]);
}
