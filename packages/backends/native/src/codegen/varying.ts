// Which values of a kernel differ along its vector loop: these are computed as vectors, all others once, as scalars.
import { inputsOf, type Affine, type Lowered } from '@athanor/core/backend';
import type { BodyShape } from './body.ts';
import { at } from './text.ts';

/** Whether an index changes along a loop (−1: none). */
export function movesAlong(index: Affine, loop: number): boolean {
  return loop >= 0 && (index.strides[loop] ?? 0) !== 0;
}

/** For each instruction, whether its value varies along the vector loop. */
export function findVarying(list: readonly Lowered[], shape: BodyShape): boolean[] {
  const varies: boolean[] = [];
  for (const instruction of list) varies.push(shape.vector >= 0 && isVarying(instruction, varies, shape));
  return varies;
}

function isVarying(instruction: Lowered, varies: readonly boolean[], { vector, vectorIsOuter, rowStrides }: BodyShape): boolean {
  const guarded = 'guards' in instruction && instruction.guards.some(({ index }) => movesAlong(index, vector));
  switch (instruction.op) {
    case 'load':
    case 'index':
      return guarded || movesAlong(instruction.index, vector);
    case 'store':
      return movesAlong(instruction.index, vector) || at(varies, instruction.input);
    case 'gather':
      return guarded || movesAlong(instruction.index, vector) || at(varies, instruction.at);
    case 'inside':
      return guarded;
    case 'reduce':
      return vectorIsOuter;
    case 'keep':
    case 'recall':
      return vectorIsOuter || rowStrides !== undefined;
    case 'accumulator':
      return true;
    default:
      return inputsOf(instruction).some((input) => at(varies, input));
  }
}
