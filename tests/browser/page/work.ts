// What the page computes: a matrix product, and ten training steps of a small network.
import { wasmBackend } from '@athanor/backend-wasm';
import { compile, currentBackend, random, setBackend, tensor, type Tensor } from '@athanor/core';
import * as nn from '@athanor/core/nn';

/** `threads`: how many; left out, what the backend takes by itself. */
export interface Task {
  readonly threads?: number;
}

export interface Outcome {
  readonly isolated: boolean;
  readonly threads: number;
  readonly numerics: string;
  /** The largest element of the product of two 256 × 256 matrices, which is 256. */
  readonly product: number;
  /** Milliseconds from making the backend to that product. */
  readonly firstProduct: number;
  /** Milliseconds of another one. */
  readonly secondProduct: number;
  readonly losses: readonly number[];
}

async function timed(fn: () => Promise<number>): Promise<{ value: number; milliseconds: number }> {
  const began = performance.now();
  const value = await fn();
  return { value, milliseconds: performance.now() - began };
}

function product(size: number): Promise<number> {
  const ones = tensor(new Float32Array(size * size).fill(1), { shape: [size, size] });
  return ones.matmul(ones).max().item();
}

async function train(steps: number): Promise<number[]> {
  random.manualSeed(3);
  const model = new nn.Sequential(new nn.Conv2d(1, 8, 3), new nn.ReLU(), new nn.MaxPool2d(2), new nn.Flatten(), new nn.Linear(8 * 7 * 7, 10));
  const optimizer = new nn.SGD(model.parameters(), { lr: 0.1, momentum: 0.9 });
  const step = compile((images: Tensor, labels: Tensor) => {
    const loss = nn.functional.crossEntropy(model.forward(images), labels);
    optimizer.step(loss);
    return loss;
  });
  const images = random.normal([32, 1, 16, 16]);
  const labels = random.integers(0, 10, [32]);
  const losses: number[] = [];
  for (let i = 0; i < steps; i++) losses.push(await step(images, labels).item());
  return losses;
}

export async function work({ threads }: Task): Promise<Outcome> {
  const first = await timed(async () => {
    setBackend(await wasmBackend(threads === undefined ? {} : { threads }));
    return await product(256);
  });
  const second = await timed(() => product(256));
  const losses = await train(10);
  const backend = currentBackend();
  return {
    isolated: globalThis.crossOriginIsolated,
    threads: backend.threads,
    numerics: backend.numerics,
    product: Math.max(first.value, second.value),
    firstProduct: first.milliseconds,
    secondProduct: second.milliseconds,
    losses,
  };
}
