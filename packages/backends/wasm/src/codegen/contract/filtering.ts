// Minimal filtering in one direction (Winograd 1980; for convolutions: Lavin & Gray 2016): m neighbouring outputs of r taps
// take m + r − 1 products, y = Aᵀ[(G g) ⊙ (Bᵀ d)]. F(2, 3) is made of additions. F(4, 3) filters at 0, ±2/3, ±3/2 and ∞:
// points whose product is one keep numbers near each other, which gives 2.2 times the rounding error of F(2, 3), where the
// usual 0, ±1, ±2 give five times. F(3, 2) and F(3, 4) at the same points make the three taps of a weight's gradient.
import type { Code, Local } from '../../assembler/code.ts';
import { at } from '../at.ts';
import { splatBytes } from '../lanes.ts';
import { releaseLocals } from './emit-for.ts';

/** A transform in one direction. It leaves its operands alone and gives new locals. */
type Transform = (transforms: Transforms, values: readonly Local[]) => Local[];

/** For convolutions. */
export interface Filtering {
  /** Outputs of a tile in one direction, and its inputs, as many as products. */
  readonly outputs: number;
  readonly size: number;
  /** Bᵀ d. */
  readonly input: Transform;
  /** G g. */
  readonly weight: Transform;
  /** Aᵀ m. */
  readonly output: Transform;
}

/** For weight gradients, three taps each: incoming gradients slide over inputs. */
export interface GradientFiltering {
  /** Incoming gradients of a tile in one direction, and its inputs, as many as products. */
  readonly gradients: number;
  readonly size: number;
  /** Bᵀ d. */
  readonly input: Transform;
  /** G g without its factors. */
  readonly gradient: Transform;
  /** Aᵀ m with the factors of G. */
  readonly taps: Transform;
}

type Term = readonly [coefficient: number, value: Local];

/** Emits sums of products with constants; `fused` ones round once. */
export class Transforms {
  readonly code: Code;
  private readonly fused: boolean;

  constructor(code: Code, fused: boolean) {
    this.code = code;
    this.fused = fused;
  }

  /** The terms' sum, from the first to the last. */
  sum(...terms: readonly Term[]): Local {
    const { code } = this;
    const out = code.local('v128');
    const constant = (value: number) => code.get(code.constant(splatBytes(value, 'float32')));
    terms.forEach(([coefficient, value], i) => {
      const size = Math.abs(coefficient);
      if (i === 0) {
        code.get(value);
        if (coefficient !== 1) constant(coefficient).op('f32x4.mul');
      } else if (size === 1) code.get(value).op(coefficient > 0 ? 'f32x4.add' : 'f32x4.sub');
      else if (this.fused) {
        code.set(out).get(value);
        constant(coefficient).get(out).op('f32x4.relaxed_madd');
      } else {
        code.get(value);
        constant(size).op('f32x4.mul').op(coefficient > 0 ? 'f32x4.add' : 'f32x4.sub');
      }
    });
    code.set(out);
    return out;
  }

  /** Transforms across lines and stores the results, each at an offset by its place along the lines and across them. */
  across(transform: Transform, lines: readonly (readonly Local[])[], to: Local, offset: (along: number, across: number) => number): void {
    const { code } = this;
    at(lines, 0).forEach((_, along) => {
      const values = transform(this, lines.map((line) => at(line, along)));
      values.forEach((value, place) => code.get(to).get(value).memory('v128.store', offset(along, place)));
      releaseLocals(code, values);
    });
  }

  /** Transforms the rows of a tile, each loaded when its turn comes, and its columns; stores position after position. */
  tile(transform: Transform, rows: readonly (() => readonly Local[])[], to: Local, offset: (position: number) => number): void {
    const lines = rows.map((load) => {
      const values = load();
      const line = transform(this, values);
      releaseLocals(this.code, values);
      return line;
    });
    const size = at(lines, 0).length;
    this.across(transform, lines, to, (x, y) => offset(size * y + x));
    releaseLocals(this.code, lines.flat());
  }

  /** x + y and x − y, in the place of x and y. */
  both(x: Local, y: Local): [Local, Local] {
    const pair: [Local, Local] = [this.sum([1, x], [1, y]), this.sum([1, x], [-1, y])];
    releaseLocals(this.code, [x, y]);
    return pair;
  }
}

/** F(2, 3), points 0, ±1, ∞. */
export const twoOutputs: Filtering = {
  outputs: 2,
  size: 4,
  input: (to, d) => {
    const [d0, d1, d2, d3] = [at(d, 0), at(d, 1), at(d, 2), at(d, 3)];
    return [to.sum([1, d0], [-1, d2]), to.sum([1, d1], [1, d2]), to.sum([1, d2], [-1, d1]), to.sum([1, d1], [-1, d3])];
  },
  weight: (to, g) => {
    const [g0, g1, g2] = [at(g, 0), at(g, 1), at(g, 2)];
    return [to.sum([1, g0]), ...to.both(to.sum([0.5, g0], [0.5, g2]), to.sum([0.5, g1])), to.sum([1, g2])];
  },
  output: (to, m) => {
    const [m0, m1, m2, m3] = [at(m, 0), at(m, 1), at(m, 2), at(m, 3)];
    return [to.sum([1, m0], [1, m1], [1, m2]), to.sum([1, m1], [-1, m2], [-1, m3])];
  },
};

/** F(3, 2), points 0, ±1, ∞. */
export const twoGradients: GradientFiltering = {
  gradients: 2,
  size: 4,
  input: twoOutputs.input,
  gradient: (to, g) => {
    const [g0, g1] = [at(g, 0), at(g, 1)];
    return [to.sum([1, g0]), to.sum([1, g0], [1, g1]), to.sum([1, g0], [-1, g1]), to.sum([1, g1])];
  },
  taps: (to, m) => {
    const [sum, difference] = to.both(to.sum([0.5, at(m, 1)]), to.sum([0.5, at(m, 2)]));
    const out = [to.sum([1, at(m, 0)], [1, sum]), difference, to.sum([1, sum], [-1, at(m, 3)])];
    releaseLocals(to.code, [sum]);
    return out;
  },
};

const [a, b] = [2 / 3, 3 / 2];
/** The product of the distances from ±a (±b) to the other points. */
const [factorA, factorB] = [2 * a ** 2 * (a ** 2 - b ** 2), 2 * b ** 2 * (b ** 2 - a ** 2)];

/** F(4, 3), points 0, ±a, ±b, ∞. */
export const fourOutputs: Filtering = {
  outputs: 4,
  size: 6,
  input: (to, d) => {
    const [d0, d1, d2, d3, d4, d5] = [at(d, 0), at(d, 1), at(d, 2), at(d, 3), at(d, 4), at(d, 5)];
    return [
      to.sum([1, d0], [1, d4], [-(a ** 2 + b ** 2), d2]),
      ...to.both(to.sum([1, d4], [-(b ** 2), d2]), to.sum([a, d3], [-a * b ** 2, d1])),
      ...to.both(to.sum([1, d4], [-(a ** 2), d2]), to.sum([b, d3], [-b * a ** 2, d1])),
      to.sum([1, d1], [1, d5], [-(a ** 2 + b ** 2), d3]),
    ];
  },
  weight: (to, g) => {
    const [g0, g1, g2] = [at(g, 0), at(g, 1), at(g, 2)];
    return [
      to.sum([1, g0]),
      ...to.both(to.sum([1 / factorA, g0], [a ** 2 / factorA, g2]), to.sum([a / factorA, g1])),
      ...to.both(to.sum([1 / factorB, g0], [b ** 2 / factorB, g2]), to.sum([b / factorB, g1])),
      to.sum([1, g2]),
    ];
  },
  output: (to, m) => {
    const [sumA, differenceA] = to.both(to.sum([1, at(m, 1)]), to.sum([1, at(m, 2)]));
    const [sumB, differenceB] = to.both(to.sum([1, at(m, 3)]), to.sum([1, at(m, 4)]));
    const out = [
      to.sum([1, at(m, 0)], [1, sumA], [1, sumB]),
      to.sum([a, differenceA], [b, differenceB]),
      to.sum([a ** 2, sumA], [b ** 2, sumB]),
      to.sum([1, at(m, 5)], [a ** 3, differenceA], [b ** 3, differenceB]),
    ];
    releaseLocals(to.code, [sumA, differenceA, sumB, differenceB]);
    return out;
  },
};

/** F(3, 4), points 0, ±a, ±b, ∞. */
export const fourGradients: GradientFiltering = {
  gradients: 4,
  size: 6,
  input: fourOutputs.input,
  gradient: (to, g) => {
    const [g0, g1, g2, g3] = [at(g, 0), at(g, 1), at(g, 2), at(g, 3)];
    return [
      to.sum([1, g0]),
      ...to.both(to.sum([1, g0], [a ** 2, g2]), to.sum([a, g1], [a ** 3, g3])),
      ...to.both(to.sum([1, g0], [b ** 2, g2]), to.sum([b, g1], [b ** 3, g3])),
      to.sum([1, g3]),
    ];
  },
  taps: (to, m) => {
    const [sumA, differenceA] = to.both(to.sum([1 / factorA, at(m, 1)]), to.sum([1 / factorA, at(m, 2)]));
    const [sumB, differenceB] = to.both(to.sum([1 / factorB, at(m, 3)]), to.sum([1 / factorB, at(m, 4)]));
    const out = [
      to.sum([1, at(m, 0)], [1, sumA], [1, sumB]),
      to.sum([a, differenceA], [b, differenceB]),
      to.sum([1, at(m, 5)], [a ** 2, sumA], [b ** 2, sumB]),
    ];
    releaseLocals(to.code, [sumA, differenceA, sumB, differenceB]);
    return out;
  },
};
