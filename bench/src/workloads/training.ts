// A training step of a network as a subject: cross-entropy, gradients, update; the loss is read.
import { compile, fromBuffer, type Tensor, type TypedArray } from '@athanor/core';
import { functional, type Optimizer, type TensorModule } from '@athanor/core/nn';
import { parametersOf, type ModelProblem } from '../models.ts';
import { inputsOf, startValues } from '../numbers.ts';
import { batches } from '../problem.ts';
import type { Subject } from './subject.ts';

export interface Network {
  readonly problem: ModelProblem;
  readonly model: TensorModule;
  readonly optimizer: Optimizer;
  /** Of one sample. */
  readonly inputShape: readonly number[];
}

/** Gives a network the parameters that every contestant starts from. */
function setParameters(problem: ModelProblem, model: TensorModule): void {
  const wanted = parametersOf(problem);
  const own = [...model.parameters()];
  const shapes = (list: readonly { readonly shape: readonly number[] }[]): string => list.map(({ shape }) => shape.join('×')).join(' ');
  if (shapes(own) !== shapes(wanted)) throw new Error(`${problem.kind} has parameters ${shapes(own)} instead of ${shapes(wanted)}`);
  wanted.forEach((parameter, index) => {
    own[index]?.assign(startValues(parameter, index));
  });
}

export function training({ problem, model, optimizer, inputShape }: Network): Subject {
  const inputs = inputsOf(problem);
  const shape = [problem.batch, ...inputShape];
  setParameters(problem, model);
  const run = compile(
    (x: Tensor, labels: Tensor) => {
      const loss = functional.crossEntropy(model.forward(x), labels);
      optimizer.step(loss);
      return loss;
    },
    { name: 'training step' },
  );
  const state = { ...model.stateDict(), ...optimizer.stateDict() };
  let loss = NaN;
  return {
    step: async (i) => {
      const { x = new Float32Array(), labels = new Int32Array() } = inputs.batches[i % batches] ?? {};
      loss = await run(fromBuffer(x, shape), fromBuffer(labels, [problem.batch])).item();
      return loss;
    },
    async results() {
      const out: Record<string, TypedArray> = { loss: Float32Array.of(loss) };
      for (const [name, own] of Object.entries(state)) out[name] = await own.data();
      return out;
    },
    dispose: () => {
      for (const own of Object.values(state)) own.dispose();
    },
  };
}
