// Modules that hold other modules by position.
import { UserError } from '../errors.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { Module } from './module.ts';

/** A module from one tensor to one tensor. */
export interface TensorModule extends Module {
  forward(x: Tensor): Tensor;
}

/** What all containers share: parts named 0, 1, … */
abstract class Container<M extends Module> extends Module implements Iterable<M> {
  readonly #items: M[];

  constructor(items: Iterable<M>) {
    super();
    this.#items = [...items];
  }

  /** How many modules the list holds. */
  get length(): number {
    return this.#items.length;
  }

  /** The module at a position; negative ones count from the end. */
  at(position: number): M | undefined {
    return this.#items.at(position);
  }

  /** Appends modules; optimisers made before do not know their parameters. */
  push(...items: M[]): this {
    this.#items.push(...items);
    return this;
  }

  /** The modules in order. */
  [Symbol.iterator](): Iterator<M> {
    return this.#items[Symbol.iterator]();
  }

  protected override fields(): Record<string, unknown> {
    return this.#items as unknown as Record<string, unknown>;
  }
}

/** A list of modules; it has no forward of its own. */
export class ModuleList<M extends Module = Module> extends Container<M> {
  constructor(items: Iterable<M> = []) {
    super(items);
  }

  override forward(): never {
    throw new UserError('a ModuleList computes nothing itself', { remedy: 'call its modules one by one, or use Sequential' });
  }
}

/** Modules one after another. */
export class Sequential extends Container<TensorModule> {
  constructor(...modules: readonly TensorModule[]) {
    super(modules);
  }

  override forward(x: Tensor): Tensor {
    let value = x;
    for (const module of this) value = module.forward(value);
    return value;
  }
}
