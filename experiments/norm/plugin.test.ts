// The parts of these experiments: every method of the table makes a network, and probes measure what they say.
import { random, zeros } from '@athanor/core';
import type { Tensor } from '@athanor/core';
import { SGD, functional } from '@athanor/core/nn';
import type { TensorModule } from '@athanor/core/nn';
import { Registry } from '@athanor/core/plugin';
import type { DatasetPart } from '@athanor/core/plugin';
import type { Probe } from '@athanor/lab';
import norm from '@athanor/norm';
import { normalTensor } from '@athanor/norm/analysis';
import zoo from '@athanor/zoo';
import { beforeEach, describe, expect, it } from 'vitest';
import { methodNames } from './parts/methods.ts';
import type { MethodName } from './parts/methods.ts';
import plugin from './plugin.ts';

const registry = new Registry([norm, zoo, plugin]);
const shape = { input: [1, 8, 8], classes: 3 };
const images = normalTensor([32, 1, 8, 8], 4, 'float32');

function network(method: MethodName, model: string | { readonly name: string; readonly [key: string]: unknown } = 'small-convnet'): TensorModule {
  return registry.make('model', { name: 'normalised', method, model }, shape);
}

beforeEach(() => random.manualSeed(1));

describe('methods', () => {
  it.each(methodNames)('%s makes a network', async (method) => {
    const answer = await network(method).forward(images).data();
    expect(answer).toHaveLength(96);
    expect(answer.every((value) => Number.isFinite(value))).toBe(true);
  });

  it('one that is its own activation has none behind it', () => {
    const names = (method: MethodName) => network(method).modules().map((module) => module.constructor.name);
    expect(names('group')).toContain('ReLU');
    expect(names('filter-response')).not.toContain('ReLU');
  });
});

it('initialised: weights of the asked scale, biases of layers 0', async () => {
  const model = registry.make('model', { name: 'initialised', scale: 3, model: { name: 'mlp', hidden: [200] } }, shape);
  const parameters = new Map(model.namedParameters());
  const weight = (await parameters.get('layers.0.linear.weight')?.data()) ?? [];
  const variance = Array.from(weight).reduce((sum, value) => sum + value ** 2, 0) / weight.length;
  expect(variance / ((9 * 2) / 64)).toBeGreaterThan(0.95);
  expect(variance / ((9 * 2) / 64)).toBeLessThan(1.05);
  expect(await parameters.get('layers.0.linear.bias')?.data()).toEqual(new Float32Array(200));
});

const part: DatasetPart = {
  name: 'noise',
  length: 32,
  inputShape: [1, 8, 8],
  inputs: Float32Array.from({ length: 32 * 64 }, (_, i) => Math.sin(i * i)),
  labels: Int32Array.from({ length: 32 }, (_, i) => i % 3),
  classes: ['a', 'b', 'c'],
};

async function probeOf(ref: { name: string; [key: string]: unknown }, model: TensorModule): Promise<{ probe: Probe; rows: Readonly<Record<string, number>> }> {
  const loss = (inputs: Tensor, labels: Tensor): Tensor => functional.crossEntropy(model.forward(inputs), labels);
  const probe = await registry.make('probe', ref, { model, loss, train: part, test: part, seed: 0 });
  const labels = zeros([32], { dtype: 'int32' });
  return { probe, rows: await probe.measure({ step: 0, lr: 0.1, inputs: images, labels }) };
}

describe('probes', () => {
  it('window-error: moving statistics along makes them better, and the first layer’s mean exact', async () => {
    const model = network('cross-iteration-closed', { name: 'mlp', hidden: [6, 5] });
    const { rows } = await probeOf({ name: 'window-error' }, model);
    expect(rows['window.mean.kept']).toBeGreaterThan(0.001);
    expect(rows['window.first.moved']).toBeLessThan(1e-5);
    expect(rows['window.mean.moved']).toBeLessThan(rows['window.mean.kept'] ?? 0);
    expect(rows['window.square.moved']).toBeLessThan(rows['window.square.kept'] ?? 0);
  });

  it('progress: accuracy over time, and the first time that it reaches a goal', async () => {
    const { probe } = await probeOf({ name: 'progress', every: 5, samples: 32, at: [10], goal: 0.5 }, network('batch'));
    expect(probe.summarize?.(new Map([['progress', [0.1, 0.4, 0.6, 0.7]]]))).toEqual({ 'progress.10': 0.6, 'progress.goal': 10 });
    expect(probe.summarize?.(new Map([['progress', [0.1]]]))).toEqual({ 'progress.10': 0.1, 'progress.goal': 5 });
  });

  it('leave the model as it is', async () => {
    const model = network('batch', { name: 'mlp', hidden: [6, 5] });
    const values = async () => await Promise.all(Object.values(model.stateDict()).map(async (variable) => await variable.data()));
    const before = await values();
    for (const name of ['landscape', 'gradient-shift', 'layers']) await probeOf({ name }, model);
    await probeOf({ name: 'drift', module: 'layers.1.norm', samples: 32 }, model);
    expect(await values()).toEqual(before);
    new SGD(model.parameters(), { lr: 0.1 }).step(functional.crossEntropy(model.forward(images), zeros([32], { dtype: 'int32' })));
    expect(await values()).not.toEqual(before);
  });
});
