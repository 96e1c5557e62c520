// Kernel times: the fastest of several profiles, added up by name, beside the machine's limits.
import type { StepProfile } from '@athanor/core';
import { describe, expect, it } from 'vitest';
import { benchStep, kernelTimes } from './bench.ts';

const limits = { gigaflops: 50, gigabytes: 20 };

function profile(...milliseconds: [number, number, number]): StepProfile {
  const costs = [
    { name: 'conv', kind: 'contract', flops: 40e6, bytesRead: 1e6, bytesWritten: 1e6 },
    { name: 'relu', kind: 'loop', flops: 1e6, bytesRead: 8e6, bytesWritten: 8e6 },
    { name: 'conv', kind: 'contract', flops: 20e6, bytesRead: 1e6, bytesWritten: 1e6 },
  ] as const;
  return { commands: costs.map((cost, i) => ({ ...cost, milliseconds: milliseconds[i] ?? 0 })), kernels: 2 };
}

describe('kernelTimes', () => {
  const [conv, relu] = kernelTimes([profile(2, 1, 1.5), profile(1, 2, 1)], limits);

  it('adds up the fastest time of each command', () => {
    expect(conv).toMatchObject({ name: 'conv', commands: 2, milliseconds: 2, share: 2 / 3 });
    expect(relu).toMatchObject({ name: 'relu', commands: 1, milliseconds: 1, share: 1 / 3 });
  });

  it('tells rates and the part of the roofline, by arithmetic or by memory', () => {
    expect(conv?.gigaflops).toBeCloseTo(30);
    expect(conv?.roofline).toBeCloseTo((40 / 50 + 20 / 50) / 2);
    expect(relu?.gigabytes).toBeCloseTo(16);
    expect(relu?.roofline).toBeCloseTo(0.8);
  });
});

it('benches the steps of an inspection', async () => {
  let runs = 0;
  const step = {
    parameters: 1,
    samples: 10,
    macs: 1,
    cost: () => { throw new Error('not asked for'); },
    run: () => { runs++; return new Promise<void>((resolve) => { setTimeout(resolve, 2); }); },
    profile: () => Promise.resolve(profile(1, 1, 1)),
  };
  const { median, steps, samplesPerSecond, commands, kernels, slowest } = await benchStep(step, limits, 0.02);
  expect(runs).toBeGreaterThanOrEqual(steps + 3);
  expect(median).toBeGreaterThanOrEqual(1);
  expect(samplesPerSecond).toBeCloseTo(10_000 / median);
  expect([commands, kernels, slowest.length]).toEqual([3, 2, 2]);
});
