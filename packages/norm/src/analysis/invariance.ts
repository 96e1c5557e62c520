// Invariance as something to check: what a normalized layer y(W, x) does when its weights or its inputs are scaled or
// shifted, and what that means for gradients, the length of weights, and other samples of the batch.
import { grad, readAll, stack, tensor, threefry2x32, type Dtype, type Tensor } from '@athanor/core';
import { Conv2d, Linear, Module, Parameter, type TensorModule } from '@athanor/core/nn';
import { isWeighted, type Reparametrization, type WeightedLayer } from '../weights/layer.ts';
import { evaluateAt, keepingBuffers } from './evaluate-at.ts';

/** The changes of weights or inputs, by the names of the table's columns. */
export const changes = {
  WM: 'the whole weight scaled',
  WV: 'the weight of one unit scaled',
  WC: 'one vector added to the weights of all units',
  Wc: 'a constant added to all weights of one unit',
  XD: 'all inputs scaled',
  XS: 'one sample scaled',
  XC: 'one vector added to all inputs',
  Xc: 'a constant added to one sample',
} as const;

/** What is done to the weights or to the inputs of a layer. */
export type Change = keyof typeof changes;
/** All changes, in the order of the truth table's columns. */
export const changeNames = Object.keys(changes) as Change[];

/** A layer with a normalization, in a form that all methods share: y = forward(x), with the raw weight W [out, in, …]. */
export interface Subject {
  readonly module: TensorModule;
  readonly weight: Parameter;
  readonly x: Tensor;
}

/** Normal numbers from a seed, as a leaf. */
export function normalTensor(shape: readonly number[], seed: number, dtype: Dtype = 'float64'): Tensor {
  const count = shape.reduce((product, size) => product * size, 1);
  const block = new Uint32Array(2);
  const values = Float64Array.from({ length: count }, (_, i) => {
    threefry2x32(seed, 28, i, 0, block);
    const radius = Math.sqrt(-2 * Math.log(1 - (block[0] ?? 0) / 2 ** 32));
    return radius * Math.cos((2 * Math.PI * (block[1] ?? 0)) / 2 ** 32);
  });
  return tensor(values, { shape, dtype });
}

export interface SubjectOptions {
  /** `dense`: [N, C]; `image`: [N, C, H, W] under a 1×1 convolution, which has no borders. */
  readonly input: 'dense' | 'image';
  readonly dtype?: Dtype;
  readonly seed?: number;
}

/** Sizes of the subjects: more samples than units, so that covariances have an inverse. */
export const subjectSizes = { samples: 12, inputs: 6, units: 4, side: 3 } as const;

class Normalized extends Module {
  readonly layer: TensorModule;
  readonly norm: TensorModule;

  constructor(layer: TensorModule, norm: TensorModule) {
    super();
    this.layer = layer;
    this.norm = norm;
  }

  override forward(x: Tensor): Tensor {
    return this.norm.forward(this.layer.forward(x));
  }
}

/** A layer without bias and what follows it, with random weights and inputs. */
export function makeSubject(norm: (units: number) => TensorModule, weighted: Reparametrization, options: SubjectOptions): Subject {
  const { input, dtype = 'float64', seed = 1 } = options;
  const { samples, inputs, units, side } = subjectSizes;
  const layer: WeightedLayer = input === 'dense' ? new Linear(inputs, units, { bias: false }) : new Conv2d(inputs, units, 1, { bias: false });
  const weight = new Parameter({ shape: layer.weight.shape, dtype });
  Object.assign(layer, { weight });
  weight.assign(normalTensor(weight.shape, seed, dtype));
  const wrapped = weighted(layer);
  const own = isWeighted(wrapped) ? wrapped.weight : weight;
  const x = normalTensor(input === 'dense' ? [samples, inputs] : [samples, inputs, side, side], seed + 1, dtype).add(0.3);
  return { module: new Normalized(wrapped, norm(units)), weight: own, x };
}

/** What a change makes of weight and input, with scale a, all sizes of the order of 1 otherwise. */
export function changed(change: Change, subject: Subject, a: number): { readonly weight: Tensor; readonly x: Tensor } {
  const { x } = subject;
  const weight = subject.weight.value;
  const only = (values: Tensor, index: number, value: number): Tensor => {
    const factors = new Float64Array(values.shape[0] ?? 1).fill(0).with(index, value);
    return tensor(factors, { shape: values.shape.map((size, axis) => (axis === 0 ? size : 1)), dtype: values.dtype });
  };
  const vector = (values: Tensor): Tensor => normalTensor(values.shape.map((size, axis) => (axis === 1 ? size : 1)), 77, values.dtype).mul(a);
  switch (change) {
    case 'WM':
      return { weight: weight.mul(a), x };
    case 'WV':
      return { weight: weight.mul(only(weight, 1, a - 1).add(1)), x };
    case 'WC':
      return { weight: weight.add(vector(weight)), x };
    case 'Wc':
      return { weight: weight.add(only(weight, 1, a)), x };
    case 'XD':
      return { weight, x: x.mul(a) };
    case 'XS':
      return { weight, x: x.mul(only(x, 1, a - 1).add(1)) };
    case 'XC':
      return { weight, x: x.add(vector(x)) };
    case 'Xc':
      return { weight, x: x.add(only(x, 1, a)) };
  }
}

/** y for other weights and inputs; the subject stays as it is. */
function forwardAt({ module, weight }: Subject, at: { readonly weight: Tensor; readonly x: Tensor }): Tensor {
  return keepingBuffers(module, () => evaluateAt([weight], [at.weight], () => module.forward(at.x)));
}

/** The largest difference between tensors, relative to the largest value of the second. */
function relativeChange(actual: Tensor, expected: Tensor): Tensor {
  return actual.sub(expected).abs().max().div(expected.abs().max());
}

/** Scales that every change is tried with: the largest difference counts. */
export const scales = [1e-3, 0.1, 2, 10, 1e3] as const;

/** How much y changes under each change, relative to its largest value. NaN counts as a change. */
export async function forwardChanges(subject: Subject): Promise<Record<Change, number>> {
  const y = forwardAt(subject, { weight: subject.weight.value, x: subject.x });
  const errors = changeNames.map((change) => {
    // Shifts of the size of a large scale would leave no digits of what they are added to.
    const sizes = change === 'WC' || change === 'Wc' || change === 'XC' || change === 'Xc' ? [0.1, 2, 10] : scales;
    return stack(sizes.map((a) => relativeChange(forwardAt(subject, changed(change, subject, a)), y))).max();
  });
  const values = await readAll(errors);
  return Object.fromEntries(changeNames.map((change, i) => [change, values[i]?.[0] ?? NaN])) as Record<Change, number>;
}

/** L = Σ c ∘ y with fixed random c, and dL/dW. */
function lossAt(subject: Subject, at: { readonly weight: Tensor; readonly x: Tensor }): { loss: Tensor; gradient: Tensor } {
  return keepingBuffers(subject.module, () =>
    evaluateAt([subject.weight], [at.weight], () => {
      const y = subject.module.forward(at.x);
      const loss = y.mul(normalTensor(y.shape, 5, y.dtype)).sum();
      const [gradient = at.weight] = grad(loss, [at.weight]);
      return { loss, gradient };
    }),
  );
}

export interface GradientLaw {
  /** ‖a dL/d(aW) − dL/dW‖ / ‖dL/dW‖, the largest over the scales: dL/d(aW) = (1/a) dL/dW. */
  readonly scaling: number;
  /** |⟨W, dL/dW⟩| / (‖W‖ ‖dL/dW‖): the gradient is orthogonal to the weight (Euler). */
  readonly euler: number;
}

/** How well the gradient obeys what invariance to the weight's scale implies. */
export async function gradientLaw(subject: Subject): Promise<GradientLaw> {
  const { x } = subject;
  const weight = subject.weight.value;
  const { gradient } = lossAt(subject, { weight, x });
  const length = (values: Tensor): Tensor => values.square().sum().sqrt();
  const errors = scales.map((a) => length(lossAt(subject, { weight: weight.mul(a), x }).gradient.mul(a).sub(gradient)).div(length(gradient)));
  const euler = weight.mul(gradient).sum().abs().div(length(weight).mul(length(gradient)));
  const [scaling, orthogonal] = await readAll([stack(errors).max(), euler]);
  return { scaling: scaling?.[0] ?? NaN, euler: orthogonal?.[0] ?? NaN };
}

/**
 * Plain gradient descent on the layer alone: the largest relative error of ‖W(t + 1)‖² = ‖W(t)‖² + lr² ‖g‖², which holds
 * for weights whose scale does not matter, so that their length never shrinks. The weight is left as it was.
 */
export async function normGrowth(subject: Subject, options: { readonly steps?: number; readonly lr?: number } = {}): Promise<number> {
  const { steps = 50, lr = 0.05 } = options;
  const start = await subject.weight.data();
  let worst = 0;
  for (let step = 0; step < steps; step++) {
    const weight = subject.weight.value;
    const { gradient } = lossAt(subject, { weight, x: subject.x });
    const next = weight.sub(gradient.mul(lr));
    const [before, grown, after, moved] = await readAll([weight.square().sum(), gradient.square().sum(), next.square().sum(), next]);
    const expected = (before?.[0] ?? NaN) + lr ** 2 * (grown?.[0] ?? NaN);
    worst = Math.max(worst, Math.abs((after?.[0] ?? NaN) - expected) / expected);
    subject.weight.assign(moved ?? start);
  }
  subject.weight.assign(start);
  return worst;
}

export interface SampleChecks {
  /** The largest relative change of the first sample's output when all others are other ones, in training. */
  readonly others: number;
  /** The same in evaluation. */
  readonly othersInEvaluation: number;
  /** The largest relative difference between training and evaluation. */
  readonly modes: number;
}

/** Whether a sample's output depends on the rest of the batch, and on the mode. */
export async function sampleChecks(subject: Subject): Promise<SampleChecks> {
  const { module, x } = subject;
  const weight = subject.weight.value;
  const [first, rest] = [x.narrow(0, 0, 1), x.narrow(0, 1, (x.shape[0] ?? 1) - 1)];
  const other = { weight, x: stack([...first.unbind(0), ...rest.mul(-2).add(0.7).unbind(0)]) };
  const own = (at: { weight: Tensor; x: Tensor }): Tensor => forwardAt(subject, at).narrow(0, 0, 1);
  const [training, elsewhere] = [own({ weight, x }), own(other)];
  const whole = forwardAt(subject, { weight, x });
  module.eval();
  const [evaluated, evaluatedElsewhere] = [own({ weight, x }), own(other)];
  const wholeEvaluated = forwardAt(subject, { weight, x });
  module.train();
  const values = await readAll([relativeChange(elsewhere, training), relativeChange(evaluatedElsewhere, evaluated), relativeChange(wholeEvaluated, whole)]);
  const [others, othersInEvaluation, modes] = values.map((value) => value[0] ?? NaN);
  return { others: others ?? NaN, othersInEvaluation: othersInEvaluation ?? NaN, modes: modes ?? NaN };
}
