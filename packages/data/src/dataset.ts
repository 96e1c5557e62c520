// What a data set is here: contiguous samples with integer labels in memory, and how to take parts of one.
import { UserError } from '@athanor/core';
import { streamKey } from './random.ts';
import { permutation } from './order.ts';

/** Mean and standard deviation of each channel (or of each column of a table), of inputs scaled to [0, 1] if bytes. */
export interface Statistics {
  readonly mean: readonly number[];
  readonly std: readonly number[];
}

/** A labelled set of equally shaped samples in memory. */
export interface Dataset {
  readonly name: string;
  /** Number of samples. */
  readonly length: number;
  /** Shape of one sample, `[C, H, W]` for images, `[features]` for tables. */
  readonly inputShape: readonly number[];
  /** All samples one after the other. Bytes stand for the values 0/255 … 255/255. */
  readonly inputs: Uint8Array | Float32Array;
  /** One class index a sample. */
  readonly labels: Int32Array;
  /** Name of each class. */
  readonly classes: readonly string[];
  /** Known statistics of the training split, for normalisation. */
  readonly statistics?: Statistics;
}

/** A data set's training and test parts. */
export interface DatasetSplits {
  readonly name: string;
  readonly train: Dataset;
  readonly test: Dataset;
  readonly classes: readonly string[];
  /** Shape of one sample. */
  readonly shape: readonly number[];
}

/** Number of values in one sample. */
export function sampleSize(inputShape: readonly number[]): number {
  return inputShape.reduce((product, size) => product * size, 1);
}

/**
 * Checks the parts of a data set against each other and returns it.
 * @throws UserError when lengths disagree, the set is empty, or a label names no class.
 */
export function createDataset(parts: Omit<Dataset, 'length'>): Dataset {
  const { name, inputs, labels, inputShape, classes, statistics } = parts;
  const size = sampleSize(inputShape);
  if (labels.length === 0) throw new UserError(`data set ${name} is empty`);
  if (inputs.length !== labels.length * size) {
    throw new UserError(
      `data set ${name} has ${labels.length} labels but ${inputs.length} input values; ` +
        `samples of shape [${inputShape.join(', ')}] need ${labels.length * size}`,
    );
  }
  const bad = labels.findIndex((label) => label < 0 || label >= classes.length);
  if (bad >= 0) {
    throw new UserError(
      `data set ${name}: sample ${bad} has label ${labels[bad]}, but there are ${classes.length} classes`,
    );
  }
  const channels = inputShape[0];
  if (statistics !== undefined && (statistics.mean.length !== channels || statistics.std.length !== channels)) {
    throw new UserError(
      `data set ${name}: ${statistics.mean.length} means and ${statistics.std.length} standard deviations for ${channels} channels`,
    );
  }
  return { ...parts, length: labels.length };
}

/** The splits of a data set; the test part must have the training part's shape and classes. */
export function createSplits(name: string, train: Dataset, test: Dataset): DatasetSplits {
  if (train.inputShape.join() !== test.inputShape.join()) {
    throw new UserError(
      `data set ${name}: training samples have shape [${train.inputShape.join(', ')}], ` +
        `test samples [${test.inputShape.join(', ')}]`,
    );
  }
  if (train.classes.join('\n') !== test.classes.join('\n')) {
    throw new UserError(
      `data set ${name}: the training part has classes ${train.classes.join(', ')}, the test part ${test.classes.join(', ')}`,
    );
  }
  return { name, train, test, classes: train.classes, shape: train.inputShape };
}

/** The samples at the given indices, in that order. */
export function select(dataset: Dataset, indices: ArrayLike<number>): Dataset {
  const size = sampleSize(dataset.inputShape);
  const Inputs = dataset.inputs instanceof Uint8Array ? Uint8Array : Float32Array;
  const inputs = new Inputs(indices.length * size);
  const labels = new Int32Array(indices.length);
  for (let row = 0; row < indices.length; row++) {
    const index = indices[row];
    const label = index === undefined ? undefined : dataset.labels[index];
    if (index === undefined || label === undefined) {
      throw new UserError(`data set ${dataset.name} has ${dataset.length} samples; there is no sample ${index}`);
    }
    inputs.set(dataset.inputs.subarray(index * size, (index + 1) * size), row * size);
    labels[row] = label;
  }
  return { ...dataset, length: indices.length, inputs, labels };
}

/**
 * `count` sample indices in ascending order, each class as frequent as in the whole (largest remainder),
 * chosen at random by `seed`. With balanced classes a smaller choice is part of a larger one with the same seed.
 */
export function stratifiedIndices(dataset: Dataset, count: number, seed: number): Int32Array {
  if (!Number.isInteger(count) || count < 1 || count > dataset.length) {
    throw new UserError(`cannot take ${count} samples of ${dataset.name}, which has ${dataset.length}`, {
      remedy: `ask for 1 to ${dataset.length}`,
    });
  }
  const members: number[][] = dataset.classes.map(() => []);
  dataset.labels.forEach((label, index) => members[label]?.push(index));
  const quotas = largestRemainder(
    members.map((list) => list.length),
    count,
  );
  const chosen: number[] = [];
  members.forEach((list, label) => {
    const order = permutation(list.length, streamKey(seed, 'stratified', label));
    for (const position of order.subarray(0, quotas[label])) {
      const index = list[position];
      if (index !== undefined) chosen.push(index);
    }
  });
  return Int32Array.from(chosen).sort();
}

/** The samples of `stratifiedIndices`. */
export function stratified(dataset: Dataset, count: number, seed: number): Dataset {
  return count === dataset.length ? dataset : select(dataset, stratifiedIndices(dataset, count, seed));
}

/** Shares of `total` in proportion to the sizes; what rounding leaves goes to the largest remainders, the first on ties. */
function largestRemainder(sizes: readonly number[], total: number): number[] {
  const sum = sizes.reduce((left, right) => left + right, 0);
  const exact = sizes.map((size) => (size * total) / sum);
  const shares = exact.map(Math.floor);
  const left = total - shares.reduce((a, b) => a + b, 0);
  exact
    .map((share, index) => ({ index, remainder: share - Math.floor(share) }))
    .sort((a, b) => b.remainder - a.remainder || a.index - b.index)
    .slice(0, left)
    .forEach(({ index }) => {
      shares[index] = (shares[index] ?? 0) + 1;
    });
  return shares;
}

/** Splits at random, keeping class frequencies: `testFraction` of the samples (0 to 1) become the test part. */
export function splitDataset(dataset: Dataset, options: { testFraction: number; seed: number }): DatasetSplits {
  const { testFraction, seed } = options;
  const testCount = Math.round(dataset.length * testFraction);
  if (testCount < 1 || testCount >= dataset.length) {
    throw new UserError(
      `a test fraction of ${testFraction} leaves ${dataset.length} samples of ${dataset.name} on one side`,
    );
  }
  const testIndices = stratifiedIndices(dataset, testCount, seed);
  const inTest = new Set(testIndices);
  const trainIndices = Int32Array.from({ length: dataset.length }, (_, index) => index).filter(
    (index) => !inTest.has(index),
  );
  return createSplits(dataset.name, select(dataset, trainIndices), select(dataset, testIndices));
}

/** Mean and standard deviation of each channel, two passes in double precision; bytes count as 0 … 1. */
export function measureStatistics(dataset: Pick<Dataset, 'inputs' | 'inputShape'>): Statistics {
  const { inputs, inputShape } = dataset;
  const channels = inputShape[0] ?? 1;
  const size = sampleSize(inputShape);
  const plane = size / channels;
  const scale = inputs instanceof Uint8Array ? 1 / 255 : 1;
  const count = inputs.length / channels;
  const statistics = { mean: [] as number[], std: [] as number[] };
  for (let channel = 0; channel < channels; channel++) {
    const sumOfPowers = (center: number, power: 1 | 2): number => {
      let sum = 0;
      for (let start = channel * plane; start < inputs.length; start += size) {
        for (let index = start; index < start + plane; index++) {
          const difference = (inputs[index] ?? 0) - center;
          sum += power === 1 ? difference : difference * difference;
        }
      }
      return sum;
    };
    const average = sumOfPowers(0, 1) / count;
    statistics.mean.push(average * scale);
    statistics.std.push(Math.sqrt(sumOfPowers(average, 2) / count) * scale);
  }
  return statistics;
}
