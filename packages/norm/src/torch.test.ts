// Batch, layer, instance, group, local response, RMS, weight and spectral normalization against PyTorch: outputs,
// gradients and running statistics of a training step, and an evaluation.
import { readFileSync } from 'node:fs';
import { cpuBackend } from '@athanor/backend-cpu';
import { currentBackend, setBackend } from '@athanor/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { agreement, type TorchCase } from './testing/torch.ts';

const torchCases = JSON.parse(readFileSync(new URL('../goldens/normalizations.json', import.meta.url), 'utf8')) as readonly TorchCase[];
const reference = currentBackend();
beforeAll(() => setBackend(cpuBackend()));
afterAll(() => setBackend(reference));

describe.each(torchCases.map((torch) => ({ ...torch, title: `${torch.method} of [${torch.inputs[0]?.shape.join(', ') ?? ''}] ${JSON.stringify(torch.options)}` })))('$title', (torch) => {
  it.each([['float64', 1e-13], ['float32', 5e-6]] as const)('in %s', async (dtype, tolerance) => {
    const { outputs, gradients, kept } = await agreement(torch, dtype);
    expect(outputs).toBeLessThan(tolerance);
    expect(gradients).toBeLessThan(tolerance);
    expect(kept).toBeLessThan(tolerance);
  });
});
