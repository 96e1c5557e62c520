// Recurrent layers with normalization inside: Elman's network, LSTM and GRU whose input and hidden terms (and the LSTM's
// cell) are normalised at each step, by layer (Ba, Kiros & Hinton 2016) or recurrent batch normalization (Cooijmans et al.
// 2016).
import { ShapeError, cat, formatShape, random, stack, where, zeros, type Dtype, type Tensor } from '@athanor/core';
import { Module, Parameter, functional, init, type Initializer } from '@athanor/core/nn';
import { IdentityStepNorm, type StepNorm, type StepNormFactory, type StepRun } from './step-norm.ts';

export interface NormalizedRecurrentOptions {
  /** The normalization of each term; none unless given. */
  readonly norm?: StepNormFactory;
  /** The longest sequence that training will see; needed by normalizations with statistics per step. 1 unless given. */
  readonly steps?: number;
  /** Hidden-to-hidden weights at the start; orthogonal unless given. */
  readonly hiddenInit?: Initializer;
  /** Standard deviation of the noise on the first hidden state in training; 0 unless given. Constant inputs need some. */
  readonly noise?: number;
  readonly dtype?: Dtype;
}

export interface SequenceOptions {
  /** The state before the first step [N, H]; zeros unless given. */
  readonly h?: Tensor;
  /** Bool [N, T]: false at padding, where the state stays as it was. */
  readonly mask?: Tensor;
}

/** What a step is given besides the input's term: the runs of the normalizations. */
interface Steps {
  readonly runs: readonly StepRun[];
  readonly step: number;
  readonly mask: Tensor | undefined;
}

/** A part of a state that is known to be there. */
const asTensor = (value: Tensor | undefined): Tensor => value as Tensor;

/** What the three layers share: weights, the walk over a sequence, padding. */
abstract class NormalizedRecurrent extends Module {
  readonly width: number;
  readonly noise: number;
  /** [gates · H, I] */
  readonly weightIh: Parameter;
  /** [gates · H, H] */
  readonly weightHh: Parameter;
  /** [gates · H] */
  readonly bias: Parameter;

  constructor(gates: number, inputs: number, width: number, options: NormalizedRecurrentOptions, bias: Initializer = init.zeros()) {
    super();
    const { hiddenInit = init.orthogonal(), noise = 0, dtype = 'float32' } = options;
    this.width = width;
    this.noise = noise;
    const make = (shape: readonly number[], how: Initializer): Parameter => new Parameter({ shape, dtype, initial: how(shape, dtype) });
    this.weightIh = make([gates * width, inputs], init.fanInUniform());
    this.weightHh = make([gates * width, width], hiddenInit);
    this.bias = make([gates * width], bias);
  }

  /** The normalizations that run step by step, in the order in which `step` finds them. */
  protected abstract stepwise(): readonly StepNorm[];
  /** The input's term of all steps, normalised: [N, T, gates · H]. */
  protected abstract input(x: Tensor, mask: Tensor | undefined): Tensor;
  /** A step, from the input's term [N, gates · H] and the state, whose first part is the output. */
  protected abstract step(given: Tensor, state: readonly Tensor[], steps: Steps): readonly Tensor[];

  /** All steps of x [N, T, I]: outputs [N, T, H], and the state after the last. */
  protected run(x: Tensor, start: readonly (Tensor | undefined)[], mask: Tensor | undefined): { output: Tensor; state: readonly Tensor[] } {
    const [samples = 0, length = 0] = x.shape;
    const name = this.constructor.name;
    if (x.ndim !== 3 || length === 0) throw new ShapeError(`${name}: input ${formatShape(x.shape)} is not [N, T, I]`, { remedy: 'give at least one step' });
    if (mask !== undefined && mask.shape.join() !== [samples, length].join()) throw new ShapeError(`${name}: mask ${formatShape(mask.shape)} for an input ${formatShape(x.shape)}`, { remedy: 'give [N, T]' });
    const given = this.input(x, mask?.unsqueeze(2)).unbind(1);
    const masks = mask?.unsqueeze(2).unbind(1);
    const runs = this.stepwise().map((norm) => norm.begin(length));
    const blank = zeros([samples, this.width], { dtype: x.dtype });
    let state: readonly Tensor[] = start.map((part, i) => part ?? (i === 0 ? this.#first(blank) : blank));
    const outputs: Tensor[] = [];
    for (const [step, term] of given.entries()) {
      const own = masks?.[step];
      const next = this.step(term, state, { runs, step, mask: own });
      const before = state;
      state = own === undefined ? next : next.map((part, i) => where(own, part, before[i] ?? part));
      outputs.push(state[0] ?? term);
    }
    for (const run of runs) run.end();
    return { output: stack(outputs, 1), state };
  }

  #first(blank: Tensor): Tensor {
    if (!this.training || this.noise === 0) return blank;
    return random.normal(blank.shape).to(blank.dtype).mul(this.noise);
  }

  /** W_hh h [N, gates · H]. */
  protected recall(h: Tensor | undefined): Tensor {
    return functional.linear(asTensor(h), this.weightHh.value, undefined);
  }
}

/** 1 for the second quarter, the forget gates; 0 for the others. */
const forgetBias: Initializer = ([length = 0], dtype) => () => {
  const values = dtype === 'float64' ? new Float64Array(length) : new Float32Array(length);
  return values.fill(1, length / 4, length / 2);
};

/**
 * An LSTM with (i, f, g, o) = norm(W_hh h) + norm(W_ih x) + b, c′ = σ(f) c + σ(i) tanh(g) and h′ = σ(o) tanh(norm(c′));
 * what is kept as c is not normalised. The forget gates' bias starts at 1.
 */
export class NormalizedLSTM extends NormalizedRecurrent {
  readonly inputNorm: StepNorm;
  readonly hiddenNorm: StepNorm;
  readonly cellNorm: StepNorm;

  constructor(inputs: number, width: number, options: NormalizedRecurrentOptions = {}) {
    super(4, inputs, width, options, forgetBias);
    const { norm = () => new IdentityStepNorm(), steps = 1, dtype = 'float32' } = options;
    this.inputNorm = norm(4 * width, { steps, dtype, bias: false });
    this.hiddenNorm = norm(4 * width, { steps, dtype, bias: false });
    this.cellNorm = norm(width, { steps, dtype, bias: true });
  }

  override forward(x: Tensor, { h, c, mask }: SequenceOptions & { readonly c?: Tensor } = {}): { output: Tensor; h: Tensor; c: Tensor } {
    const { output, state } = this.run(x, [h, c], mask);
    return { output, h: asTensor(state[0]), c: asTensor(state[1]) };
  }

  protected override stepwise(): readonly StepNorm[] {
    return [this.hiddenNorm, this.cellNorm];
  }

  protected override input(x: Tensor, mask: Tensor | undefined): Tensor {
    return this.inputNorm.forward(functional.linear(x, this.weightIh.value, undefined), mask).add(this.bias.value);
  }

  protected override step(given: Tensor, [h, c]: readonly Tensor[], { runs, step, mask }: Steps): readonly Tensor[] {
    const [hidden, cell] = runs;
    const gates = given.add(hidden?.step(this.recall(h), step, mask) ?? 0).chunk(4, 1);
    const [i, f, g, o] = gates as [Tensor, Tensor, Tensor, Tensor];
    const next = f.sigmoid().mul(asTensor(c)).add(i.sigmoid().mul(g.tanh()));
    return [o.sigmoid().mul((cell?.step(next, step, mask) ?? next).tanh()), next];
  }
}

export interface NormalizedRNNOptions extends NormalizedRecurrentOptions {
  /** `sum`: h′ = f(norm(W_hh h + W_ih x)), as in layer normalization's paper (default); `apart`: norm of each term. */
  readonly terms?: 'sum' | 'apart';
  /** tanh unless given. */
  readonly nonlinearity?: 'tanh' | 'relu';
}

/** Elman's network with h′ = f(norm(W_hh h + W_ih x) + b), or with each term normalised on its own. */
export class NormalizedRNN extends NormalizedRecurrent {
  readonly nonlinearity: 'tanh' | 'relu';
  /** Of W_ih x; none where the sum is normalised. */
  readonly inputNorm: StepNorm | undefined;
  readonly hiddenNorm: StepNorm;

  constructor(inputs: number, width: number, options: NormalizedRNNOptions = {}) {
    super(1, inputs, width, options);
    const { norm = () => new IdentityStepNorm(), steps = 1, terms = 'sum', nonlinearity = 'tanh', dtype = 'float32' } = options;
    this.nonlinearity = nonlinearity;
    this.inputNorm = terms === 'apart' ? norm(width, { steps, dtype, bias: false }) : undefined;
    this.hiddenNorm = norm(width, { steps, dtype, bias: false });
  }

  override forward(x: Tensor, { h, mask }: SequenceOptions = {}): { output: Tensor; h: Tensor } {
    const { output, state } = this.run(x, [h], mask);
    return { output, h: asTensor(state[0]) };
  }

  protected override stepwise(): readonly StepNorm[] {
    return [this.hiddenNorm];
  }

  protected override input(x: Tensor, mask: Tensor | undefined): Tensor {
    const term = functional.linear(x, this.weightIh.value, undefined);
    return this.inputNorm === undefined ? term : this.inputNorm.forward(term, mask);
  }

  protected override step(given: Tensor, [h]: readonly Tensor[], { runs: [run], step, mask }: Steps): readonly Tensor[] {
    const recalled = this.recall(h);
    const normalized = (x: Tensor): Tensor => run?.step(x, step, mask) ?? x;
    const sum = (this.inputNorm === undefined ? normalized(given.add(recalled)) : given.add(normalized(recalled))).add(this.bias.value);
    return [this.nonlinearity === 'relu' ? sum.relu() : sum.tanh()];
  }
}

/**
 * A GRU with (r, z) = σ(norm(W_hh h) + norm(W_ih x) + b) jointly, n = tanh(norm(W_in x) + b + r norm(W_hn h)) and
 * h′ = (1 − z) n + z h.
 */
export class NormalizedGRU extends NormalizedRecurrent {
  /** Of the gates r and z, [2 H], and of the candidate n, [H]. */
  readonly inputNorm: StepNorm;
  readonly inputCandidateNorm: StepNorm;
  readonly hiddenNorm: StepNorm;
  readonly hiddenCandidateNorm: StepNorm;

  constructor(inputs: number, width: number, options: NormalizedRecurrentOptions = {}) {
    super(3, inputs, width, options);
    const { norm = () => new IdentityStepNorm(), steps = 1, dtype = 'float32' } = options;
    this.inputNorm = norm(2 * width, { steps, dtype, bias: false });
    this.inputCandidateNorm = norm(width, { steps, dtype, bias: false });
    this.hiddenNorm = norm(2 * width, { steps, dtype, bias: false });
    this.hiddenCandidateNorm = norm(width, { steps, dtype, bias: true });
  }

  override forward(x: Tensor, { h, mask }: SequenceOptions = {}): { output: Tensor; h: Tensor } {
    const { output, state } = this.run(x, [h], mask);
    return { output, h: asTensor(state[0]) };
  }

  protected override stepwise(): readonly StepNorm[] {
    return [this.hiddenNorm, this.hiddenCandidateNorm];
  }

  protected override input(x: Tensor, mask: Tensor | undefined): Tensor {
    const term = functional.linear(x, this.weightIh.value, undefined);
    const { width } = this;
    const gates = this.inputNorm.forward(term.narrow(2, 0, 2 * width), mask);
    return cat([gates, this.inputCandidateNorm.forward(term.narrow(2, 2 * width, width), mask)], 2).add(this.bias.value);
  }

  protected override step(given: Tensor, [h]: readonly Tensor[], { runs: [gates, candidate], step, mask }: Steps): readonly Tensor[] {
    const { width } = this;
    const recalled = this.recall(h);
    const open = gates?.step(recalled.narrow(1, 0, 2 * width), step, mask) ?? recalled;
    const [r, z] = given.narrow(1, 0, 2 * width).add(open).sigmoid().chunk(2, 1) as [Tensor, Tensor];
    const hidden = candidate?.step(recalled.narrow(1, 2 * width, width), step, mask) ?? recalled;
    const n = given.narrow(1, 2 * width, width).add(r.mul(hidden)).tanh();
    return [n.lerp(asTensor(h), z)];
  }
}
