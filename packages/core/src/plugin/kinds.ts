// The kinds of component: what each one makes, and what it is given besides its config.
// Both tables are open: a package that brings a kind of its own merges a line into each
// (`declare module '@athanor/core/plugin' { interface ComponentKinds { sampler: Sampler } }`).
import type { Backend } from '../backend/backend.ts';
import type { TensorModule } from '../nn/containers.ts';
import type { Optimizer, Parameters } from '../nn/optim/optimizer.ts';

/** Makes a normalization of inputs `[N, features, …]`; the output has the input's shape. */
export type NormFactory = (features: number) => TensorModule;

/** Makes an optimiser of these parameters. */
export type OptimizerFactory = (parameters: Parameters) => Optimizer;

/** Of schedules that look at how training goes: what they see, and what they remember of it. */
export interface ScheduleFeedback {
  /** The metric that is watched, such as `train.loss`. */
  readonly metric: string;
  /** Takes the metric's value after an evaluation; later steps may get another factor. */
  observe(value: number): void;
  /** All that it remembers, as JSON. */
  state(): unknown;
  /** Goes on from what `state` gave. */
  restore(state: unknown): void;
}

/** Factor on the learning rate at a step, counted from 0. */
export interface LearningRateSchedule {
  (step: number): number;
  readonly feedback?: ScheduleFeedback;
}

/** What the lab needs of one part of a data set; `@athanor/data` has the full type. */
export interface DatasetPart {
  readonly name: string;
  readonly length: number;
  /** Shape of one sample, `[C, H, W]` for images. */
  readonly inputShape: readonly number[];
  /** All samples, contiguous: `length × product(inputShape)` numbers. */
  readonly inputs: Uint8Array | Float32Array;
  readonly labels: Int32Array;
  readonly classes: readonly string[];
  /** Of the training part: mean and standard deviation of each channel. */
  readonly statistics?: { readonly mean: readonly number[]; readonly std: readonly number[] };
}

/** A data set's parts. `validation` is there only when the component was asked for one. */
export interface DatasetParts {
  readonly train: DatasetPart;
  readonly validation?: DatasetPart;
  readonly test: DatasetPart;
}

/** Kind → what its `create` makes. */
export interface ComponentKinds {
  backend: Backend | Promise<Backend>;
  dataset: Promise<DatasetParts>;
  model: TensorModule;
  norm: NormFactory;
  optimizer: OptimizerFactory;
  schedule: LearningRateSchedule;
}

/** Kind → what its `create` is given besides `make`. A kind that is not here is given nothing more. */
export interface ComponentContexts {
  backend: {
    /** Whether the program owns its process, so that the backend may set flags of the JavaScript engine. */
    readonly ownsProcess?: boolean | undefined;
    /** How many threads it may take when its config does not say; by default, all cores. */
    readonly threads?: number | undefined;
  };
  dataset: {
    /** Folder that holds the files of large data sets. */
    readonly dataDir?: string | undefined;
    /** Tells the person something worth one line. */
    readonly notify: (message: string) => void;
  };
  model: {
    /** Shape of one sample, `[C, H, W]` for images. */
    readonly input: readonly number[];
    readonly classes: number;
  };
  schedule: { readonly steps: number };
}

/** The name of a kind of component, such as `norm` or `optimizer`. */
export type Kind = keyof ComponentKinds & string;
/** What the maker of a kind's component must give beside the config. */
export type ContextOf<K extends Kind> = K extends keyof ComponentContexts ? ComponentContexts[K] : object;
