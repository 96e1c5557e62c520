// Beginning with the weights that an earlier stage has trained: fine-tuning.
import { readFileSync } from 'node:fs';
import { UserError } from '@athanor/core';
import type { Module } from '@athanor/core/nn';
import { didYouMean } from '@athanor/core/plugin';
import { readSafetensors } from '@athanor/data';
import type { StageInput } from '../run/stage.ts';

/** Sets a model to the weights that the stage named `start` has left. Throws a UserError if that is no input, or does not fit. */
export function startFrom(start: string, inputs: readonly StageInput[], model: Module): void {
  const input = inputs.find(({ name }) => name === start);
  if (input === undefined) {
    const names = inputs.map(({ name }) => name);
    throw new UserError(`start: ${JSON.stringify(start)} is not a stage that this one needs${didYouMean(start, names)}`, {
      remedy: names.length === 0 ? `write needs: [${start}] beside it` : `it needs ${names.join(', ')}`,
    });
  }
  const path = input.artifact('model.safetensors');
  try {
    model.loadStateDict(Object.fromEntries(readSafetensors(readFileSync(path), path).tensors) as Parameters<Module['loadStateDict']>[0]);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    throw new UserError(`start: the weights of ${start} are not of this model: ${error.message}`, { cause: error });
  }
}
