// Gradient clipping.
import { UserError } from '../../errors.ts';
import type { Tensor } from '../../tensor/tensor.ts';

/**
 * Gradients scaled down together so that their joint L2 norm is at most `limit`; also the norm before. Scales by
 * limit / (norm + 1e-6) where that is below 1, as PyTorch does.
 */
export function clipGradNorm(gradients: readonly Tensor[], limit: number): { readonly gradients: Tensor[]; readonly norm: Tensor } {
  const [first, ...rest] = gradients.map((gradient) => gradient.square().sum());
  if (first === undefined) throw new UserError('clipGradNorm: no gradients');
  const norm = rest.reduce((total, part) => total.add(part), first).sqrt();
  const factor = norm.add(1e-6).rdiv(limit).clamp(undefined, 1);
  return { gradients: gradients.map((gradient) => gradient.mul(factor.to(gradient.dtype))), norm };
}

/** Each element of the gradients brought into [−limit, limit]. */
export function clipGradValue(gradients: readonly Tensor[], limit: number): Tensor[] {
  return gradients.map((gradient) => gradient.clamp(-limit, limit));
}
