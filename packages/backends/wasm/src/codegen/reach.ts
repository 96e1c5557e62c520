// How far into its buffers a kernel reads with its first units: what must have arrived before they can run.
import type { Affine, LoopKernel } from '@athanor/core/backend';

/** The outermost of the loops that units count: `width` positions of a loop in each of `steps` steps. */
export interface OutermostLevel {
  readonly loop: number;
  readonly width: number;
  readonly steps: number;
}

/** For each buffer of a kernel: how many steps the first `elements` elements are enough for. */
export interface Reach {
  readonly steps: number;
  stepsWith(buffer: number, elements: number): number;
}

/** The reach of a loop kernel, in steps of the outermost level of its units. */
export function reachOf({ instructions, loops }: LoopKernel, { loop: outermost, width, steps }: OutermostLevel): Reach {
  /** Steps whose last access lies among the first elements. */
  const stepsOf = ({ offset, strides }: Affine, elements: number): number => {
    const last = loops.reduce((sum, size, loop) => (loop === outermost ? sum : sum + Math.max(0, strides[loop] ?? 0) * (size - 1)), offset);
    const stride = strides[outermost] ?? 0;
    if (elements <= last) return 0;
    return stride <= 0 ? steps : Math.floor((Math.floor((elements - 1 - last) / stride) + 1) / width);
  };
  return {
    steps,
    stepsWith: (buffer, elements) => {
      const enough = instructions.map((instruction) => {
        if (!('buffer' in instruction) || instruction.buffer !== buffer) return steps;
        return instruction.op === 'load' ? stepsOf(instruction.index, elements) : 0;
      });
      return Math.min(steps, ...enough);
    },
  };
}
