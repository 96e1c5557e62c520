// Tensors over replicas: processes that train one model together, each on its part of the batch.
import { allReduce as allReduceNode } from '../graph/combine.ts';
import type { Tensor } from './tensor.ts';

/**
 * The sum of a tensor over all replicas (`setCollective`), the same on each; the tensor itself where there is one. All
 * replicas must run the same program. Its gradient is the sum of the replicas' gradients: that of the sum of all losses.
 */
export function allReduce(x: Tensor): Tensor {
  return x.wrap(allReduceNode(x.node));
}
