// Recurrent cells and sequences of them: Elman's network, LSTM (Hochreiter & Schmidhuber 1997), GRU (Cho et al. 2014).
// Sequences are unrolled: every step repeats the same kernels.
import { ShapeError, formatShape } from '../../errors.ts';
import { describe } from '../../graph/create.ts';
import { cat, stack, zeros } from '../../tensor/create.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { dropout } from './dropout.ts';
import { linear } from './linear.ts';

/** Weights of one cell; its gates (GRU: r z n, LSTM: i f g o) stand one below the other. */
export interface CellWeights {
  /** [gates · H, I] */
  readonly weightIh: Tensor;
  /** [gates · H, H] */
  readonly weightHh: Tensor;
  /** [gates · H] */
  readonly biasIh?: Tensor | undefined;
  readonly biasHh?: Tensor | undefined;
}

/** The activation of a plain recurrent network. */
/** What closes a step of Elman's network. */
export type Nonlinearity = 'tanh' | 'relu';

/** The state of an LSTM: what it shows, and what it keeps. */
export interface LSTMState {
  readonly h: Tensor;
  readonly c: Tensor;
}

/** A step: from the input's share of the gates [N, gates · H], the state and the weights to the next state; h comes first. */
interface Kind {
  readonly name: string;
  readonly states: number;
  step(given: Tensor, state: readonly Tensor[], weights: CellWeights): readonly Tensor[];
}

function recall([h]: readonly Tensor[], { weightHh, biasHh }: CellWeights): Tensor {
  return linear(h as Tensor, weightHh, biasHh);
}

const elman = (nonlinearity: Nonlinearity): Kind => ({
  name: 'rnn',
  states: 1,
  step(given, state, weights) {
    const sum = given.add(recall(state, weights));
    return [nonlinearity === 'relu' ? sum.relu() : sum.tanh()];
  },
});

const longShort: Kind = {
  name: 'lstm',
  states: 2,
  step(given, state, weights) {
    const [i, f, g, o] = given.add(recall(state, weights)).chunk(4, -1) as [Tensor, Tensor, Tensor, Tensor];
    const c = f.sigmoid().mul(state[1] as Tensor).add(i.sigmoid().mul(g.tanh()));
    return [o.sigmoid().mul(c.tanh()), c];
  },
};

const gated: Kind = {
  name: 'gru',
  states: 1,
  step(given, state, weights) {
    const [r, z, n] = given.chunk(3, -1) as [Tensor, Tensor, Tensor];
    const [hr, hz, hn] = recall(state, weights).chunk(3, -1) as [Tensor, Tensor, Tensor];
    const candidate = n.add(r.add(hr).sigmoid().mul(hn)).tanh();
    return [candidate.lerp(state[0] as Tensor, z.add(hz).sigmoid())];
  },
};

function cell(kind: Kind, x: Tensor, state: readonly (Tensor | undefined)[], weights: CellWeights): readonly Tensor[] {
  const width = weights.weightHh.shape[1] ?? 0;
  const blank = zeros([...x.shape.slice(0, -1), width], { dtype: x.dtype });
  return kind.step(linear(x, weights.weightIh, weights.biasIh), state.map((part) => part ?? blank), weights);
}

/** tanh(W_ih x + b_ih + W_hh h + b_hh): x [N, I], h [N, H] (zeros unless given) → [N, H]. */
export function rnnCell(x: Tensor, h: Tensor | undefined, weights: CellWeights, options: { readonly nonlinearity?: Nonlinearity } = {}): Tensor {
  return cell(elman(options.nonlinearity ?? 'tanh'), x, [h], weights)[0] as Tensor;
}

/** c′ = σ(f) c + σ(i) tanh(g), h′ = σ(o) tanh(c′): x [N, I] → h and c [N, H]. */
export function lstmCell(x: Tensor, state: LSTMState | undefined, weights: CellWeights): LSTMState {
  const [h, c] = cell(longShort, x, [state?.h, state?.c], weights) as [Tensor, Tensor];
  return { h, c };
}

/** h′ = (1 − σ(z)) tanh(n + σ(r) (W_hn h + b_hn)) + σ(z) h: x [N, I] → [N, H]. */
export function gruCell(x: Tensor, h: Tensor | undefined, weights: CellWeights): Tensor {
  return cell(gated, x, [h], weights)[0] as Tensor;
}

export interface RecurrentOptions {
  /** Sequences are [N, T, ·] instead of [T, N, ·]. */
  readonly batchFirst?: boolean;
  /** Every layer has a second cell that reads from the end; outputs stand side by side. */
  readonly bidirectional?: boolean;
  /** The share that is dropped between layers, in training: 0 unless given. */
  readonly dropout?: number;
  readonly training?: boolean;
}

/** All steps of one cell; outputs in the order of time. */
function sweep(kind: Kind, x: Tensor, start: readonly Tensor[], weights: CellWeights, backwards: boolean): { outputs: Tensor[]; end: readonly Tensor[] } {
  const given = linear(x, weights.weightIh, weights.biasIh).unbind(0);
  const outputs: Tensor[] = [];
  let state = start;
  for (const input of backwards ? given.toReversed() : given) {
    state = kind.step(input, state, weights);
    outputs.push(state[0] as Tensor);
  }
  return { outputs: backwards ? outputs.reverse() : outputs, end: state };
}

function checkSequence(kind: Kind, x: Tensor, initial: readonly (Tensor | undefined)[], cells: readonly CellWeights[]): void {
  const what = describe(kind.name);
  const [length = 0, n = 0] = x.shape;
  if (x.ndim !== 3 || length === 0) throw new ShapeError(`${what}: input ${formatShape(x.shape)} is not [T, N, I]`, { remedy: 'give at least one step, and a batch axis' });
  const width = cells[0]?.weightHh.shape[1] ?? 0;
  const expected = [cells.length, n, width];
  for (const part of initial) {
    if (part !== undefined && part.shape.join() !== expected.join()) throw new ShapeError(`${what}: initial state ${formatShape(part.shape)} is not ${formatShape(expected)}`, { remedy: 'it is [layers · directions, N, H]' });
  }
}

interface Run {
  readonly output: Tensor;
  readonly state: readonly Tensor[];
}

/** x [T, N, I] through layers of cells; `cells` lists them layer by layer, forward before backward. */
function run(kind: Kind, sequence: Tensor, initial: readonly (Tensor | undefined)[], cells: readonly CellWeights[], options: RecurrentOptions): Run {
  const { batchFirst = false, bidirectional = false, dropout: p = 0, training = true } = options;
  let x = batchFirst && sequence.ndim === 3 ? sequence.transpose(0, 1) : sequence;
  checkSequence(kind, x, initial, cells);
  const directions = bidirectional ? 2 : 1;
  const blank = zeros([x.shape[1] ?? 0, cells[0]?.weightHh.shape[1] ?? 0], { dtype: x.dtype });
  const starts = initial.map((part) => part?.unbind(0));
  const ends: (readonly Tensor[])[] = [];
  for (let first = 0; first < cells.length; first += directions) {
    const input = first === 0 ? x : dropout(x, { p, training });
    const sweeps = cells.slice(first, first + directions).map((weights, direction) => {
      const start = starts.map((parts) => parts?.[first + direction] ?? blank);
      const { outputs, end } = sweep(kind, input, start, weights, direction === 1);
      ends.push(end);
      return stack(outputs);
    });
    x = cat(sweeps, -1);
  }
  const state = Array.from({ length: kind.states }, (_, part) => stack(ends.map((end) => end[part] as Tensor)));
  return { output: batchFirst ? x.transpose(0, 1) : x, state };
}

/** Layers of `rnnCell` over x [T, N, I]: outputs of the last layer [T, N, D · H], and all last states [layers · D, N, H]. */
export function rnn(x: Tensor, h: Tensor | undefined, cells: readonly CellWeights[], options: RecurrentOptions & { readonly nonlinearity?: Nonlinearity } = {}): { output: Tensor; h: Tensor } {
  const { output, state } = run(elman(options.nonlinearity ?? 'tanh'), x, [h], cells, options);
  return { output, h: state[0] as Tensor };
}

/** Layers of `lstmCell` over x [T, N, I]: outputs of the last layer [T, N, D · H], and all last states [layers · D, N, H]. */
export function lstm(x: Tensor, initial: LSTMState | undefined, cells: readonly CellWeights[], options: RecurrentOptions = {}): { output: Tensor } & LSTMState {
  const { output, state } = run(longShort, x, [initial?.h, initial?.c], cells, options);
  return { output, h: state[0] as Tensor, c: state[1] as Tensor };
}

/** Layers of `gruCell` over x [T, N, I]: outputs of the last layer [T, N, D · H], and all last states [layers · D, N, H]. */
export function gru(x: Tensor, h: Tensor | undefined, cells: readonly CellWeights[], options: RecurrentOptions = {}): { output: Tensor; h: Tensor } {
  const { output, state } = run(gated, x, [h], cells, options);
  return { output, h: state[0] as Tensor };
}
