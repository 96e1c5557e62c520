// W9: a diffusion model's training step, and one step of sampling with it.
import type { Tensor } from '@athanor/core';
import { Adam, functional } from '@athanor/core/nn';
import { inputsOf } from '../numbers.ts';
import { learningRate, samplerRate, samplerScale, type Case, type ProblemOf } from '../problem.ts';
import { operation, type Subject } from './subject.ts';
import { setParameters, training } from './training.ts';
import { UNet } from './unet.ts';

const batch = 64;
const row = { workload: 'W9', unit: 'images/s', work: batch } as const;

export const cases: readonly Case[] = [
  { ...row, name: 'train', problem: { kind: 'unet', batch, side: 28, train: true } },
  { ...row, name: 'sample', problem: { kind: 'unet', batch, side: 28, train: false } },
];

/** The mean squared error of the predicted noise; Adam. */
export function diffusionTraining(problem: ProblemOf<'unet'>): Subject {
  const model = new UNet();
  const images = [problem.batch, 1, problem.side, problem.side];
  return training({
    problem,
    model,
    optimizer: new Adam(model.parameters(), { lr: learningRate.adam }),
    shapes: { x: images, second: images, labels: [problem.batch] },
    loss: (x: Tensor, noise: Tensor, t: Tensor) => functional.mseLoss(model.forward(x, t), noise),
  });
}

/** (x − rate · noise) · scale stays on the device, its last pixel is read. */
export function diffusionSampling(problem: ProblemOf<'unet'>): Subject {
  const model = new UNet();
  const images = [problem.batch, 1, problem.side, problem.side];
  setParameters(problem, model);
  return operation({
    inputs: inputsOf(problem),
    shapes: { x: images, labels: [problem.batch] },
    results: { x: images },
    read: 'x',
    constants: model.parameters(),
    compute: (x: Tensor, t: Tensor) => ({ x: x.sub(model.forward(x, t).mul(samplerRate)).mul(samplerScale) }),
  });
}
