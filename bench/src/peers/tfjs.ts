// TensorFlow.js's WebAssembly backend as a peer: SIMD, one thread (its threads do not work in Node).
import { fileURLToPath } from 'node:url';
import type { Contestant } from '../contestant.ts';
import { isModel } from '../models.ts';
import type { Problem, Step } from '../problem.ts';
import { childContestant } from './child.ts';
import { loadTfjs } from './tfjs-runtime.ts';
import { networkStep } from './tfjs-networks.ts';
import { operationStep } from './tfjs-steps.ts';

let scopeOpen = false;

/** The step of a problem in this process; what an earlier one holds is freed. */
export async function tfjsStep(problem: Problem): Promise<Step> {
  const core = await loadTfjs();
  if (scopeOpen) core.engine().endScope();
  core.disposeVariables();
  core.engine().startScope();
  scopeOpen = true;
  return isModel(problem) ? networkStep(core, problem) : operationStep(core, problem);
}

/** The peer `tfjs-wasm`, in a process of its own. */
export function tfjsPeer(): Contestant {
  const script = fileURLToPath(new URL('../../dist/peers/tfjs-process.js', import.meta.url));
  return childContestant({ name: 'tfjs-wasm', command: process.execPath, args: [script], environment: process.env });
}
