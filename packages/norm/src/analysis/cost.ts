// What a normalization costs: arithmetic, memory traffic, and the bytes kept from forward to backward. Predicted by
// counting what each formula does to an element, and measured in the program that the engine makes.
import { Variable, grad, type Dtype } from '@athanor/core';
import { bytesOf, canonicalize, kernelCost, schedule, type BackendLimits, type Kernel, type Program } from '@athanor/core/backend';
import type { TensorModule } from '@athanor/core/nn';

/** Arithmetic and traffic of one direction. */
export interface DirectionCost {
  /** Multiply-adds are two, a root or an exponential is one. */
  readonly flops: number;
  readonly bytesRead: number;
  readonly bytesWritten: number;
}

export interface NormCost {
  readonly forward: DirectionCost;
  readonly backward: DirectionCost;
  /** Bytes of what backward reads and forward made or was given, parameters and the upstream gradient excepted. */
  readonly keptBytes: number;
}

/** Sizes that the formulas speak of. */
export interface CostSizes {
  /** Elements of the input. */
  readonly elements: number;
  /** Number of statistics of one kind: channels for batch normalization, samples for layer normalization, … */
  readonly statistics: number;
  /** Bytes of a value; 4 unless given. */
  readonly bytes?: number;
}

/** What a kind of method does to each element of its input, as the shared forward and backward write it. */
interface Formula {
  /** Operations, forward and backward. */
  readonly flops: readonly [forward: number, backward: number];
  /** Tensors of the input's size that backward reads; forward reads x and writes y, backward writes dx. */
  readonly backwardReads: number;
  /** Tensors of the input's size, and values per statistic, that are kept for backward. */
  readonly kept: readonly [copies: number, perStatistic: number];
}

/**
 * By what is centred and where the scale γ is constant. `shared`: within each statistic (batch, instance and filter
 * response normalization), so that two sums serve dx, dγ and dβ; `own`: not (layer, group, RMS), so that dγ and dβ need a
 * pass of their own; `none`: there is no γ, and the output is kept in place of the input.
 *
 * Forward, centred: x summed; x − μ squared and summed; x − μ scaled, and shifted. Backward: x̂ from x (2), dy and dy x̂
 * summed (3), then dx = (dy − m₁ − x̂ m₂) s (6, with x̂ anew). Without μ each is cheaper by what it costs.
 */
export const costFormulas = {
  'centred, none': { flops: [6, 7], backwardReads: 2, kept: [1, 1] },
  'centred, shared': { flops: [7, 11], backwardReads: 2, kept: [1, 2] },
  'centred, own': { flops: [8, 19], backwardReads: 4, kept: [1, 2] },
  'uncentred, shared': { flops: [4, 8], backwardReads: 2, kept: [1, 1] },
  'uncentred, own': { flops: [4, 12], backwardReads: 4, kept: [1, 1] },
  elementwise: { flops: [4, 10], backwardReads: 4, kept: [2, 0] },
} as const satisfies Record<string, Formula>;

/** The name of a cost formula. */
export type CostFormula = keyof typeof costFormulas;

/** The cost that a formula predicts, if every tensor is read once by each kernel that needs it. */
export function predictCost(formula: CostFormula, { elements, statistics, bytes = 4 }: CostSizes): NormCost {
  const { flops, backwardReads, kept: keep } = costFormulas[formula];
  const size = elements * bytes;
  return {
    forward: { flops: flops[0] * elements, bytesRead: size, bytesWritten: size },
    backward: { flops: flops[1] * elements, bytesRead: backwardReads * size, bytesWritten: size },
    keptBytes: keep[0] * size + keep[1] * statistics * bytes,
  };
}

const limits: BackendLimits = {
  buffersPerKernel: 32,
  storesPerKernel: 16,
  elements: 2 ** 31,
  dtypes: ['float32', 'float64', 'int32', 'uint8', 'int8', 'bool'],
};

function contraction(kernel: Kernel): number {
  if (kernel.kind !== 'contract') return 0;
  return 2 * [...kernel.batch, ...kernel.m, ...kernel.n, ...kernel.k].reduce((product, size) => product * size, 1);
}

/** Adds up commands, without the arithmetic of the matrix products around the normalization. */
function total(program: Program, commands: Program['commands']): DirectionCost {
  let [flops, bytesRead, bytesWritten] = [0, 0, 0];
  for (const { kernel: number } of commands) {
    const kernel = program.kernels[number];
    if (kernel === undefined) continue;
    const cost = kernelCost(kernel);
    flops += cost.flops - contraction(kernel);
    if (kernel.kind === 'contract') continue;
    bytesRead += cost.bytesRead;
    bytesWritten += cost.bytesWritten;
  }
  return { flops, bytesRead, bytesWritten };
}

/**
 * Measures a normalization between two matrix products, as it stands in a network: x → norm → product, and back from the
 * product's output. What the scheduler fuses counts as fused. For training or evaluation, as the module is.
 */
export function measureCost(module: TensorModule, shape: readonly number[], options: { readonly dtype?: Dtype } = {}): NormCost {
  const { dtype = 'float32' } = options;
  const leaf = (...sizes: number[]): Variable => new Variable({ shape: sizes, dtype });
  const [rows = 1, ...rest] = shape;
  const width = rest.reduce((product, size) => product * size, 1);
  const x = leaf(...shape);
  const own = module.buffers().map((buffer) => [buffer, buffer.value] as const);
  const z = module.forward(x.value).reshape(rows, width).matmul(leaf(width, 8).value);
  const parameters = module.parameters();
  const gradients = grad(z, [x, ...parameters], { cotangent: z, allowUnused: true });
  const buffers = module.buffers().map((buffer) => ({ variable: buffer, value: buffer.value.node }));
  for (const [buffer, value] of own) buffer.assign(value);
  const graph = canonicalize({ outputs: [z, ...gradients].map(({ node }) => node), assignments: buffers });
  const program = schedule(graph, limits);
  const border = program.commands.findIndex(({ kernel }) => program.kernels[kernel]?.kind === 'contract');
  const [before, after] = [program.commands.slice(0, border + 1), program.commands.slice(border + 1)];
  return { forward: total(program, before), backward: total(program, after), keptBytes: kept(program, border, parameters.map(({ elements }) => elements)) };
}

/** Bytes of buffers that commands after the border read and that were there before it. */
function kept(program: Program, border: number, parameterSizes: readonly number[]): number {
  const made = new Set<number>();
  const needed = new Set<number>();
  const written = new Set<number>();
  program.commands.forEach((command, position) => {
    const kernel = program.kernels[command.kernel];
    if (kernel === undefined) return;
    const { reads, writes } = accesses(kernel);
    if (position > border && kernel.kind !== 'contract') {
      for (const index of reads) {
        const buffer = command.arguments[index]?.buffer;
        if (buffer !== undefined && !written.has(buffer)) needed.add(buffer);
      }
    }
    for (const index of writes) {
      const buffer = command.arguments[index]?.buffer;
      if (buffer === undefined) continue;
      if (position <= border) made.add(buffer);
      else written.add(buffer);
    }
  });
  const spare = [...parameterSizes];
  let bytes = 0;
  for (const index of needed) {
    const buffer = program.buffers[index];
    if (buffer === undefined) continue;
    const parameter = made.has(index) ? -1 : spare.indexOf(buffer.elements);
    if (buffer.place.kind === 'variable' && parameter >= 0) spare.splice(parameter, 1);
    else bytes += buffer.elements * bytesOf(buffer.dtype);
  }
  return bytes;
}

function accesses(kernel: Kernel): { reads: Set<number>; writes: Set<number> } {
  const reads = new Set<number>();
  const writes = new Set<number>();
  const instructions = kernel.kind === 'loop' ? kernel.instructions : kernel.kind === 'contract' ? kernel.epilogue : [];
  for (const instruction of instructions) {
    if (!('buffer' in instruction)) continue;
    if (instruction.op === 'load' || instruction.op === 'gather') reads.add(instruction.buffer);
    else writes.add(instruction.buffer);
  }
  return { reads, writes };
}
