// An LSTM that reads an image as a sequence: row by row, or pixel by pixel in a shuffled order (Le, Jaitly & Hinton 2015,
// arXiv 1504.00941), the test bed of normalization in recurrent networks.
import { UserError, tensor, threefry2x32, type Tensor } from '@athanor/core';
import { AvgPool2d, Linear, Module } from '@athanor/core/nn';
import { NormalizedLSTM, type StepNormFactory } from '@athanor/norm';
import { imageShape } from './style.ts';

export interface LSTMClassifierOptions {
  /** Units of the LSTM; 100 unless given. */
  readonly width?: number;
  /** Normalization inside the LSTM; none unless given. */
  readonly norm?: StepNormFactory;
  /** Side of the squares of pixels that are averaged first; 1 unless given. */
  readonly pool?: number;
  /** Steps in which the pixels are read, as many each; the image's height (row by row) unless given. */
  readonly steps?: number;
  /** Shuffles the pixels, all images alike, by this seed. */
  readonly permutation?: number | undefined;
  /** Standard deviation of the noise on the first hidden state in training; 0 unless given. */
  readonly noise?: number;
}

/** The numbers below `count` in an order that a seed decides (Fisher and Yates). */
function shuffled(count: number, seed: number): Int32Array {
  const order = Int32Array.from({ length: count }, (_, i) => i);
  const block = new Uint32Array(2);
  for (let i = count - 1; i > 0; i--) {
    threefry2x32(seed, 0, i, 0, block);
    const j = Math.floor(((block[0] ?? 0) / 2 ** 32) * (i + 1));
    [order[i], order[j]] = [order[j] ?? 0, order[i] ?? 0];
  }
  return order;
}

/** [N, C, H, W] → [N, classes]: pixels, channels last, as a sequence [N, T, ·], the last hidden state, and a linear layer. */
export class LSTMClassifier extends Module {
  readonly lstm: NormalizedLSTM;
  readonly head: Linear;
  readonly steps: number;
  readonly pool: AvgPool2d | undefined;
  /** Where the i-th value of the shuffled sequence stands in the image. */
  readonly order: Int32Array | undefined;

  constructor(input: readonly number[], classes: number, options: LSTMClassifierOptions = {}) {
    super();
    const { width = 100, pool = 1, permutation, noise = 0, norm } = options;
    const [channels, height, breadth] = imageShape(input, 'LSTMClassifier');
    const [rows, columns] = [Math.floor(height / pool), Math.floor(breadth / pool)];
    const { steps = rows } = options;
    const pixels = rows * columns;
    if (!(pixels > 0 && Number.isInteger(steps) && steps > 0 && pixels % steps === 0)) {
      throw new UserError(`LSTMClassifier: ${rows}×${columns} pixels in ${steps} steps`, { remedy: `give a divisor of ${pixels}` });
    }
    this.steps = steps;
    this.pool = pool === 1 ? undefined : new AvgPool2d(pool);
    this.order = permutation === undefined ? undefined : shuffled(pixels, permutation);
    this.lstm = new NormalizedLSTM((channels * pixels) / steps, width, { steps, noise, ...(norm === undefined ? {} : { norm }) });
    this.head = new Linear(width, classes);
  }

  override forward(x: Tensor): Tensor {
    return this.head.forward(this.lstm.forward(this.sequence(x)).h);
  }

  /** The sequence [N, T, ·] that an image is read as. */
  sequence(x: Tensor): Tensor {
    const pooled = this.pool?.forward(x) ?? x;
    const pixels = pooled.flatten(2).transpose(1, 2);
    const read = this.order === undefined ? pixels : pixels.indexSelect(1, tensor(this.order, { dtype: 'int32' }));
    return read.reshape(x.shape[0] ?? 0, this.steps, -1);
  }
}
