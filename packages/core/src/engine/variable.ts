// Variable: the only thing that changes. Parameters, buffers, optimiser slots, counters and hyper-parameters are Variables.
import { arrayOf, castNumber, isFloat, type Dtype, type TypedArray } from '../dtype.ts';
import { DtypeError, ShapeError, UserError, formatShape } from '../errors.ts';
import { data, read } from '../graph/build.ts';
import { buildContext } from '../graph/create.ts';
import { expand, reshape } from '../graph/move.ts';
import type { Node } from '../graph/node.ts';
import { elementCount, sameShape, type Shape } from '../shape.ts';
import { Tensor } from '../tensor/tensor.ts';
import { flushBeforeRead } from './flush.ts';
import { isReplaying, recordRead, replayRead } from './replay.ts';
import { engine, openAssignments, type Assignment } from './state.ts';
import { Storage, type Initial } from './storage.ts';

export interface VariableOptions {
  readonly name?: string;
  readonly shape: Shape;
  readonly dtype?: Dtype;
  /** Values to start with, made at first use; left out, zeros. */
  readonly initial?: Initial | undefined;
  /** May be made while a function is compiled, because it starts the same wherever it is made. */
  readonly traced?: boolean;
}

/** What a Variable can be set to. */
export type Assignable = Tensor | TypedArray | number;

/** A named value of fixed shape and dtype that assignments change; they land at the next flush. */
export class Variable extends Storage {
  override readonly persistent = true;
  #readNode: Node | undefined;

  constructor({ name = 'variable', shape, dtype = 'float32', initial, traced = false }: VariableOptions) {
    super({ name, shape, dtype, ...(initial === undefined ? {} : { initial }) });
    if (engine.trace !== undefined && !engine.trace.mayCreate && !traced) {
      throw new UserError(`${name} is made inside ${engine.trace.name}: a Variable made at each call would never keep its value`, {
        remedy: 'make it before',
      });
    }
  }

  /** The value now: what was last assigned, else what the memory holds. */
  get value(): Tensor {
    const replayed = replayRead(this);
    if (replayed === undefined) flushBeforeRead();
    const node = replayed ?? openAssignments().get(this)?.value ?? this.committed();
    recordRead(this, node);
    return new Tensor(node);
  }

  /** The node that reads the committed version: one per version. */
  committed(): Node {
    if (this.disposed) throw this.disposalError();
    if (this.#readNode?.op !== 'read' || this.#readNode.attributes.version !== this.version) this.#readNode = read(this, this.version);
    return this.#readNode;
  }

  /** Makes `value` what later reads see; earlier reads keep theirs. Numbers fill the whole shape. */
  assign(value: Assignable, writer?: string): void {
    if (this.disposed) throw this.disposalError();
    if (isReplaying()) return;
    const by = writer ?? (buildContext.module === '' ? 'an assignment' : `an assignment in module ${buildContext.module}`);
    openAssignments().set(this, this.#assignment(value, by));
  }

  /** A copy of the values, after all that waits. */
  async data(): Promise<TypedArray> {
    return await this.value.data();
  }

  /** The one value of a Variable with one element. */
  async item(): Promise<number> {
    return await this.value.item();
  }

  override toString(): string {
    return `${this.constructor.name} ${this.name} ${this.dtype} ${formatShape(this.shape)}`;
  }

  #assignment(value: Assignable, writer: string): Assignment {
    if (value instanceof Tensor) {
      this.#check(value.shape, value.dtype);
      return { value: value.node, host: undefined, writer };
    }
    if (typeof value === 'number') {
      const one = arrayOf(this.dtype, 1).fill(castNumber(value, this.dtype));
      const node = expand(reshape(data(one, [], this.dtype), this.shape.map(() => 1)), this.shape);
      return { value: node, host: arrayOf(this.dtype, elementCount(this.shape)).fill(castNumber(value, this.dtype)), writer };
    }
    const values = arrayOf(this.dtype, this.elements);
    if (value.length !== values.length) {
      throw new ShapeError(`${this.name}: ${value.length} values do not fill shape ${formatShape(this.shape)}`);
    }
    if (isFloat(this.dtype)) values.set(value);
    else for (let i = 0; i < value.length; i++) values[i] = castNumber(value[i] ?? 0, this.dtype);
    return { value: data(values, this.shape, this.dtype), host: values, writer };
  }

  #check(shape: Shape, dtype: Dtype): void {
    if (!sameShape(shape, this.shape)) {
      throw new ShapeError(`${this.name} has shape ${formatShape(this.shape)}: a value of shape ${formatShape(shape)} cannot be assigned`);
    }
    if (dtype !== this.dtype) {
      throw new DtypeError(`${this.name} is ${this.dtype}: a value of ${dtype} cannot be assigned`, { remedy: `use to('${this.dtype}')` });
    }
  }
}

/** A Variable that starts with the values of an array. */
export function variable(values: TypedArray, options: { readonly shape: Shape; readonly dtype: Dtype; readonly name?: string }): Variable {
  const { shape, dtype, name } = options;
  if (values.length !== elementCount(shape)) {
    throw new ShapeError(`${name ?? 'variable'}: ${values.length} values do not fill shape ${formatShape(shape)}`);
  }
  return new Variable({ shape, dtype, initial: () => values.slice(), ...(name === undefined ? {} : { name }) });
}
