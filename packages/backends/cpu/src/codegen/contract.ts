// ContractKernel → JavaScript: batches and blocks of the product as loops around `multiply`, then the epilogue over
// each finished block.
import { InternalError, loopCount, type Affine, type ContractKernel } from '@athanor/core/backend';
import { Emitter } from './emitter.ts';
import type { Source } from './loop.ts';
import { block, multiplyName } from './multiply.ts';
import { Nest, type NestLoop } from './nest.ts';

export function contractSource(kernel: ContractKernel): Source {
  const { batch, m, n, k, a, b, dtype, combine } = kernel;
  const [rows, columns] = [loopCount(m), loopCount(n)];
  if (loopCount(batch) * rows * columns === 0) return { setup: '', body: '' };
  const multiply = multiplyName(dtype, combine);
  if (multiply === undefined) throw new InternalError(`${kernel.name}: contraction of ${dtype}`);

  const axes = axesOf(kernel);
  const setup = new Setup();
  const nest = new Nest();
  const emitter = new Emitter(nest, kernel.epilogue, kernel.buffers);
  nest.open(
    batch.map((size, i): NestLoop => ({
      variable: `i${i}`,
      start: '0',
      stop: String(size),
      step: 1,
      stride: (index) => index.strides[i] ?? 0,
    })),
  );
  const outside = nest.depth;

  const onlyBatch = (index: Affine): Affine => ({ offset: index.offset, strides: index.strides.slice(0, batch.length) });
  const operand = ({ buffer, index }: ContractKernel['a'], axis: Axis) =>
    [
      `b${buffer}`,
      nest.index(onlyBatch(index), `o${buffer}`).text,
      setup.table(axis.loops, axis.strides(index)),
      setup.table(k, axes.k.strides(index)),
    ].join(', ');
  const call = `multiply.${multiply}(${operand(a, axes.m)}, ${operand(b, axes.n)}, sums, m0, m1, n0, n1);`;
  setup.line(`const sums = new ${kernel.accumulator === 'int32' ? 'Int32Array' : 'Float64Array'}(${block.rows * block.columns});`);

  nest.open([setup.loop('m', axes.m), setup.loop('n', axes.n)]);
  kernel.epilogue.forEach((instruction, position) => {
    if (instruction.op !== 'accumulator') return emitter.emit(position);
    const sum = `sums[(m - m0) * ${block.columns} + (n - n0)]`;
    emitter.define(position, nest.declare('v', { text: instruction.dtype === 'float32' ? `fround(${sum})` : sum, level: nest.depth }));
  });
  nest.close(2, {
    before: `for (let n0 = 0; n0 < ${columns}; n0 += ${block.columns}) {
const n1 = Math.min(n0 + ${block.columns}, ${columns});
for (let m0 = 0; m0 < ${rows}; m0 += ${block.rows}) {
const m1 = Math.min(m0 + ${block.rows}, ${rows});
${call}
`,
    after: '\n}\n}',
  });
  nest.close(outside);
  return { setup: setup.text(), body: nest.text() };
}

/** Some of a contraction's loops, walked as one. */
interface Axis {
  readonly loops: readonly number[];
  readonly strides: (index: Affine) => readonly number[];
}

function axesOf({ batch, m, n, k }: ContractKernel): { readonly m: Axis; readonly n: Axis; readonly k: Axis } {
  const axis = (loops: readonly number[], start: number): Axis => ({
    loops,
    strides: (index) => index.strides.slice(start, start + loops.length),
  });
  return { m: axis(m, batch.length), n: axis(n, batch.length + m.length), k: axis(k, batch.length + m.length + n.length) };
}

/** The one stride that walks all loops, if there is one. */
function commonStride(loops: readonly number[], strides: readonly number[]): number | undefined {
  const real = loops.flatMap((size, i) => (size === 1 ? [] : [{ size, stride: strides[i] ?? 0 }]));
  const fits = real.every(({ stride }, i) => {
    const next = real[i + 1];
    return next === undefined || stride === next.stride * next.size;
  });
  return fits ? (real.at(-1)?.stride ?? 0) : undefined;
}

/** Tables that the kernel makes once. */
class Setup {
  readonly #lines: string[] = [];
  readonly #tables = new Map<string, string>();

  line(text: string): void {
    this.#lines.push(text);
  }

  text(): string {
    return this.#lines.join('\n');
  }

  table(loops: readonly number[], strides: readonly number[]): string {
    const call = `offsetTable([${loops.join(', ')}], [${strides.join(', ')}])`;
    const name = this.#tables.get(call) ?? `table${this.#tables.size}`;
    if (!this.#tables.has(call)) this.line(`const ${name} = ${call};`);
    this.#tables.set(call, name);
    return name;
  }

  loop(variable: string, axis: Axis): NestLoop {
    const stride = (index: Affine) => {
      const strides = axis.strides(index);
      const common = commonStride(axis.loops, strides);
      if (common === undefined) return { text: `${this.table(axis.loops, strides)}[${variable}]` };
      return common === 0 || common === 1 ? common : { text: `Math.imul(${variable}, ${common})` };
    };
    return { variable, start: `${variable}0`, stop: `${variable}1`, step: 1, stride };
  }
}
