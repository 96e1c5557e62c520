// What `explain` prints, and the costs behind it.
import { expect, it } from 'vitest';
import { apply, reduce } from '../graph/build.ts';
import { canonicalize } from '../graph/canonical.ts';
import { dot } from '../graph/combine.ts';
import { expand } from '../graph/move.ts';
import { kernelCost } from '../kernel/measure.ts';
import { randomLeaf } from '../testing/evaluate.ts';
import { explainProgram } from './explain.ts';
import { schedule } from './schedule.ts';

const limits = { buffersPerKernel: 32, storesPerKernel: 16, elements: 2 ** 31, dtypes: ['float32'] as const };

it('lists kernels with loops, operations, bytes and FLOPs', () => {
  const x = randomLeaf([64, 100], 1, { dtype: 'float32' });
  const w = randomLeaf([100, 20], 2, { dtype: 'float32' });
  const logits = dot(x, w, { batch: [], contract: [[1, 0]], combine: 'multiply-add' });
  const e = apply('exp', apply('sub', logits, expand(reduce('maxReduce', logits, [1]), [64, 20])));
  const softmax = apply('div', e, expand(reduce('sum', e, [1]), [64, 20]));
  const program = schedule(canonicalize({ outputs: [softmax], assignments: [] }), limits);
  expect(explainProgram(program)).toMatchInlineSnapshot(`
    "   0   dot                          m 64 n 20 k 100                      256 kFLOP   33.6 kB in  5.12 kB out  multiply-add accumulator store
       1 | maxReduce+exp+sum+div        64 reduce 20                         6.4 kFLOP   5.12 kB in  5.12 kB out  2 load reduce max sub exp reduce sum keep recall div store
    2 commands, 2 kernels, 262 kFLOP, 49 kB moved, arena 5.12 kB"
  `);
  const product = program.kernels.find((kernel) => kernel.kind === 'contract');
  expect(product && kernelCost(product)).toEqual({ flops: 2 * 64 * 100 * 20, bytesRead: 4 * (6400 + 2000), bytesWritten: 4 * 1280 });
});
