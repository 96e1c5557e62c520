// Probes: what is measured of a model while it is trained, without changing how the training goes.
import type { Tensor } from '@athanor/core';
import type { TensorModule } from '@athanor/core/nn';
import type { DatasetPart } from '@athanor/core/plugin';
import type { StoredArray } from '@athanor/data';

/** The moment before an optimiser step. */
export interface ProbeMoment {
  /** Steps done. */
  readonly step: number;
  /** The learning rate of the step to come. */
  readonly lr: number;
  /** The batch of the step to come. */
  readonly inputs: Tensor;
  readonly labels: Tensor;
}

type ProbeArtifacts = ReadonlyMap<string, string | Uint8Array>;

/**
 * Measures a model in training. It must leave parameters, buffers and the default random stream as they were: the
 * weights that come out are the same with and without it.
 */
export interface Probe {
  /** Steps between measurements; the first is before the first step. */
  readonly every: number;
  /** Rows for the log: metric → value. Names are those of the probe, which no other part uses. */
  measure(moment: ProbeMoment): Promise<Readonly<Record<string, number>>>;
  /** Final numbers, from all values that were measured, by metric and in order. */
  summarize?(history: ReadonlyMap<string, readonly number[]>): Readonly<Record<string, number>>;
  /** Files for the run folder, from the same and from the model as it is after training. */
  artifacts?(history: ReadonlyMap<string, readonly number[]>): ProbeArtifacts | Promise<ProbeArtifacts>;
}

declare module '@athanor/core/plugin' {
  interface ComponentKinds {
    probe: Probe | Promise<Probe>;
  }
  interface ComponentContexts {
    probe: {
      readonly model: TensorModule;
      /** The loss that is trained, of the model as it stands. */
      readonly loss: (inputs: Tensor, labels: Tensor) => Tensor;
      readonly train: DatasetPart;
      readonly test: DatasetPart;
      readonly seed: number;
    };
  }
}

/** What probes have measured so far, kept over interruptions. */
export class ProbeHistory {
  readonly #values = new Map<string, number[]>();

  add(rows: Readonly<Record<string, number>>): void {
    for (const [metric, value] of Object.entries(rows)) {
      const known = this.#values.get(metric);
      if (known === undefined) this.#values.set(metric, [value]);
      else known.push(value);
    }
  }

  get values(): ReadonlyMap<string, readonly number[]> {
    return this.#values;
  }

  /** As arrays for a checkpoint; they hold NaN and infinities, which JSON does not. */
  state(): [string, StoredArray][] {
    return [...this.#values].map(([metric, values]) => [prefix + metric, { dtype: 'float64', shape: [values.length], data: Float64Array.from(values) }]);
  }

  /** Takes its arrays out of a checkpoint; returns the others. */
  restore(tensors: ReadonlyMap<string, StoredArray>): Map<string, StoredArray> {
    const others = new Map<string, StoredArray>();
    for (const [name, stored] of tensors) {
      if (name.startsWith(prefix)) this.#values.set(name.slice(prefix.length), Array.from<number | bigint, number>(stored.data, Number));
      else others.set(name, stored);
    }
    return others;
  }
}

const prefix = 'probe.';
