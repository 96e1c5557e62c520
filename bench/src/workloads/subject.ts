// Our side of a row: a compiled step that leaves its results in Variables, as training leaves its parameters, and from
// which one number is read.
import { compile, fromBuffer, variable, Variable, type StepProfile, type Tensor, type TypedArray } from '@athanor/core';
import type { Batch, Inputs } from '../numbers.ts';
import { batches, type Step } from '../problem.ts';

export interface Subject {
  readonly step: Step;
  /** Step `i`, command by command; absent where the step is not compiled. */
  readonly profile?: (i: number) => Promise<StepProfile>;
  /** What the last step computed, by name. */
  results(): Promise<Record<string, TypedArray>>;
  /** Frees the device memory. */
  dispose(): void;
}

type Shape = readonly number[];

/** A Variable that never changes: a weight, an incoming gradient. */
export function fixed(values: Float32Array | undefined, shape: Shape): Variable {
  return variable(values ?? new Float32Array(), { shape, dtype: 'float32' });
}

/** Variables that take a step's results. */
export class Kept {
  readonly #variables: ReadonlyMap<string, Variable>;

  constructor(shapes: Readonly<Record<string, Shape>>) {
    this.#variables = new Map(Object.entries(shapes).map(([name, shape]) => [name, new Variable({ name, shape })]));
  }

  assign(results: Readonly<Record<string, Tensor>>): void {
    for (const [name, result] of Object.entries(results)) this.#variables.get(name)?.assign(result);
  }

  async read(): Promise<Record<string, TypedArray>> {
    const out: Record<string, TypedArray> = {};
    for (const [name, own] of this.#variables) out[name] = await own.data();
    return out;
  }

  dispose(): void {
    for (const own of this.#variables.values()) own.dispose();
  }
}

/** The last element, as a tensor of one. */
export function lastOf(x: Tensor): Tensor {
  return x.at(...x.shape.map(() => -1));
}

/** Shapes of a batch. */
export type BatchShapes = { readonly [K in keyof Batch]: Shape };

/** The inputs of step `i` as tensors on host memory, in the order x, second, labels. */
export function batchOf({ batches: all }: Inputs, shapes: BatchShapes, i: number): Tensor[] {
  const batch = all[i % batches];
  return (['x', 'second', 'labels'] as const).flatMap((name) => {
    const [values, shape] = [batch?.[name], shapes[name]];
    return values === undefined || shape === undefined ? [] : [fromBuffer(values, shape)];
  });
}

export interface Operation {
  readonly inputs: Inputs;
  readonly shapes: BatchShapes;
  /** Shapes of the results. */
  readonly results: Readonly<Record<string, Shape>>;
  /** The result whose last element is read. */
  readonly read: string;
  readonly constants?: readonly Variable[];
  compute(...changing: Tensor[]): Readonly<Record<string, Tensor>>;
}

/** The subject of a step that is one operation, with or without its gradients. */
export function operation({ inputs, shapes, results, read, constants = [], compute }: Operation): Subject {
  const kept = new Kept(results);
  const run = compile(
    (...changing: Tensor[]) => {
      const computed = compute(...changing);
      kept.assign(computed);
      const result = computed[read];
      if (result === undefined) throw new Error(`the step computes no ${read}`);
      return lastOf(result);
    },
    { name: 'step' },
  );
  return {
    step: (i) => run(...batchOf(inputs, shapes, i)).item(),
    profile: (i) => run.profile(...batchOf(inputs, shapes, i)),
    results: () => kept.read(),
    dispose: () => {
      kept.dispose();
      for (const constant of constants) constant.dispose();
    },
  };
}
