// A first step's parts, and the line that the table has for it.
import { describe, expect, it } from 'vitest';
import { firstStepHead, firstStepLine } from './first-step.ts';
import { measureFirstStep } from './measure.ts';

const task = { workload: 'W0', name: 'tiny-backward-compiled', backend: 'cpu', threads: 1, engineFeatures: false };

describe('measureFirstStep', () => {
  it('divides the first step into parts', async () => {
    const { total, trace, compile, run, later, schedule, scheduleAgain, nodes, kernels, commands } = await measureFirstStep(task);
    expect(trace + compile + run).toBeCloseTo(total, 6);
    for (const part of [trace, compile, run, later, schedule, scheduleAgain]) expect(part).toBeGreaterThan(0);
    expect(nodes).toBeGreaterThan(kernels);
    expect(commands).toBeGreaterThanOrEqual(kernels);
  });

  it('refuses a backend that compiles nothing and a case that does not exist', async () => {
    await expect(measureFirstStep({ ...task, backend: 'reference' })).rejects.toThrow('it does not compile programs');
    await expect(measureFirstStep({ ...task, name: 'huge' })).rejects.toThrow('there is no case W0 huge');
  });
});

describe('the table', () => {
  it('has a cell for each column', () => {
    const parts = { total: 410, trace: 60.4, compile: 149.6, run: 200, later: 7.61, nodes: 1800, kernels: 68, commands: 150, schedule: 100, scheduleAgain: 30 };
    const line = firstStepLine({ workload: 'W7', case: 'train', backend: 'native', threads: 2, cache: 'filled', medianTotal: 550, ...parts });
    expect(`${firstStepHead}\n${line}`).toMatchInlineSnapshot(`
      "| workload | backend | cache | first step | median | trace | compile | run | later step | nodes | kernels | nodes/s scheduled | again |
      | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |
      | W7 \`train\` | native, 2 threads | filled | 0.41 s | 0.55 s | 0.060 s | 0.15 s | 0.20 s | 0.008 s | 1800 | 68 | 18000 | 60000 |"
    `);
  });
});
