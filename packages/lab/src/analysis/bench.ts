// How fast a training step is, which kernels it spends its time in, and how near they come to the machine's limits.
import type { StepProfile } from '@athanor/core';
import type { StepInspection } from '../run/stage.ts';
import type { Limits } from './calibrate.ts';
import { formatNumber, formatPercent, formatTable } from '../terminal/format.ts';
import { quantile } from './statistics.ts';

/** All commands of one kernel name together. */
export interface KernelTime {
  readonly name: string;
  readonly commands: number;
  readonly milliseconds: number;
  /** Part of the whole step. */
  readonly share: number;
  readonly gigaflops: number;
  readonly gigabytes: number;
  /** The least time that the machine's limits allow (arithmetic or memory, whichever takes longer) by the time that it took. */
  readonly roofline: number;
}

export interface StepBench {
  /** Milliseconds of whole steps, as training runs them. */
  readonly median: number;
  readonly quartiles: readonly [number, number];
  readonly steps: number;
  readonly samplesPerSecond: number;
  readonly commands: number;
  /** Distinct kernels. */
  readonly kernels: number;
  /** Slowest first. */
  readonly slowest: readonly KernelTime[];
}

/** Warms up, times whole steps for about `seconds`, then times each command in some steps more. */
export async function benchStep(step: StepInspection, limits: Limits, seconds: number): Promise<StepBench> {
  const warmUp = performance.now();
  for (let runs = 0; runs < 3 || performance.now() - warmUp < 250 * seconds; runs++) await step.run();
  const times: number[] = [];
  const began = performance.now();
  while (times.length < 5 || performance.now() - began < 1000 * seconds) {
    const start = performance.now();
    await step.run();
    times.push(performance.now() - start);
  }
  const profiles: StepProfile[] = [];
  for (let i = 0; i < 5; i++) profiles.push(await step.profile());
  const [first] = profiles;
  const median = quantile(times, 0.5);
  return {
    median,
    quartiles: [quantile(times, 0.25), quantile(times, 0.75)],
    steps: times.length,
    samplesPerSecond: (1000 * step.samples) / median,
    commands: first?.commands.length ?? 0,
    kernels: first?.kernels ?? 0,
    slowest: kernelTimes(profiles, limits),
  };
}

/** The fastest time of each command over all profiles, added up by kernel name. */
export function kernelTimes(profiles: readonly StepProfile[], limits: Limits): KernelTime[] {
  const [first] = profiles;
  const commands = (first?.commands ?? []).map((command, i) => ({
    ...command,
    milliseconds: Math.min(...profiles.map((profile) => profile.commands[i]?.milliseconds ?? Infinity)),
  }));
  const whole = commands.reduce((sum, { milliseconds }) => sum + milliseconds, 0);
  const names = new Map<string, typeof commands>();
  for (const command of commands) names.set(command.name, [...(names.get(command.name) ?? []), command]);
  return [...names]
    .map(([name, list]) => {
      const total = (of: (command: (typeof commands)[number]) => number): number => list.reduce((sum, command) => sum + of(command), 0);
      const milliseconds = total((command) => command.milliseconds);
      const gigaflops = total(({ flops }) => flops) / milliseconds / 1e6;
      const gigabytes = total(({ bytesRead, bytesWritten }) => bytesRead + bytesWritten) / milliseconds / 1e6;
      const least = total(({ flops, bytesRead, bytesWritten }) => Math.max(flops / limits.gigaflops, (bytesRead + bytesWritten) / limits.gigabytes) / 1e6);
      return { name, commands: list.length, milliseconds, share: milliseconds / whole, gigaflops, gigabytes, roofline: least / milliseconds };
    })
    .toSorted((a, b) => b.milliseconds - a.milliseconds);
}

/** The slowest kernels as a table, and what the others take together. */
export function formatKernels(slowest: readonly KernelTime[], shown: number): string {
  const rows = slowest.slice(0, shown).map((kernel) => [
    formatNumber(kernel.milliseconds),
    formatPercent(kernel.share),
    String(kernel.commands),
    formatNumber(kernel.gigaflops),
    formatNumber(kernel.gigabytes),
    formatPercent(kernel.roofline),
    kernel.name,
  ]);
  const left = slowest.slice(shown);
  const rest = left.reduce((sum, { milliseconds }) => sum + milliseconds, 0);
  const table = formatTable(['ms', 'share', 'times', 'GFLOP/s', 'GB/s', 'of limit', 'kernel'], rows);
  return left.length === 0 ? table : `${table}\nand ${left.length} more with ${formatNumber(rest)} ms`;
}
