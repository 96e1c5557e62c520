// A replica's part of a batch.
import { UserError, replicas } from '@athanor/core';
import type { Batch } from '@athanor/data';

/** The samples of a batch that are this replica's: equal parts, in the order of the ranks; all of them where it is alone. */
export function ownPart(batch: Batch): Batch {
  const { size: count, rank } = replicas();
  if (count === 1) return batch;
  const { inputs, labels, mixed, size } = batch;
  if (size % count !== 0) throw new UserError(`a batch of ${size} does not split into ${count} equal parts`);
  const own = size / count;
  const part = <T extends Float32Array | Int32Array>(values: T): T => {
    const length = (values.length / size) * own;
    return values.subarray(rank * length, (rank + 1) * length) as T;
  };
  return {
    ...batch,
    inputs: part(inputs),
    labels: part(labels),
    size: own,
    ...(mixed === undefined ? {} : { mixed: { labels: part(mixed.labels), weights: part(mixed.weights) } }),
  };
}
