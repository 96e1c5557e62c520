// The multilayer perceptron.
import type { Tensor } from '@athanor/core';
import { Linear, Module, Sequential } from '@athanor/core/nn';
import { LinearUnit, type Style } from './blocks.ts';

export interface MLPOptions extends Style {
  /** Widths of the hidden layers. */
  readonly hidden: readonly number[];
}

/** Linear → norm → activation (relu unless given) for each hidden layer, then linear: [N, …] → [N, classes]. */
export class MLP extends Module {
  readonly layers: Sequential;
  readonly head: Linear;

  constructor(inputs: number, classes: number, { hidden, activation = 'relu', ...style }: MLPOptions) {
    super();
    const units = hidden.map((width, i) => new LinearUnit(hidden[i - 1] ?? inputs, width, { ...style, activation }));
    this.layers = new Sequential(...units);
    this.head = new Linear(hidden.at(-1) ?? inputs, classes);
  }

  override forward(x: Tensor): Tensor {
    return this.head.forward(this.layers.forward(x.flatten(1)));
  }
}
