// What happens to finished sums: the instructions of a contraction's epilogue, vector by vector of a tile.
import { loopCount, lower, type Affine, type ContractKernel, type Instruction } from '@athanor/core/backend';
import { Body, type Form } from '../body.ts';
import { Nest } from '../nest.ts';
import { at, call, memoryTypes } from '../text.ts';
import type { Plan } from './plan.ts';

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
 * of some vectors of columns; a row of sums has `width` vectors.
 */
export function epilogueFunction(kernel: ContractKernel, plan: Plan): string {
  const loops = mergedLoops(kernel);
  const { lanes, stretch, register } = plan;
  // A contraction without columns has one.
  const n = loops.n.length === 0 ? [1] : loops.n;
  const widen = ({ offset, strides }: Affine): Affine => (loops.n.length === 0 ? { offset, strides: [...strides, 0] } : { offset, strides });
  const vectorLoop = loops.batch.length + loops.m.length + n.length - 1;
  const inner = at(n, n.length - 1);
  const nest = new Nest();
  const instructions = loops.epilogue.map((instruction) => withAffines(instruction, widen));
  const body = new Body(nest, lower(instructions, instructions.map(() => 0)), kernel.buffers, {
    lanes,
    vector: vectorLoop,
    vectorIsOuter: true,
    accumulator: () => call(`load_${register}`, lanes, `sum + r * width * ${lanes}`),
  });
  const decode = (name: string, sizes: readonly number[], start: number): void => {
    for (let i = sizes.length - 1; i >= 0; i--) {
      const rest = `${name}_rest`;
      nest.line(i === 0 ? `const int64_t i${start} = ${rest};` : `const int64_t i${start + i} = ${rest} % ${at(sizes, i)}; ${rest} /= ${at(sizes, i)};`);
      body.bind(start + i, `i${start + i}`);
    }
  };
  nest.line('int64_t batch_rest = batch;');
  decode('batch', loops.batch, 0);
  nest.open('for (int64_t v = vector; v < vector + vectors; v++)');
  const perStretch = Math.ceil(stretch / lanes);
  nest.line(`int64_t n = v / ${perStretch} * ${stretch} + v % ${perStretch} * ${lanes};`);
  nest.line(`const int64_t stop = v % ${perStretch} == ${perStretch - 1} ? (v / ${perStretch} + 1) * ${stretch} : n + ${lanes};`);
  nest.line(`const ${memoryTypes[kernel.accumulator].element} *sum = sums + (v - vector) * ${lanes};`);
  nest.open('while (n < stop)');
  nest.line(`const int64_t x = n % ${inner}, left = ${inner} - x, count = stop - n < left ? stop - n : left;`);
  nest.line(`int64_t n_rest = n / ${inner};`);
  decode('n', n.slice(0, -1), loops.batch.length + loops.m.length);
  body.bind(vectorLoop, 'x');
  nest.line(`const int whole = count == ${lanes};`);
  nest.line(`const b_${lanes} mask = ${call('first', lanes, 'count')};`);
  nest.open('for (int64_t r = 0; r < rows; r++)');
  nest.line('int64_t m_rest = row + r;');
  decode('m', loops.m, loops.batch.length);
  const careful: Form = { groups: 1, masks: ['mask'] };
  const depth = nest.depth;
  if (loopCount(n) >= lanes && body.movingGuards().length === 0) {
    nest.open('if (whole)');
    body.emitStage(0, { groups: 1 });
    body.endForm();
    body.close();
    nest.open('if (!whole)');
  }
  body.emitStage(0, careful);
  body.endForm();
  body.close(depth - 1);
  nest.line('n += count; sum += count;');
  body.close(0);
  const type = memoryTypes[kernel.accumulator].element;
  const pointers = kernel.buffers.map(({ dtype, access }, i) => {
    const pointer = `${access === 'read' ? 'const ' : ''}${memoryTypes[dtype].element} *`;
    return `${pointer}const b${i} = (${pointer})arguments[${i}];`;
  });
  return `static void KERNEL(epilogue)(char *const *arguments, int64_t batch, int64_t row, int64_t rows, int64_t vector, int64_t vectors, int64_t width, const ${type} *sums, int32_t *flags) {
${pointers.join('\n')}
${nest.text()}
}
`;
}
