// A program as text for people: one line a command with its loops, fused operations, bytes and FLOPs.
import type { Instruction, Kernel, Program } from '../kernel/ir.ts';
import { kernelCost } from '../kernel/measure.ts';

/** Kernels in the order in which they run, and totals. */
export function explainProgram(program: Program): string {
  let flops = 0;
  let bytes = 0;
  const lines = program.commands.map((command, i) => {
    const kernel = program.kernels[command.kernel];
    if (kernel === undefined) return '';
    const cost = kernelCost(kernel);
    flops += cost.flops;
    bytes += cost.bytesRead + cost.bytesWritten;
    const sync = command.barrier ? '|' : ' ';
    return `${String(i).padStart(4)} ${sync} ${kernel.name.padEnd(28)} ${loopsOf(kernel).padEnd(34)} ${count(cost.flops, 'FLOP').padStart(11)}  ${count(cost.bytesRead, 'B').padStart(8)} in ${count(cost.bytesWritten, 'B').padStart(8)} out  ${opsOf(kernel)}`;
  });
  const total = `${program.commands.length} commands, ${program.kernels.length} kernels, ${count(flops, 'FLOP')}, ${count(bytes, 'B')} moved, arena ${count(program.arenaBytes, 'B')}`;
  return [...lines, total].join('\n');
}

function loopsOf(kernel: Kernel): string {
  const sizes = (list: readonly number[]): string => (list.length === 0 ? '1' : list.join('×'));
  switch (kernel.kind) {
    case 'routine':
      return kernel.shapes.map(sizes).join(', ');
    case 'contract':
      return `${kernel.batch.length > 0 ? `batch ${sizes(kernel.batch)} ` : ''}m ${sizes(kernel.m)} n ${sizes(kernel.n)} k ${sizes(kernel.k)}`;
    case 'loop': {
      const inner = kernel.loops.slice(kernel.outer);
      return `${sizes(kernel.loops.slice(0, kernel.outer))}${inner.length > 0 ? ` reduce ${sizes(inner)}` : ''}`;
    }
  }
}

function opsOf(kernel: Kernel): string {
  if (kernel.kind === 'routine') return kernel.routine;
  const list: readonly Instruction[] = kernel.kind === 'loop' ? kernel.instructions : kernel.epilogue;
  const counts = new Map<string, number>();
  for (const instruction of list) {
    const name = instruction.op === 'elementwise' ? instruction.name : instruction.op === 'reduce' ? `reduce ${instruction.combine}` : instruction.op;
    if (name !== 'constant') counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  const text = [...counts].map(([name, times]) => (times === 1 ? name : `${times} ${name}`)).join(' ');
  return kernel.kind === 'contract' ? `${kernel.combine} ${text}` : text;
}

/** 1.2 k, 3.4 M, … of a unit. */
function count(value: number, unit: string): string {
  const scale = value >= 1e9 ? ([1e9, ' G'] as const) : value >= 1e6 ? ([1e6, ' M'] as const) : value >= 1e3 ? ([1e3, ' k'] as const) : ([1, ' '] as const);
  return `${Number((value / scale[0]).toPrecision(3))}${scale[1]}${unit}`;
}
