// Scalar functions in float64 that JavaScript's Math lacks.

/**
 * The error function to 4 units in the last place: Kummer's series for |x| < 1.05, else a continued fraction of erfc
 * (Abramowitz & Stegun 7.1.6 and 7.1.14).
 */
export function erf(x: number): number {
  if (Number.isNaN(x)) return x;
  const size = Math.abs(x);
  if (size > 6) return Math.sign(x);
  if (size < 1.05) {
    const square = 2 * x * x;
    let sum = 1;
    for (let n = 36; n >= 1; n--) sum = 1 + (sum * square) / (2 * n + 1);
    return (2 / Math.sqrt(Math.PI)) * x * gaussian(x) * sum;
  }
  let fraction = 0;
  for (let n = Math.ceil(10 + 150 / (x * x)); n >= 1; n--) fraction = n / 2 / (size + fraction);
  const complement = gaussian(size) / (Math.sqrt(Math.PI) * (size + fraction));
  return Math.sign(x) * (1 - complement);
}

/** e^(−x²) without the rounding of x²: the square of x's first 24 bits is exact. */
function gaussian(x: number): number {
  const first = Math.fround(x);
  return Math.exp(-first * first) * Math.exp((first - x) * (first + x));
}
