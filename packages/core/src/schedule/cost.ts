// What a program costs, told before it runs: arithmetic, memory traffic, and the memory that it needs.
import { bytesOf } from '../dtype.ts';
import type { Kernel, Program, ProgramBuffer } from '../kernel/ir.ts';
import { kernelCost, type KernelCost } from '../kernel/measure.ts';

/** A command of a program with its cost. */
export interface CommandCost extends KernelCost {
  /** What the kernel is called: the module that asked for it and its main operations. */
  readonly name: string;
  readonly kind: Kernel['kind'];
}

export interface ProgramCost extends KernelCost {
  readonly commands: readonly CommandCost[];
  /** Distinct kernels. */
  readonly kernels: number;
  /** Bytes that intermediate values take as planned. */
  readonly arenaBytes: number;
  /** Bytes of the intermediate values that are alive at the same command, at most: no plan can take less. */
  readonly liveBytes: number;
  /** Bytes of host data that each run copies in. */
  readonly inputBytes: number;
  /** Bytes of the Variables that the program reads or writes. */
  readonly variableBytes: number;
  readonly outputBytes: number;
  /** Everything at once: arena, inputs, Variables and outputs. */
  readonly peakBytes: number;
}

/** Arithmetic, traffic and memory of one run of a program. */
export function programCost(program: Program): ProgramCost {
  const commands = program.commands.map(({ kernel: number }): CommandCost => {
    const kernel = program.kernels[number];
    if (kernel === undefined) throw new Error(`kernel ${number} does not exist`);
    return { name: kernel.name, kind: kernel.kind, ...kernelCost(kernel) };
  });
  const total = (of: (command: CommandCost) => number): number => commands.reduce((sum, command) => sum + of(command), 0);
  const [inputBytes, variableBytes, outputBytes] = [program.inputs, program.variables, program.outputs].map(bytesOfAll);
  return {
    commands,
    kernels: program.kernels.length,
    flops: total(({ flops }) => flops),
    bytesRead: total(({ bytesRead }) => bytesRead),
    bytesWritten: total(({ bytesWritten }) => bytesWritten),
    arenaBytes: program.arenaBytes,
    liveBytes: liveBytes(program),
    inputBytes: inputBytes ?? 0,
    variableBytes: variableBytes ?? 0,
    outputBytes: outputBytes ?? 0,
    peakBytes: program.arenaBytes + (inputBytes ?? 0) + (variableBytes ?? 0) + (outputBytes ?? 0),
  };
}

function bytesOfAll(list: readonly Pick<ProgramBuffer, 'dtype' | 'elements'>[]): number {
  return list.reduce((sum, { dtype, elements }) => sum + elements * bytesOf(dtype), 0);
}

/** The most bytes of arena buffers that are between their first and their last use at one command. */
function liveBytes({ buffers, commands }: Program): number {
  const changes = new Float64Array(commands.length + 1);
  const first = new Map<number, number>();
  const last = new Map<number, number>();
  commands.forEach((command, i) => {
    for (const { buffer } of command.arguments) {
      if (!first.has(buffer)) first.set(buffer, i);
      last.set(buffer, i);
    }
  });
  buffers.forEach(({ dtype, elements, place }, buffer) => {
    const start = first.get(buffer);
    if (place.kind !== 'arena' || start === undefined) return;
    const bytes = elements * bytesOf(dtype);
    changes[start] = (changes[start] ?? 0) + bytes;
    const end = (last.get(buffer) ?? start) + 1;
    changes[end] = (changes[end] ?? 0) - bytes;
  });
  let live = 0;
  let most = 0;
  for (const change of changes) {
    live += change;
    most = Math.max(most, live);
  }
  return most;
}
