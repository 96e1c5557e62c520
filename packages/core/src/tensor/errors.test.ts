// What people read when shapes, dtypes or axes do not fit: the method that they called, both shapes, the module's path.
import { expect, test } from 'vitest';
import * as nn from '../nn/index.ts';
import type { Dtype } from '../dtype.ts';
import { cat, stack, tensor, where, zeros } from './create.ts';
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

test('what callers without types get wrong', () => {
  const loose = x as unknown as Record<'add' | 'mul' | 'to', (...inputs: unknown[]) => unknown>;
  expect(
    messages([
      () => loose.add('1'),
      () => loose.mul(),
      () => loose.add([1, 2, 3]),
      () => loose.to('float16'),
      () => zeros([1], { dtype: 'int64' as Dtype }),
      () => tensor('abc' as unknown as number),
      () => x.chunk(0),
      () => x.repeat(-1, 2),
      () => x.roll([1, 2], [0]),
      () => x.diagonal(0, 0),
      () => stack([]),
    ]),
  ).toMatchInlineSnapshot(`
    "UserError: add (in module blocks.0): a value of type string where a tensor or a number is needed — make a tensor of it: tensor(…)
    UserError: mul (in module blocks.0): a value of type undefined where a tensor or a number is needed — make a tensor of it: tensor(…)
    UserError: add (in module blocks.0): an array where a tensor or a number is needed — make a tensor of it: tensor(…)
    DtypeError: to (in module blocks.0): there is no dtype "float16" — dtypes are float32, float64, int32, uint8, int8, bool
    DtypeError: constant (in module blocks.0): there is no dtype "int64" — dtypes are float32, float64, int32, uint8, int8, bool
    UserError: tensor: a value of type string among the numbers — give numbers, booleans, or arrays of them
    UserError: chunk (in module blocks.0): 0 parts — give a whole number from 1
    ShapeError: repeat (in module blocks.0): [-1, 2] times — give whole numbers from 0
    UserError: roll (in module blocks.0): 2 shifts for 1 axes — give one for each
    ShapeError: diagonal (in module blocks.0): axes 0 and 0 of [2, 3] are one — name two axes
    UserError: stack (in module blocks.0): no tensors"
  `);
});

test('options of layers and functions', () => {
  const { functional } = nn;
  const image = zeros([2, 3, 8, 8]);
  const sequence = zeros([2, 3, 4]);
  expect(
    messages([
      () => new nn.Conv2d(3, 4, 3, { groups: 2 }),
      () => new nn.Conv2d(3, 4, 0),
      () => new nn.Conv2d(3, 4, 3, { stride: 0 }).forward(image),
      () => new nn.Conv2d(3, 4, 3, { dilation: [1, 0] }).forward(image),
      () => new nn.Conv2d(3, 4, 3, { padding: 'smae' as 'same' }).forward(image),
      () => new nn.Conv2d(3, 4, 3, { padding: 'same', stride: 2 }).forward(image),
      () => new nn.ConvTranspose2d(3, 4, 3, { outputPadding: 2 }).forward(image),
      () => new nn.MaxPool2d(2, { stride: 0 }).forward(image),
      () => new nn.MaxPool2d(2, { padding: 2 }).forward(image),
      () => new nn.AvgPool2d(9).forward(image),
      () => new nn.AdaptiveAvgPool2d(0).forward(image),
      () => new nn.PixelShuffle(2).forward(image),
      () => new nn.ChannelShuffle(2).forward(image),
      () => new nn.ReflectionPad2d(9).forward(image),
      () => functional.interpolate(image, { size: 4, mode: 'cubic' as 'bicubic' }),
      () => functional.interpolate(image, { size: [2, 2, 2] }),
      () => functional.interpolate(image, {}),
      () => new nn.Dropout(1.5),
      () => new nn.MultiheadAttention(5, 2),
      () => new nn.MultiheadAttention(4, 2).forward(zeros([3, 2, 6])),
      () => functional.scaledDotProductAttention(sequence, zeros([2, 5, 6]), sequence),
      () => new nn.LSTM(4, 5).forward(zeros([2, 3, 5])),
      () => new nn.LSTM(4, 5).forward(x),
      () => new nn.GRUCell(3, 5).forward(x, zeros([2, 4])),
      () => new nn.Embedding(4, 5).forward(x),
      () => new nn.Sequential(new nn.Linear(3, 4), new nn.ReLU(), new nn.Linear(5, 2)).forward(x),
      () => new nn.Residual(new nn.Linear(3, 4)).forward(x),
      () => functional.gaussianNllLoss(x, x, zeros([4, 3])),
      () => functional.multiMarginLoss(x, x),
    ]),
  ).toMatchInlineSnapshot(`
    "ShapeError: Conv2d: 3 input and 4 output channels do not divide into 2 groups — both must be multiples of groups
    UserError: Conv2d kernel (in module blocks.0): 0 — give whole numbers from 1
    UserError: conv2d stride (in module blocks.0.Conv2d): 0 — give whole numbers from 1
    UserError: conv2d dilation (in module blocks.0.Conv2d): [1, 0] — give whole numbers from 1
    UserError: conv2d padding (in module blocks.0.Conv2d): "smae" — give one number, or 2
    UserError: conv2d (in module blocks.0.Conv2d): padding "same" with stride [2, 2] — give the padding in numbers
    UserError: convTranspose2d (in module blocks.0.ConvTranspose2d): output padding [2, 2] is not smaller than stride or dilation
    UserError: maxPool stride (in module blocks.0.MaxPool2d): 0 — give whole numbers from 1
    UserError: maxPool (in module blocks.0.MaxPool2d): padding [2, 2] is more than half of the kernel [2, 2] — some windows would lie in the padding
    ShapeError: avgPool (in module blocks.0.AvgPool2d): a kernel [9, 9] does not fit [2, 3, 8, 8]
    UserError: adaptiveAvgPool output (in module blocks.0.AdaptiveAvgPool2d): 0 — give whole numbers from 1
    ShapeError: pixelShuffle (in module blocks.0.PixelShuffle): axis 1 of input [2, 3, 8, 8] does not divide by 4
    ShapeError: channelShuffle (in module blocks.0.ChannelShuffle): axis 1 of input [2, 3, 8, 8] does not divide by 2
    ShapeError: pad (in module blocks.0.ReflectionPad2d): reflect padding [9, 9] for axis 2 of [2, 3, 8, 8] — it holds elements for at most 7 on a side
    UserError: interpolate (in module blocks.0): there is no mode "cubic" — modes are nearest, nearest-exact, area, linear, bilinear, trilinear, bicubic
    UserError: interpolate size (in module blocks.0): [2, 2, 2] names 3 axes — give one number, or 2
    UserError: interpolate (in module blocks.0): needs either size or scaleFactor
    UserError: Dropout (in module blocks.0): p is 1.5 — give a share from 0 to 1
    UserError: MultiheadAttention: width 5 does not divide into 2 heads
    ShapeError: linear (in module blocks.0.MultiheadAttention): input [2, 3, 6] and weight [out, in] [12, 4] do not fit — the input's last axis must have size 4
    ShapeError: scaledDotProductAttention (in module blocks.0): query [2, 3, 4], key [2, 5, 6] and value [2, 3, 4] do not fit — they are [..., L, E], [..., S, E] and [..., S, V]
    ShapeError: linear (in module blocks.0.LSTM): input [2, 3, 5] and weight [out, in] [20, 4] do not fit — the input's last axis must have size 4
    ShapeError: lstm (in module blocks.0.LSTM): input [2, 3] is not [T, N, I] — give at least one step, and a batch axis
    ShapeError: linear (in module blocks.0.GRUCell): input [2, 4] and weight [out, in] [15, 5] do not fit — the input's last axis must have size 5
    DtypeError: embedding (in module blocks.0.Embedding): indices of dtype float32 — give integers
    ShapeError: linear (in module blocks.0.Sequential.2): input [2, 4] and weight [out, in] [2, 5] do not fit — the input's last axis must have size 5
    ShapeError: Residual (in module blocks.0.Residual): the body gives [2, 4], the shortcut [2, 3] — give a shortcut that makes them equal
    ShapeError: gaussianNllLoss (in module blocks.0): cannot broadcast [2, 3] with [4, 3] — sizes 2 and 4 of axis -2 must be equal, or one of them 1
    ShapeError: multiMarginLoss (in module blocks.0): input [2, 3] and target [2, 3] do not fit — inputs are [N, C] or [C], targets [N] or []"
  `);
});

test('state that does not fit', () => {
  const w = new nn.Parameter({ name: 'w', shape: [2, 3] });
  expect(
    messages([() => w.assign(y), () => w.assign(whole), () => new nn.SGD([w], { lr: 0.1 }).apply([y]), () => nn.loadState({ w }, { w: y, v: x })]),
  ).toMatchInlineSnapshot(`
    "ShapeError: w has shape [2, 3]: a value of shape [4, 5] cannot be assigned
    DtypeError: w is float32: a value of int32 cannot be assigned — use to('float32')
    ShapeError: w [2, 3]: a gradient of shape [4, 5]
    UserError: the state does not fit:
      w is float32 [2, 3] here, but float32 [4, 5] in what is loaded
      v is not expected — load with { strict: false } to take what has a place"
  `);
});
