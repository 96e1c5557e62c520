// The inverse of the error function as a graph: Giles's polynomials (2010), which are exact to float32, and in float64
// two Newton steps on them.
import { apply, where } from '../graph/build.ts';
import type { Node } from '../graph/node.ts';
import { withGradient } from '../gradient/gradient.ts';
import { add, equal, like, mul, neg, scale, sub } from '../gradient/helpers.ts';

/** Coefficients from the highest power of w − 2.5 (w = −log(1 − x²) below 5) and of √w − 3 (above). */
const centre = [2.81022636e-8, 3.43273939e-7, -3.5233877e-6, -4.39150654e-6, 0.00021858087, -0.00125372503, -0.00417768164, 0.246640727, 1.50140941];
const tail = [-0.000200214257, 0.000100950558, 0.00134934322, -0.00367342844, 0.00573950773, -0.0076224613, 0.00943887047, 1.00167406, 2.83297682];

function polynomial([first = 0, ...rest]: readonly number[], x: Node): Node {
  return rest.reduce((sum, coefficient) => add(mul(sum, x), like(x, coefficient)), like(x, first));
}

/** d erfinv / dx at y = erfinv(x): √π / 2 · e^(y²). */
function slope(y: Node): Node {
  return scale(apply('exp', mul(y, y)), Math.sqrt(Math.PI) / 2);
}

/** y with erf(y) = x: ±∞ at ±1, NaN beyond. */
export function erfinv(x: Node): Node {
  const one = like(x, 1);
  const w = neg(apply('log', mul(sub(one, x), add(one, x))));
  const near = polynomial(centre, sub(w, like(w, 2.5)));
  const far = polynomial(tail, sub(apply('sqrt', w), like(w, 3)));
  let y = mul(x, where(apply('lt', w, like(w, 5)), near, far));
  if (x.dtype === 'float64') for (let step = 0; step < 2; step++) y = sub(y, mul(sub(apply('erf', y), x), slope(y)));
  const value = where(equal(w, like(w, Infinity)), mul(x, like(x, Infinity)), y);
  const inverse = withGradient(value, [x], (dy) => [mul(dy, slope(inverse))]);
  return inverse;
}
