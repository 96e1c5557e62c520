// For tests: normalization of activations written out with loops in float64, forward and backward. It knows nothing of
// axes: a function names the statistic that each element belongs to, another the parameter.
export interface ReferenceProblem {
  readonly shape: readonly number[];
  readonly x: ArrayLike<number>;
  readonly dy: ArrayLike<number>;
  readonly weight: ArrayLike<number>;
  readonly bias: ArrayLike<number>;
  readonly eps: number;
  readonly center: boolean;
  /** Names the statistic of an element at an index. */
  readonly statistic: (index: readonly number[]) => string;
  /** Position of the element's weight and bias. */
  readonly parameter: (index: readonly number[]) => number;
}

export interface ReferenceAnswer {
  readonly y: number[];
  readonly dx: number[];
  readonly dweight: number[];
  readonly dbias: number[];
  readonly mean: Map<string, number>;
  readonly variance: Map<string, number>;
}

function indexOf(flat: number, shape: readonly number[]): number[] {
  const index = new Array<number>(shape.length).fill(0);
  let rest = flat;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const size = shape[axis] ?? 1;
    index[axis] = rest % size;
    rest = Math.floor(rest / size);
  }
  return index;
}

export function referenceNorm(problem: ReferenceProblem): ReferenceAnswer {
  const { x, dy, weight, bias, eps, center } = problem;
  const at = (values: ArrayLike<number>, i: number): number => values[i] ?? NaN;
  const groups = new Map<string, number[]>();
  const parameters: number[] = [];
  for (let i = 0; i < x.length; i++) {
    const index = indexOf(i, problem.shape);
    const key = problem.statistic(index);
    groups.set(key, [...(groups.get(key) ?? []), i]);
    parameters.push(problem.parameter(index));
  }
  const zeros = (count: number): number[] => new Array<number>(count).fill(0);
  const answer: ReferenceAnswer = { y: zeros(x.length), dx: zeros(x.length), dweight: zeros(weight.length), dbias: zeros(bias.length), mean: new Map(), variance: new Map() };
  for (const [key, members] of groups) {
    const m = members.length;
    const mean = center ? members.reduce((sum, i) => sum + at(x, i), 0) / m : 0;
    const variance = members.reduce((sum, i) => sum + (at(x, i) - mean) ** 2, 0) / m;
    const sigma = Math.sqrt(variance + eps);
    answer.mean.set(key, mean);
    answer.variance.set(key, variance);
    // dx by the chain rule, element by element: ∂x̂ⱼ/∂xᵢ = (δᵢⱼ − [centred]/m)/σ − (xⱼ − μ)(xᵢ − μ)/(m σ³)
    for (const j of members) {
      const p = parameters[j] ?? 0;
      const standard = (at(x, j) - mean) / sigma;
      answer.y[j] = standard * at(weight, p) + at(bias, p);
      answer.dweight[p] = (answer.dweight[p] ?? 0) + at(dy, j) * standard;
      answer.dbias[p] = (answer.dbias[p] ?? 0) + at(dy, j);
      for (const i of members) {
        const direct = ((i === j ? 1 : 0) - (center ? 1 / m : 0)) / sigma;
        const throughScale = ((at(x, j) - mean) * (at(x, i) - mean)) / (m * sigma ** 3);
        answer.dx[i] = (answer.dx[i] ?? 0) + at(dy, j) * at(weight, p) * (direct - throughScale);
      }
    }
  }
  return answer;
}
