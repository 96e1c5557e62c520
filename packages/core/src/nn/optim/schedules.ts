// Schedules: the factor on the learning rate as a function of the step, counted from 0. `optimizer.lr = base * factor(step)`.
import { UserError } from '../../errors.ts';

/** The factor on the learning rate at a step, counted from 0. */
export type Schedule = (step: number) => number;

function share(step: number, steps: number): number {
  return steps <= 0 ? 1 : Math.min(1, Math.max(0, step / steps));
}

/** Always 1. */
export function constant(): Schedule {
  return () => 1;
}

/** Times `gamma` after every `size` steps. */
export function step({ size, gamma = 0.1 }: { readonly size: number; readonly gamma?: number }): Schedule {
  if (!(size >= 1)) throw new UserError(`step: a size of ${size}`, { remedy: 'give at least 1' });
  return (at) => gamma ** Math.floor(at / size);
}

/** Times `gamma` at each milestone. */
export function multiStep({ milestones, gamma = 0.1 }: { readonly milestones: readonly number[]; readonly gamma?: number }): Schedule {
  return (at) => gamma ** milestones.filter((milestone) => at >= milestone).length;
}

/** gammaˢᵗᵉᵖ. */
export function exponential({ gamma }: { readonly gamma: number }): Schedule {
  return (at) => gamma ** at;
}

/** Half a cosine from 1 at step 0 to `floor` at `steps` (Loshchilov & Hutter 2017, without restarts). */
export function cosine({ steps, floor = 0 }: { readonly steps: number; readonly floor?: number }): Schedule {
  return (at) => floor + (1 - floor) * 0.5 * (1 + Math.cos(Math.PI * share(at, steps)));
}

/** A straight line from `start` at step 0 to `end` at `steps`, then level. */
export function linear({ start, end = 1, steps }: { readonly start: number; readonly end?: number; readonly steps: number }): Schedule {
  return (at) => start + (end - start) * share(at, steps);
}

/** (1 − step / steps)ᵖ. */
export function polynomial({ steps, power = 1 }: { readonly steps: number; readonly power?: number }): Schedule {
  return (at) => (1 - share(at, steps)) ** power;
}

/** 1 / √step from `warmup` on, after a straight rise to 1 (Vaswani et al. 2017, scaled to a peak of 1). */
export function inverseSquareRoot({ warmup: rise }: { readonly warmup: number }): Schedule {
  return (at) => Math.min((at + 1) / rise, Math.sqrt(rise / (at + 1)));
}

/** A straight rise over `steps` steps into another schedule, which starts afterwards. */
export function warmup(steps: number, then: Schedule): Schedule {
  return (at) => (at < steps ? ((at + 1) / (steps + 1)) * then(0) : then(at - steps));
}

/** Up to 1 along a cosine from `start` during the first `rise` of the steps, then down to `end` (Smith & Topin 2019). */
export function oneCycle(options: { readonly steps: number; readonly rise?: number; readonly start?: number; readonly end?: number }): Schedule {
  const { steps, rise = 0.3, start = 1 / 25, end = 1 / 25e4 } = options;
  const peak = rise * steps - 1;
  const between = (from: number, to: number, at: number): number => to + (from - to) * 0.5 * (1 + Math.cos(Math.PI * Math.min(1, at)));
  return (at) => (at <= peak ? between(start, 1, peak === 0 ? 1 : at / peak) : between(1, end, (at - peak) / (steps - 1 - peak)));
}
