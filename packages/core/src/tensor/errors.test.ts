// What people read when shapes, dtypes or axes do not fit: the method that they called, both shapes, the module's path.
import { expect, test } from 'vitest';
import * as nn from '../nn/index.ts';
import { cat, stack, where, zeros } from './create.ts';
import { einsum } from './einsum.ts';
import type { Tensor } from './tensor.ts';

class Faulty extends nn.Module {
  readonly mistake: () => unknown;

  constructor(mistake: () => unknown) {
    super();
    this.mistake = mistake;
  }

  override forward(): unknown {
    return this.mistake();
  }
}

class Outer extends nn.Module {
  readonly blocks: Faulty[];

  constructor(mistake: () => unknown) {
    super();
    this.blocks = [new Faulty(mistake)];
  }

  override forward(): unknown {
    return this.blocks[0]?.forward();
  }
}

/** The messages of mistakes made inside the module "blocks.0", one a line. */
function messages(mistakes: readonly (() => unknown)[]): string {
  return mistakes
    .map((mistake) => {
      try {
        return `no error: ${String(new Outer(mistake).forward())}`;
      } catch (error) {
        return String(error);
      }
    })
    .join('\n');
}

const x = zeros([2, 3]);
const y = zeros([4, 5]);
const whole = zeros([2, 3], { dtype: 'int32' });
const flags = x.gt(0);

test('operands that do not broadcast', () => {
  const binary = ['add', 'rsub', 'rdiv', 'floorDivide', 'remainder', 'fmod', 'pow', 'maximum', 'clamp', 'gt', 'le', 'and', 'lerp', 'atan2', 'isClose', 'where', 'maskedFill'] as const;
  const call = (name: (typeof binary)[number]) => (): unknown => {
    const method = x[name] as (...inputs: unknown[]) => Tensor;
    if (name === 'where') return method.call(x, flags, y);
    if (name === 'maskedFill') return method.call(x, y.gt(0), 1);
    return method.call(name === 'and' ? whole : x, name === 'and' ? y.to('int32') : y, 0.5);
  };
  expect(messages(binary.map(call))).toMatchInlineSnapshot(`
    "ShapeError: add (in module blocks.0): cannot broadcast [2, 3] with [4, 5] — sizes 2 and 4 of axis -2 must be equal, or one of them 1
    ShapeError: rsub (in module blocks.0): cannot broadcast [4, 5] with [2, 3] — sizes 4 and 2 of axis -2 must be equal, or one of them 1
    ShapeError: rdiv (in module blocks.0): cannot broadcast [4, 5] with [2, 3] — sizes 4 and 2 of axis -2 must be equal, or one of them 1
    ShapeError: floorDivide (in module blocks.0): cannot broadcast [2, 3] with [4, 5] — sizes 2 and 4 of axis -2 must be equal, or one of them 1
    ShapeError: remainder (in module blocks.0): cannot broadcast [2, 3] with [4, 5] — sizes 2 and 4 of axis -2 must be equal, or one of them 1
    ShapeError: fmod (in module blocks.0): cannot broadcast [2, 3] with [4, 5] — sizes 2 and 4 of axis -2 must be equal, or one of them 1
    ShapeError: pow (in module blocks.0): cannot broadcast [2, 3] with [4, 5] — sizes 2 and 4 of axis -2 must be equal, or one of them 1
    ShapeError: maximum (in module blocks.0): cannot broadcast [2, 3] with [4, 5] — sizes 2 and 4 of axis -2 must be equal, or one of them 1
    ShapeError: clamp (in module blocks.0): cannot broadcast [2, 3] with [4, 5] — sizes 2 and 4 of axis -2 must be equal, or one of them 1
    ShapeError: gt (in module blocks.0): cannot broadcast [4, 5] with [2, 3] — sizes 4 and 2 of axis -2 must be equal, or one of them 1
    ShapeError: le (in module blocks.0): cannot broadcast [2, 3] with [4, 5] — sizes 2 and 4 of axis -2 must be equal, or one of them 1
    ShapeError: and (in module blocks.0): cannot broadcast [2, 3] with [4, 5] — sizes 2 and 4 of axis -2 must be equal, or one of them 1
    ShapeError: lerp (in module blocks.0): cannot broadcast [2, 3] with [4, 5] — sizes 2 and 4 of axis -2 must be equal, or one of them 1
    ShapeError: atan2 (in module blocks.0): cannot broadcast [2, 3] with [4, 5] — sizes 2 and 4 of axis -2 must be equal, or one of them 1
    ShapeError: isClose (in module blocks.0): cannot broadcast [2, 3] with [4, 5] — sizes 2 and 4 of axis -2 must be equal, or one of them 1
    ShapeError: where (in module blocks.0): cannot broadcast [2, 3] with [4, 5] — sizes 2 and 4 of axis -2 must be equal, or one of them 1
    ShapeError: maskedFill (in module blocks.0): cannot broadcast [4, 5] with [2, 3] — sizes 4 and 2 of axis -2 must be equal, or one of them 1"
  `);
});

test('products and joins', () => {
  expect(
    messages([
      () => x.matmul(y),
      () => x.bmm(y),
      () => x.dot(y),
      () => einsum('ij,jk->ik', x, y),
      () => cat([x, y]),
      () => stack([x, y]),
      () => x.scatterAdd(1, whole, y),
      () => x.gather(1, y.to('int32')),
    ]),
  ).toMatchInlineSnapshot(`
    "ShapeError: matmul (in module blocks.0): [2, 3] times [4, 5] — the last axis of the first must equal the last but one of the second
    ShapeError: bmm (in module blocks.0): [2, 3] and [4, 5] — it takes ranks 3 and 3; matmul takes any
    ShapeError: dot (in module blocks.0): [2, 3] and [4, 5] — it takes ranks 1 and 1; matmul takes any
    ShapeError: einsum (in module blocks.0): axis "j" of "ij,jk->ik" has sizes 3 and 4 in [2, 3], [4, 5]
    ShapeError: cat (in module blocks.0): [2, 3] and [4, 5] cannot be joined along axis 0 — all other sizes must be equal
    ShapeError: stack (in module blocks.0): shapes [2, 3] and [4, 5] differ
    ShapeError: scatterAdd (in module blocks.0): index [2, 3] and source [4, 5] differ
    ShapeError: gather (in module blocks.0): index [4, 5] does not fit [2, 3] along axis 1 — ranks must be equal, and other axes not longer"
  `);
});

test('axes and places that do not exist', () => {
  expect(
    messages([
      ...(['sum', 'max', 'any', 'mean', 'var', 'std', 'argmax', 'softmax', 'cumsum', 'median', 'argsort', 'unbind', 'unsqueeze'] as const).map((name) => () => (x[name] as (axis: number) => unknown).call(x, 5)),
      () => x.norm(2, 5),
      () => zeros([0, 3]).max(0),
      () => x.narrow(1, 2, 3),
      () => x.topk(5),
      () => x.unfold(1, 5, 1),
      () => x.at(0, -4),
    ]),
  ).toMatchInlineSnapshot(`
    "ShapeError: sum (in module blocks.0): axis 5 does not exist in a tensor of rank 2 — use -2 … 1
    ShapeError: max (in module blocks.0): axis 5 does not exist in a tensor of rank 2 — use -2 … 1
    ShapeError: any (in module blocks.0): axis 5 does not exist in a tensor of rank 2 — use -2 … 1
    ShapeError: mean (in module blocks.0): axis 5 does not exist in a tensor of rank 2 — use -2 … 1
    ShapeError: var (in module blocks.0): axis 5 does not exist in a tensor of rank 2 — use -2 … 1
    ShapeError: std (in module blocks.0): axis 5 does not exist in a tensor of rank 2 — use -2 … 1
    ShapeError: argmax (in module blocks.0): axis 5 does not exist in a tensor of rank 2 — use -2 … 1
    ShapeError: softmax (in module blocks.0): axis 5 does not exist in a tensor of rank 2 — use -2 … 1
    ShapeError: cumsum (in module blocks.0): axis 5 does not exist in a tensor of rank 2 — use -2 … 1
    ShapeError: median (in module blocks.0): axis 5 does not exist in a tensor of rank 2 — use -2 … 1
    ShapeError: argsort (in module blocks.0): axis 5 does not exist in a tensor of rank 2 — use -2 … 1
    ShapeError: unbind (in module blocks.0): axis 5 does not exist in a tensor of rank 2 — use -2 … 1
    ShapeError: unsqueeze (in module blocks.0): axis 5 does not exist in a tensor of rank 3 — use -3 … 2
    ShapeError: norm (in module blocks.0): axis 5 does not exist in a tensor of rank 2 — use -2 … 1
    ShapeError: max (in module blocks.0): nothing to reduce over in shape [0, 3]
    ShapeError: narrow (in module blocks.0): 3 elements from 2 on are not in axis 1 of [2, 3]
    ShapeError: topk (in module blocks.0): 5 of axis -1 of [2, 3]
    ShapeError: unfold (in module blocks.0): a window of 5 every 1 along axis 1 of [2, 3]
    ShapeError: at (in module blocks.0): position -4 is not in axis 0 of [3]"
  `);
});

test('shapes that do not hold the elements', () => {
  expect(
    messages([() => x.reshape(4, 2), () => x.reshape(-1, -1), () => x.unflatten(1, [2, 2]), () => x.expand(4, 3), () => x.broadcastTo(4, 3), () => x.split([1, 1], 1), () => x.permute(0, 0), () => x.pad([1])]),
  ).toMatchInlineSnapshot(`
    "ShapeError: reshape (in module blocks.0): [2, 3] has 6 elements, [4, 2] has 8
    ShapeError: reshape (in module blocks.0): [-1, -1] leaves more than one size open
    ShapeError: unflatten (in module blocks.0): [2, 2] do not make axis 1 of [2, 3]
    ShapeError: expand (in module blocks.0): [2, 3] does not expand to [4, 3] — only axes of size 1 grow
    ShapeError: broadcastTo (in module blocks.0): cannot broadcast [2, 3] with [4, 3] — sizes 2 and 4 of axis -2 must be equal, or one of them 1
    ShapeError: split (in module blocks.0): parts [1, 1] do not add up to 3, axis 1 of [2, 3]
    ShapeError: permute (in module blocks.0): [0, 0] does not name each of 2 axes once
    ShapeError: pad (in module blocks.0): 1 paddings for shape [2, 3] — give a low and a high one per axis, from the last axis"
  `);
});

test('dtypes that do not fit', () => {
  expect(
    messages([() => x.and(x), () => x.not(), () => flags.neg(), () => flags.matmul(flags.T), () => x.gather(1, x), () => x.at(flags), () => where(x, x, 0), () => x.maskedFill(x, 0), () => x.bitcast('int8'), () => x.scatterAdd(1, whole, whole)]),
  ).toMatchInlineSnapshot(`
    "DtypeError: and (in module blocks.0): does not work on float32 — cast to an integer type or bool first
    DtypeError: not (in module blocks.0): does not work on float32 — cast to an integer type or bool first
    DtypeError: neg (in module blocks.0): does not work on bool — cast to a number type first
    DtypeError: matmul (in module blocks.0): does not work on bool — cast to float32 first
    DtypeError: gather (in module blocks.0): an index of dtype float32 — cast it to int32
    DtypeError: at (in module blocks.0): an index of dtype bool — the result would have no fixed shape: use where or maskedFill
    DtypeError: where (in module blocks.0): the condition is float32 [2, 3] — compare it (x.gt(0)), or cast it to bool
    DtypeError: maskedFill (in module blocks.0): the condition is float32 [2, 3] — compare it (x.gt(0)), or cast it to bool
    DtypeError: bitcast (in module blocks.0): float32 and int8 differ in width
    DtypeError: scatterAdd (in module blocks.0): dtypes float32 and int32 differ"
  `);
});

test('layers and losses', () => {
  const { functional } = nn;
  const labels = zeros([2], { dtype: 'int32' });
  expect(
    messages([
      () => functional.linear(x, y),
      () => functional.linear(x, zeros([4, 3]), zeros([5])),
      () => functional.convolution(zeros([1, 2, 5]), zeros([3, 3, 2])),
      () => functional.convolution(zeros([1, 2, 3]), zeros([3, 2, 5])),
      () => functional.convolution(zeros([1, 2, 5]), zeros([3, 2, 2]), { bias: zeros([4]) }),
      () => functional.maxPool(x, { kernel: 2 }),
      () => functional.mseLoss(x, y),
      () => functional.crossEntropy(x, labels, { weight: zeros([4]) }),
      () => functional.nllLoss(x, x),
      () => functional.binaryCrossEntropy(x, x, { weight: zeros([7, 2, 3]) }),
      () => functional.cosineSimilarity(x, y),
      () => functional.embedding(whole, x.sum()),
    ]),
  ).toMatchInlineSnapshot(`
    "ShapeError: linear (in module blocks.0): input [2, 3] and weight [out, in] [4, 5] do not fit — the input's last axis must have size 5
    ShapeError: linear (in module blocks.0): a bias of shape [5] for weight [out, in] [4, 3]
    ShapeError: conv1d (in module blocks.0): input [1, 2, 5] and weight [3, 3, 2] with 1 groups do not fit — the weight is [outputs, channels / groups, …kernel]
    ShapeError: conv1d (in module blocks.0): weight [3, 2, 5] is larger than input [1, 2, 3] with its padding
    ShapeError: conv1d (in module blocks.0): a bias of shape [4] for 3 channels
    ShapeError: maxPool (in module blocks.0): input [2, 3] is not [N, C, …]
    ShapeError: mseLoss (in module blocks.0): input [2, 3] and target [4, 5] differ — reshape one of them; losses do not broadcast
    ShapeError: crossEntropy (in module blocks.0): weight [4] for 3 classes — give one weight per class
    DtypeError: nllLoss (in module blocks.0): class indices of dtype float32 — give integers
    ShapeError: binaryCrossEntropy (in module blocks.0): weight [7, 2, 3] does not broadcast to the losses' [2, 3]
    ShapeError: cosineSimilarity (in module blocks.0): cannot broadcast [2, 3] with [4, 5] — sizes 2 and 4 of axis -2 must be equal, or one of them 1
    ShapeError: embedding (in module blocks.0): the table [] is not [count, width]"
  `);
});
