// Recurrent cells, and layers of them over sequences, as modules.
import { UserError } from '../../errors.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import * as functional from '../functional/recurrent.ts';
import { uniform } from '../init.ts';
import { Module } from '../module.ts';
import { Parameter } from '../parameter.ts';

/** What the cells share: weights and biases, U(±1 / √H) at the start. */
export abstract class RecurrentCell extends Module {
  /** [gates · H, I] */
  readonly weightIh: Parameter;
  /** [gates · H, H] */
  readonly weightHh: Parameter;
  /** [gates · H] */
  readonly biasIh: Parameter | undefined;
  readonly biasHh: Parameter | undefined;

  constructor(gates: number, inputs: number, width: number, bias: boolean) {
    super();
    const bound = 1 / Math.sqrt(width);
    const make = (shape: readonly number[]): Parameter => new Parameter({ shape, initial: uniform(-bound, bound)(shape) });
    this.weightIh = make([gates * width, inputs]);
    this.weightHh = make([gates * width, width]);
    this.biasIh = bias ? make([gates * width]) : undefined;
    this.biasHh = bias ? make([gates * width]) : undefined;
  }

  /** The weights' values now, for the functions of `functional`. */
  weights(): functional.CellWeights {
    return { weightIh: this.weightIh.value, weightHh: this.weightHh.value, biasIh: this.biasIh?.value, biasHh: this.biasHh?.value };
  }
}

export interface CellOptions {
  /** true unless given. */
  readonly bias?: boolean;
}

export interface RNNCellOptions extends CellOptions {
  /** tanh unless given. */
  readonly nonlinearity?: functional.Nonlinearity;
}

/** tanh(W_ih x + b_ih + W_hh h + b_hh): [N, I] → [N, H]. */
export class RNNCell extends RecurrentCell {
  readonly nonlinearity: functional.Nonlinearity;

  constructor(inputs: number, width: number, options: RNNCellOptions = {}) {
    super(1, inputs, width, options.bias ?? true);
    this.nonlinearity = options.nonlinearity ?? 'tanh';
  }

  override forward(x: Tensor, h?: Tensor): Tensor {
    return functional.rnnCell(x, h, this.weights(), { nonlinearity: this.nonlinearity });
  }
}

/** A step of long short-term memory: x [N, I] → h and c [N, H]. */
export class LSTMCell extends RecurrentCell {
  constructor(inputs: number, width: number, options: CellOptions = {}) {
    super(4, inputs, width, options.bias ?? true);
  }

  override forward(x: Tensor, state?: functional.LSTMState): functional.LSTMState {
    return functional.lstmCell(x, state, this.weights());
  }
}

/** A step of gated recurrent units: [N, I] → [N, H]. */
export class GRUCell extends RecurrentCell {
  constructor(inputs: number, width: number, options: CellOptions = {}) {
    super(3, inputs, width, options.bias ?? true);
  }

  override forward(x: Tensor, h?: Tensor): Tensor {
    return functional.gruCell(x, h, this.weights());
  }
}

export interface RecurrentLayerOptions extends CellOptions {
  /** 1 unless given. */
  readonly numLayers?: number;
  /** Sequences are [N, T, ·] instead of [T, N, ·]. */
  readonly batchFirst?: boolean;
  /** The share that is dropped between layers in training: 0 unless given. */
  readonly dropout?: number;
  /** Every layer also reads from the end; outputs stand side by side. */
  readonly bidirectional?: boolean;
}

/** What the sequence layers share. `cells` lists the layers' cells, forward before backward. */
export abstract class RecurrentLayer<C extends RecurrentCell = RecurrentCell> extends Module {
  readonly cells: readonly C[];
  readonly batchFirst: boolean;
  readonly dropout: number;
  readonly bidirectional: boolean;

  constructor(inputs: number, width: number, options: RecurrentLayerOptions, make: (inputs: number) => C) {
    super();
    const { numLayers = 1, batchFirst = false, dropout = 0, bidirectional = false } = options;
    if (!(Number.isInteger(numLayers) && numLayers > 0)) throw new UserError(`${this.constructor.name}: ${numLayers} layers`, { remedy: 'give a whole number from 1' });
    const directions = bidirectional ? 2 : 1;
    this.cells = Array.from({ length: numLayers * directions }, (_, i) => make(i < directions ? inputs : width * directions));
    this.batchFirst = batchFirst;
    this.dropout = dropout;
    this.bidirectional = bidirectional;
  }

  protected weights(): functional.CellWeights[] {
    return this.cells.map((cell) => cell.weights());
  }

  protected options(): functional.RecurrentOptions {
    const { batchFirst, dropout, bidirectional } = this;
    return { batchFirst, dropout, bidirectional, training: this.training };
  }
}

/** Layers of RNNCells over x [T, N, I]: outputs [T, N, D · H], last states h [layers · D, N, H]. */
export class RNN extends RecurrentLayer<RNNCell> {
  readonly nonlinearity: functional.Nonlinearity;

  constructor(inputs: number, width: number, options: RecurrentLayerOptions & RNNCellOptions = {}) {
    super(inputs, width, options, (own) => new RNNCell(own, width, options));
    this.nonlinearity = options.nonlinearity ?? 'tanh';
  }

  override forward(x: Tensor, h?: Tensor): { output: Tensor; h: Tensor } {
    return functional.rnn(x, h, this.weights(), { ...this.options(), nonlinearity: this.nonlinearity });
  }
}

/** Layers of LSTMCells over x [T, N, I]: outputs [T, N, D · H], last states h and c [layers · D, N, H]. */
export class LSTM extends RecurrentLayer<LSTMCell> {
  constructor(inputs: number, width: number, options: RecurrentLayerOptions = {}) {
    super(inputs, width, options, (own) => new LSTMCell(own, width, options));
  }

  override forward(x: Tensor, state?: functional.LSTMState): { output: Tensor } & functional.LSTMState {
    return functional.lstm(x, state, this.weights(), this.options());
  }
}

/** Layers of GRUCells over x [T, N, I]: outputs [T, N, D · H], last states h [layers · D, N, H]. */
export class GRU extends RecurrentLayer<GRUCell> {
  constructor(inputs: number, width: number, options: RecurrentLayerOptions = {}) {
    super(inputs, width, options, (own) => new GRUCell(own, width, options));
  }

  override forward(x: Tensor, h?: Tensor): { output: Tensor; h: Tensor } {
    return functional.gru(x, h, this.weights(), this.options());
  }
}
