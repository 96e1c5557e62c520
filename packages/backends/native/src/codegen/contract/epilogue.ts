// What happens to finished sums: the instructions of a contraction's epilogue, vector by vector of a tile.
import { loopCount, lower, type Affine, type ContractKernel, type Instruction } from '@athanor/core/backend';
import { Body } from '../body.ts';
import { Nest } from '../nest.ts';
import { pointersText } from '../source.ts';
import { at, call, memoryTypes, type Register } from '../text.ts';
import type { Operand } from './operand.ts';

/** What an epilogue must know of its contraction's plan. */
export interface EpilogueShape {
  readonly lanes: number;
  readonly register: Register;
  /** The operand that is broadcast. */
  readonly rows: Pick<Operand, 'side'>;
  /** Each stretch of so many columns begins a new vector. */
  readonly stretch: number;
}

/** A contraction's loops, with those merged that the epilogue's memory does not distinguish. */
interface Loops {
  readonly batch: readonly number[];
  readonly m: readonly number[];
  readonly n: readonly number[];
  readonly epilogue: readonly Instruction[];
}

function affinesOf(instruction: Instruction): readonly Affine[] {
  const own = 'index' in instruction ? [instruction.index] : [];
  return 'guards' in instruction ? [...own, ...instruction.guards.map(({ index }) => index)] : own;
}

function withAffines(instruction: Instruction, map: (affine: Affine) => Affine): Instruction {
  const moved = 'index' in instruction ? { ...instruction, index: map(instruction.index) } : instruction;
  return 'guards' in moved ? { ...moved, guards: moved.guards.map((guard) => ({ ...guard, index: map(guard.index) })) } : moved;
}

function mergedLoops({ batch, m, n, epilogue }: ContractKernel): Loops {
  const affines = epilogue.flatMap(affinesOf);
  let first = 0;
  const kept: number[] = [];
  const merge = (loops: readonly number[]): number[] => {
    const sizes: number[] = [];
    let open = false;
    loops.forEach((size, i) => {
      const loop = first + i;
      const merges = open && affines.every(({ strides }) => strides[loop - 1] === (strides[loop] ?? 0) * size);
      if (merges) {
        sizes[sizes.length - 1] = (sizes.at(-1) ?? 1) * size;
        kept[kept.length - 1] = loop;
      } else {
        sizes.push(size);
        kept.push(loop);
      }
      open = true;
    });
    first += loops.length;
    return sizes;
  };
  const [batchSizes, mSizes, nSizes] = [merge(batch), merge(m), merge(n)];
  const map = ({ offset, strides }: Affine): Affine => ({ offset, strides: kept.map((loop) => strides[loop] ?? 0) });
  return { batch: batchSizes, m: mSizes, n: nSizes, epilogue: epilogue.map((instruction) => withAffines(instruction, map)) };
}

/**
 * `KERNEL(epilogue)(arguments, batch, row, rows, vector, vectors, width, sums, flags)`: stores rows row … row + rows − 1
 * of some vectors of columns; a row of sums has `width` vectors. `KERNEL(expect)` with the same parameters asks for the
 * memory that it will touch.
 */
export class EpilogueWriter {
  readonly #kernel: ContractKernel;
  readonly #plan: EpilogueShape;
  readonly #batch: readonly number[];
  /** Sizes of the loops of each side, and the number of the first one. */
  readonly #rows: { readonly sizes: readonly number[]; readonly first: number };
  readonly #columns: { readonly sizes: readonly number[]; readonly first: number };
  readonly #instructions: readonly Instruction[];

  constructor(kernel: ContractKernel, plan: EpilogueShape) {
    const { batch, m, n, epilogue } = mergedLoops(kernel);
    this.#kernel = kernel;
    this.#plan = plan;
    this.#batch = batch;
    const a = { sizes: m, first: batch.length };
    const b = { sizes: n, first: batch.length + m.length };
    const [rows, columns] = plan.rows.side === 'a' ? [a, b] : [b, a];
    this.#rows = rows;
    // A contraction without columns has one: a loop behind all others.
    const none = columns.sizes.length === 0;
    this.#columns = none ? { sizes: [1], first: b.first + n.length } : columns;
    const widened = ({ offset, strides }: Affine): Affine => ({ offset, strides: none ? [...strides, 0] : strides });
    this.#instructions = epilogue.map((instruction) => withAffines(instruction, widened));
  }

  write(name: 'expect' | 'epilogue'): string {
    return this.#function(name, (body) => (name === 'expect' ? this.#touch(body) : this.#compute(body)));
  }

  get #vectorLoop(): number {
    return this.#columns.first + this.#columns.sizes.length - 1;
  }

  /** A function that runs over the rows of each stretch of columns that the epilogue's memory keeps together. */
  #function(name: string, emit: (body: Body) => void): string {
    const { lanes, stretch, register } = this.#plan;
    const [rows, columns] = [this.#rows, this.#columns];
    const nest = new Nest();
    const body = new Body(nest, lower(this.#instructions, this.#instructions.map(() => 0)), this.#kernel.buffers, {
      lanes,
      vector: this.#vectorLoop,
      vectorIsOuter: true,
      accumulator: () => call(`load_${register}`, lanes, `sum + r * width * ${lanes}`),
    });
    const decode = (rest: string, sizes: readonly number[], start: number): void => {
      for (let i = sizes.length - 1; i >= 0; i--) {
        nest.line(i === 0 ? `const int64_t i${start} = ${rest};` : `const int64_t i${start + i} = ${rest} % ${at(sizes, i)}; ${rest} /= ${at(sizes, i)};`);
        body.bind(start + i, `i${start + i}`);
      }
    };
    const perStretch = Math.ceil(stretch / lanes);
    const inner = at(columns.sizes, columns.sizes.length - 1);
    const element = memoryTypes[this.#kernel.accumulator].element;
    nest.line('int64_t batch_rest = batch;');
    decode('batch_rest', this.#batch, 0);
    nest.open('for (int64_t v = vector; v < vector + vectors; v++)');
    nest.line(`int64_t n = v / ${perStretch} * ${stretch} + v % ${perStretch} * ${lanes};`);
    nest.line(`const int64_t stop = v % ${perStretch} == ${perStretch - 1} ? (v / ${perStretch} + 1) * ${stretch} : n + ${lanes};`);
    nest.line(`const ${element} *sum = sums + (v - vector) * ${lanes};`);
    nest.open('while (n < stop)');
    nest.line(`const int64_t x = n % ${inner}, left = ${inner} - x, count = stop - n < left ? stop - n : left;`);
    nest.line(`int64_t column_rest = n / ${inner};`);
    decode('column_rest', columns.sizes.slice(0, -1), columns.first);
    body.bind(this.#vectorLoop, 'x');
    nest.open('for (int64_t r = 0; r < rows; r++)');
    nest.line('int64_t row_rest = row + r;');
    decode('row_rest', rows.sizes, rows.first);
    emit(body);
    body.close();
    nest.line('n += count; sum += count;');
    body.close(0);
    return `static void KERNEL(${name})(char *const *arguments, int64_t batch, int64_t row, int64_t rows, int64_t vector, int64_t vectors, int64_t width, const ${element} *sums, int32_t *flags) {
${pointersText(this.#kernel.buffers)}
${nest.text()}
}
`;
  }

  #compute(body: Body): void {
    const { lanes } = this.#plan;
    const { nest } = body;
    const depth = nest.depth;
    if (loopCount(this.#columns.sizes) >= lanes && body.movingGuards().length === 0) {
      nest.open(`if (count == ${lanes})`);
      body.emitStage(0, { groups: 1 });
      body.endForm();
      body.close();
      nest.open(`if (count != ${lanes})`);
    }
    nest.line(`const b_${lanes} mask = ${call('first', lanes, 'count')};`);
    body.emitStage(0, { groups: 1, masks: ['mask'] });
    body.endForm();
    body.close(depth);
  }

  #touch(body: Body): void {
    for (const instruction of this.#instructions) {
      const moves = (instruction.op === 'load' || instruction.op === 'store') && instruction.index.strides[this.#vectorLoop] !== 0;
      if (!moves) continue;
      const { text } = body.affine(instruction.index, 'with vector');
      body.nest.line(`__builtin_prefetch(b${instruction.buffer} + ${text}, ${instruction.op === 'store' ? 1 : 0});`);
    }
  }
}
