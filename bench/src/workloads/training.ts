// A training step of a network as a subject: loss, gradients, update; the loss is read.
import { compile, type Tensor, type TypedArray } from '@athanor/core';
import { Adam, type Module, type Optimizer, type StateDict } from '@athanor/core/nn';
import { parametersOf, type ModelProblem } from '../models.ts';
import { inputsOf, startValues } from '../numbers.ts';
import { batchOf, type BatchShapes, type Subject } from './subject.ts';

export interface Training {
  readonly problem: ModelProblem;
  readonly model: Module;
  readonly optimizer: Optimizer;
  readonly shapes: BatchShapes;
  /** The loss of a batch: its x, its second part if it has one, its labels. */
  loss(...batch: Tensor[]): Tensor;
}

/**
 * Adam's first step is the sign of the gradient: it would blow up the rounding of gradients that are nearly 0, and the
 * parameters would tell nothing about the backend. Its slots hold the gradients.
 */
const updatesAmplify = (optimizer: Optimizer): boolean => optimizer instanceof Adam;

/** Gives a network the parameters that every contestant starts from. */
export function setParameters(problem: ModelProblem, model: Module): void {
  const wanted = parametersOf(problem);
  const own = model.parameters();
  const shapes = (list: readonly { readonly shape: readonly number[] }[]): string => list.map(({ shape }) => shape.join('×')).join(' ');
  if (shapes(own) !== shapes(wanted)) throw new Error(`${problem.kind} has parameters ${shapes(own)} instead of ${shapes(wanted)}`);
  wanted.forEach((parameter, index) => {
    own[index]?.assign(startValues(parameter, index));
  });
}

export function training({ problem, model, optimizer, shapes, loss: lossOf }: Training): Subject {
  const inputs = inputsOf(problem);
  setParameters(problem, model);
  const run = compile(
    (...batch: Tensor[]) => {
      const loss = lossOf(...batch);
      optimizer.step(loss);
      return loss;
    },
    { name: 'training step' },
  );
  const state: StateDict = { ...model.stateDict(), ...optimizer.stateDict() };
  const compared: StateDict = { ...(updatesAmplify(optimizer) ? Object.fromEntries(model.namedBuffers()) : model.stateDict()), ...optimizer.stateDict() };
  let loss = NaN;
  return {
    step: async (i) => {
      loss = await run(...batchOf(inputs, shapes, i)).item();
      return loss;
    },
    profile: (i) => run.profile(...batchOf(inputs, shapes, i)),
    async results() {
      const out: Record<string, TypedArray> = { loss: Float32Array.of(loss) };
      for (const [name, own] of Object.entries(compared)) out[name] = await own.data();
      return out;
    },
    dispose: () => {
      for (const own of Object.values(state)) own.dispose();
    },
  };
}
