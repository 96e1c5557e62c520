// Every kind of problem in a size that computes in no time.
import type { Problem } from '../problem.ts';

export const smallProblems: readonly Problem[] = [
  { kind: 'tiny-op', size: 8, compiled: false },
  { kind: 'tiny-op', size: 8, compiled: true },
  { kind: 'tiny-backward', size: 8, compiled: false },
  { kind: 'tiny-backward', size: 8, compiled: true },
  { kind: 'chain', length: 5 },
  { kind: 'matmul', n: 12, form: 'NN' },
  { kind: 'matmul', n: 12, form: 'TN' },
  { kind: 'matmul', n: 12, form: 'NT' },
  { kind: 'gelu', n: 50 },
  { kind: 'batch-norm', shape: [3, 4, 5, 6] },
  { kind: 'layer-norm', shape: [4, 10] },
  { kind: 'softmax', shape: [4, 10] },
  { kind: 'conv', input: [2, 3, 6, 7], outputs: 4, kernel: 3, padding: 1, train: false },
  { kind: 'conv', input: [2, 3, 6, 7], outputs: 4, kernel: 3, padding: 1, train: true },
  { kind: 'conv', input: [2, 1, 8, 8], outputs: 6, kernel: 5, padding: 2, train: true },
  { kind: 'lenet5', batch: 4 },
  { kind: 'resnet20', batch: 12, side: 8 },
  { kind: 'unet', batch: 2, side: 8, train: true },
  { kind: 'unet', batch: 2, side: 8, train: false },
  { kind: 'mlp', batch: 4, sizes: [20, 16, 10] },
];
