// For tests: the program that the engine makes of tensors and assignments, as a list of its kernels.
import { Variable, grad, type Tensor } from '@athanor/core';
import { canonicalize, explainProgram, schedule, verify, type BackendLimits, type Program } from '@athanor/core/backend';
import { Identity, type TensorModule } from '@athanor/core/nn';
import { BatchNorm } from '../batch/batch.ts';
import { LayerNorm, RMSNorm } from '../sample/last-axes.ts';
import { ChannelLayerNorm, GroupNorm, InstanceNorm } from '../sample/sample.ts';

const limits: BackendLimits = {
  buffersPerKernel: 32,
  storesPerKernel: 16,
  elements: 2 ** 31,
  dtypes: ['float32', 'float64', 'int32', 'uint8', 'int8', 'bool'],
};

/** The verified program that computes tensors and assigns Variables. */
export function programOf(outputs: readonly Tensor[], assignments: readonly (readonly [Variable, Tensor])[] = []): Program {
  const graph = canonicalize({
    outputs: outputs.map(({ node }) => node),
    assignments: assignments.map(([variable, { node }]) => ({ variable, value: node })),
  });
  const program = schedule(graph, limits);
  verify(program);
  return program;
}

/** Kinds of its kernels, in the order in which they run. */
export function kernelsOf(program: Program): string[] {
  return program.commands.map(({ kernel }) => program.kernels[kernel]?.kind ?? 'none');
}

export const explain = explainProgram;

const leaf = (...sizes: number[]): Tensor => new Variable({ shape: sizes }).value;

/** Forward, gradients and running statistics of linear → norm → relu → linear, for inputs of a shape. */
export function trainingStep(module: TensorModule, [rows = 1, ...sizes]: readonly number[]): Program {
  const width = sizes.reduce((product, size) => product * size, 1);
  const x = leaf(rows, 10).matmul(leaf(10, width));
  const logits = module.forward(x.reshape(rows, ...sizes)).relu().reshape(rows, width).matmul(leaf(width, 10));
  const gradients = grad(logits, [x, ...module.parameters()], { cotangent: logits });
  return programOf([logits, ...gradients], module.buffers().map((buffer) => [buffer, buffer.value]));
}

const image = [16, 8, 16, 16];
const steps: readonly [name: string, make: () => TensorModule, shape: readonly number[]][] = [
  ['batch of [16, 8, 16, 16]', () => new BatchNorm(8), image],
  ['batch of [32, 64]', () => new BatchNorm(64), [32, 64]],
  ['layer over the last axis of [128, 768]', () => new LayerNorm(768), [128, 768]],
  ['RMS over the last axis of [128, 768]', () => new RMSNorm(768), [128, 768]],
  ['layer over the sample of [16, 8, 16, 16]', () => new ChannelLayerNorm(8), image],
  ['group of [16, 8, 16, 16]', () => new GroupNorm(4, 8), image],
  ['instance of [16, 8, 16, 16]', () => new InstanceNorm(8), image],
];

/** Commands of training steps, and how many more they are than without a normalization. */
export function stepCommands(): { readonly name: string; readonly commands: number; readonly more: number }[] {
  return steps.map(([name, make, shape]) => {
    const [commands, without] = [make(), new Identity()].map((module) => trainingStep(module, shape).commands.length);
    return { name, commands: commands ?? 0, more: (commands ?? 0) - (without ?? 0) };
  });
}
