// Soft maxima as graphs, with gradients in closed form: backward reads the result instead of repeating the forward.
import { apply, reduce, where } from '../graph/build.ts';
import { expand } from '../graph/move.ts';
import type { Node } from '../graph/node.ts';
import { stopGradient, withGradient } from '../gradient/gradient.ts';
import { add, div, like, mul, sub, zerosLike } from '../gradient/helpers.ts';

const exp = (x: Node): Node => apply('exp', x);

/** Sums over axes, spread over them again. */
const total = (x: Node, axes: readonly number[]): Node => expand(reduce('sum', x, axes), x.shape);

/** x minus its largest element along the axes. */
function shifted(x: Node, axes: readonly number[]): Node {
  return sub(x, expand(stopGradient(reduce('maxReduce', x, axes)), x.shape));
}

/** eˣ / Σ eˣ along an axis; dx = y (dy − Σ y dy). */
export function softmax(x: Node, axis: number): Node {
  const powers = exp(shifted(x, [axis]));
  const y = withGradient(div(powers, total(powers, [axis])), [x], (dy) => [mul(y, sub(dy, total(mul(y, dy), [axis])))]);
  return y;
}

/** log of `softmax`; dx = dy − eʸ Σ dy. */
export function logSoftmax(x: Node, axis: number): Node {
  const centred = shifted(x, [axis]);
  const y = withGradient(sub(centred, apply('log', total(exp(centred), [axis]))), [x], (dy) => [sub(dy, mul(exp(y), total(dy, [axis])))]);
  return y;
}

/** log Σ eˣ over axes, which stay with size 1; dx = eˣ⁻ʸ dy. Infinite maxima are no shift: log Σ is then ±∞ itself. */
export function logSumExp(x: Node, axes: readonly number[]): Node {
  const largest = stopGradient(reduce('maxReduce', x, axes));
  const finite = apply('lt', apply('abs', largest), like(largest, Infinity));
  const shift = where(finite, largest, zerosLike(largest));
  const sum = reduce('sum', exp(sub(x, expand(shift, x.shape))), axes);
  const y = withGradient(add(apply('log', sum), shift), [x], (dy) => {
    const reference = where(finite, y, shift);
    return [mul(exp(sub(x, expand(reference, x.shape))), expand(dy, x.shape))];
  });
  return y;
}
