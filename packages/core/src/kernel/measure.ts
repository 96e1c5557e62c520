// What a kernel costs: floating-point operations, bytes that must move at least once, and positions visited.
import { bytesOf } from '../dtype.ts';
import { elementwise } from '../graph/elementwise.ts';
import type { Affine, Instruction, Kernel } from './ir.ts';
import { loopCount } from './ir.ts';

export interface KernelCost {
  /** Arithmetic operations; a multiply-add counts as two, a transcendental function as one. */
  readonly flops: number;
  /** Distinct bytes read and written, if every buffer element is touched once. */
  readonly bytesRead: number;
  readonly bytesWritten: number;
}

/** Arithmetic and memory traffic of one run of a kernel. */
export function kernelCost(kernel: Kernel): KernelCost {
  if (kernel.kind === 'routine') {
    const elements = kernel.shapes.reduce((sum, shape) => sum + loopCount(shape), 0);
    const bytes = bytesOf(kernel.buffers[0]?.dtype ?? 'float32') * elements;
    return { flops: elements, bytesRead: bytes, bytesWritten: bytes };
  }
  if (kernel.kind === 'contract') {
    const outputs = [...kernel.batch, ...kernel.m, ...kernel.n];
    const loops = [...outputs, ...kernel.k];
    const epilogue = traffic(kernel.epilogue, () => outputs, kernel.buffers.map(() => 0));
    const operands = [kernel.a, kernel.b].reduce((sum, { index }) => sum + distinct(index, loops) * bytesOf(kernel.dtype), 0);
    return {
      flops: 2 * loopCount(loops) + arithmetic(kernel.epilogue, () => loopCount(outputs)),
      bytesRead: operands + epilogue.read,
      bytesWritten: epilogue.written,
    };
  }
  const outer = kernel.loops.slice(0, kernel.outer);
  const loopsOf = (i: number): readonly number[] => ((kernel.stages[i] ?? 0) % 2 === 1 ? kernel.loops : outer);
  const { read, written } = traffic(kernel.instructions, loopsOf, kernel.buffers.map(() => 0));
  return { flops: arithmetic(kernel.instructions, (i) => loopCount(loopsOf(i))), bytesRead: read, bytesWritten: written };
}

function arithmetic(instructions: readonly Instruction[], positions: (i: number) => number): number {
  let flops = 0;
  instructions.forEach((instruction, i) => {
    const counts = instruction.op === 'reduce' || instruction.op === 'accumulate' || instruction.op === 'scatter' || (instruction.op === 'elementwise' && elementwise[instruction.name].dtype !== 'compare');
    if (counts) flops += positions(i);
  });
  return flops;
}

/** Distinct elements that an index reaches: loops with stride 0 repeat. */
function distinct(index: Affine, loops: readonly number[]): number {
  let count = 1;
  let reach = 1;
  loops.forEach((size, i) => {
    const stride = Math.abs(index.strides[i] ?? 0);
    if (stride === 0) return;
    count *= size;
    reach += stride * (size - 1);
  });
  return Math.min(count, reach);
}

function traffic(instructions: readonly Instruction[], loopsOf: (i: number) => readonly number[], most: number[]): { read: number; written: number } {
  const readBytes = [...most];
  const writtenBytes = [...most];
  instructions.forEach((instruction, i) => {
    if (!('buffer' in instruction)) return;
    const elements = instruction.op === 'gather' || instruction.op === 'scatter' ? loopCount(loopsOf(i)) : distinct(instruction.index, loopsOf(i));
    const target = instruction.op === 'load' || instruction.op === 'gather' ? readBytes : writtenBytes;
    target[instruction.buffer] = Math.max(target[instruction.buffer] ?? 0, elements * bytesOf(instruction.dtype));
  });
  const sum = (list: readonly number[]): number => list.reduce((total, bytes) => total + bytes, 0);
  return { read: sum(readBytes), written: sum(writtenBytes) };
}
