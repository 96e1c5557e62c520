// ContractKernel → C: rows are packed in a phase of their own; units of work then go panel by panel of columns.
import { InternalError, loopCount, type ContractKernel } from '@athanor/core/backend';
import { functionText, type Phase, type Source, type Target } from '../source.ts';
import { registerTypes } from '../text.ts';
import { EpilogueWriter } from './epilogue.ts';
import { depthOf, offsetFunction, packCall, type Depth } from './operand.ts';
import { chunk, packedRows, planOf, type Plan } from './plan.ts';
import { tileFunction, tileName, type Access, type Tile } from './tile.ts';
import { gradientCut, winogradGradientSource } from './winograd-gradient.ts';
import { isWinograd, winogradSource } from './winograd.ts';

/** Depth positions that one unit of packing copies. */
const packDepth = 2048;
/** Results of this many elements are not in a near cache when they are written. */
const muchMemory = 65536;
const slack = 256;

export function contractSource(kernel: ContractKernel, target: Target): Source {
  const { batch, m, n } = kernel;
  if (loopCount(batch) * loopCount(m) * loopCount(n) === 0) return { text: '', phases: [], lanes: [], helpers: [] };
  if (kernel.combine === 'xor-popcount' && kernel.dtype !== 'int32') throw new InternalError(`${kernel.name}: xor-popcount of ${kernel.dtype}`);
  if (isWinograd(kernel)) return winogradSource(kernel, target);
  const cut = gradientCut(kernel);
  if (cut !== undefined) return winogradGradientSource(kernel, cut, target);
  const writer = new ContractWriter(kernel, planOf(kernel, target));
  return writer.write();
}

class ContractWriter {
  readonly #kernel: ContractKernel;
  readonly #plan: Plan;
  readonly #element: string;
  readonly #rowDepth: Depth;
  readonly #columnDepth: Depth;
  /** Tiles for all rows but the last ones and for those; of each, for whole panels and for the last one. */
  readonly #tiles: readonly Tile[];

  constructor(kernel: ContractKernel, plan: Plan) {
    this.#kernel = kernel;
    this.#plan = plan;
    this.#element = registerTypes[plan.register].element;
    this.#rowDepth = depthOf(plan.rows);
    this.#columnDepth = depthOf(plan.columns);
    const { width, lastWidth, panels, height, lastHeight, tiles, register, lanes, direct, rowPattern } = plan;
    const widths = panels === 1 ? [lastWidth] : [...new Set([width, lastWidth])];
    const heights = tiles === 1 ? [lastHeight] : [...new Set([height, lastHeight])];
    const access = (packed: boolean, { table }: Depth): Access => (packed ? 'packed' : table === 'NULL' ? 'strided' : 'listed');
    const common = {
      combine: kernel.combine,
      register,
      element: this.#element,
      lanes,
      columns: access(!direct, this.#columnDepth),
      rows: access(rowPattern === undefined, this.#rowDepth),
      rowPattern: rowPattern ?? [],
    };
    this.#tiles = heights.flatMap((tall) => widths.map((wide) => ({ ...common, height: tall, width: wide })));
  }

  write(): Source {
    const { rows, columns, lanes } = this.#plan;
    const depths = [this.#rowDepth, this.#columnDepth];
    const epilogue = new EpilogueWriter(this.#kernel, this.#plan);
    const fills = depths.map(({ fill }) => fill).join('');
    const text = [
      ...depths.map(({ declaration }) => declaration),
      fills === '' ? '' : `__attribute__((constructor)) static void KERNEL(fill_tables)(void) {\n${fills}}\n`,
      offsetFunction('row_offset', rows.own),
      offsetFunction('row_batch', rows.batch),
      offsetFunction('column_offset', columns.own),
      offsetFunction('column_batch', columns.batch),
      this.#expects ? epilogue.write('expect') : '',
      epilogue.write('epilogue'),
      this.#packs ? functionText('pack', this.#kernel.buffers, this.#packBody()) : '',
      functionText('run', this.#kernel.buffers, this.#runBody()),
    ];
    const helpers = this.#tiles.map((tile) => ({ name: tileName(tile), text: tileFunction(tile) }));
    return { text: text.join(''), phases: this.#phases(), lanes: [lanes], helpers };
  }

  /** Whether rows are packed, in a phase of their own. */
  get #packs(): boolean {
    return this.#plan.rowPattern === undefined;
  }

  /** Whether memory is asked for before it is written. */
  get #expects(): boolean {
    const { batches, rowCount, columnCount } = this.#plan;
    return batches * rowCount * columnCount >= muchMemory;
  }

  get #packParts(): number {
    return Math.max(1, Math.ceil(this.#plan.depth / packDepth));
  }

  #phases(): Phase[] {
    const { batches, tiles, panels, depth, rowCount, columnCount, bytes, lanes, width, unitsOfPanel } = this.#plan;
    const operations = 2 * batches * rowCount * columnCount * depth;
    const pack: Phase = {
      name: 'pack',
      units: batches * tiles * this.#packParts,
      scratch: 0,
      shared: packedRows(this.#plan) * bytes + slack,
      nanoseconds: (batches * rowCount * depth) / 4,
    };
    const run: Phase = {
      name: 'run',
      units: batches * panels * unitsOfPanel,
      scratch: this.#panelBytes + this.#sumBytes,
      shared: 0,
      nanoseconds: operations / (lanes * Math.min(width, 2) * 2),
    };
    return this.#packs ? [pack, run] : [run];
  }

  /** Scratch of a thread for a packed panel. */
  get #panelBytes(): number {
    const { direct, block, width, lanes, bytes } = this.#plan;
    return direct ? 0 : aligned(block * width * lanes * bytes);
  }

  /** Scratch of a thread for sums: of one tile, or of all that wait for more depth. */
  get #sumBytes(): number {
    const { height, width, lanes, bytes, block, depth, unitTiles, group } = this.#plan;
    const tile = height * width * lanes * bytes;
    return aligned(block === depth ? tile : tile * unitTiles * group);
  }

  #packBody(): string {
    const { rows, tiles, height, depth, rowCount, lanes } = this.#plan;
    const parts = this.#packParts;
    const entries = Math.ceil(height / lanes) * lanes;
    return `for (int64_t unit = first; unit < end; unit++) {
const int64_t part = unit % ${parts}, tile = unit / ${parts} % ${tiles}, batch = unit / ${parts * tiles};
const int64_t start = part * ${packDepth}, stop = start + ${packDepth} < ${depth} ? start + ${packDepth} : ${depth};
int64_t offsets[${entries}];
const int64_t row = tile * ${height};
for (int64_t i = 0; i < ${entries}; i++) offsets[i] = KERNEL(row_offset)(row + i < ${rowCount} ? row + i : ${rowCount - 1});
${this.#element} *to = (${this.#element} *)shared + ((batch * ${tiles} + tile) * ${depth} + start) * ${height};
${packCall(rows, this.#rowDepth, lanes, { to: 'to', from: `b${rows.buffer} + ${rows.offset} + KERNEL(row_batch)(batch)`, width: height, stop: 'stop' })}
}`;
  }

  /** Elements of columns that a panel begins with: one for each vector in place, one for each column to pack. */
  #offsets(): string {
    const { direct, width, lanes, stretch, vectors, columnCount } = this.#plan;
    const perStretch = Math.ceil(stretch / lanes);
    const clamped = (text: string, last: number): string => `(${text} < ${last} ? ${text} : ${last})`;
    if (!direct) return `int64_t offsets[${width * lanes}];
for (int64_t i = 0; i < ${width * lanes}; i++) offsets[i] = KERNEL(column_offset)(${clamped(`vector * ${lanes} + i`, columnCount - 1)});`;
    return `int64_t offsets[${width}];
for (int64_t i = 0; i < ${width}; i++) {
const int64_t place = ${clamped('vector + i', vectors - 1)};
offsets[i] = KERNEL(column_offset)(place / ${perStretch} * ${stretch} + place % ${perStretch} * ${lanes});
}`;
  }

  /** Asks for the memory of the next panel. */
  #prefetch(): string {
    const { direct, columns, width, lanes, stretch, vectors } = this.#plan;
    const { loops, strides } = columns.depth;
    if (!direct || loops.length < 2) return '';
    const perStretch = Math.ceil(stretch / lanes);
    const [count, stride] = [loops[0], strides[0]];
    const rest = strides.slice(1, -1).reduce((sum, by, i) => sum + by * ((loops[i + 1] ?? 1) - 1), 0);
    return `for (int64_t i = 0; i < ${width}; i++) {
const int64_t next = vector + ${width} + i < ${vectors} ? vector + ${width} + i : 0;
const ${columns.element} *ahead = from + KERNEL(column_offset)(next / ${perStretch} * ${stretch} + next % ${perStretch} * ${lanes}) + ${rest};
for (int64_t k = 0; k < ${count}; k++) __builtin_prefetch(ahead + k * ${stride});
}`;
  }

  #runBody(): string {
    const { rows, columns, batches, panels, unitsOfPanel, unitTiles, tiles, depth, block, height, width, lastWidth, lanes, vectors, rowCount, group, direct } = this.#plan;
    const element = this.#element;
    const waits = block < depth;
    const { stride, table } = this.#columnDepth;
    const calls = this.#tiles.map((tile) => {
      const conditions = [
        ...(this.#tiles.some((other) => other.height !== tile.height) ? [`tile ${tile.height === height ? '<' : '=='} ${tiles - 1}`] : []),
        ...(this.#tiles.some((other) => other.width !== tile.width) ? [`place ${tile.width === width ? '<' : '=='} ${panels - 1}`] : []),
      ];
      const from = direct ? 'from' : `panel + (k - start) * ${tile.width * lanes}`;
      const rowsFrom = this.#packs ? `packed + k * ${height}, 0, NULL` : `packed, ${this.#rowDepth.stride}, ${this.#rowDepth.table}`;
      const arguments_ = [rowsFrom, from, 'offsets', stride, table, 'k', `k + ${chunk} < stop ? k + ${chunk} : stop`, 'sums'];
      return `${conditions.length === 0 ? '' : `if (${conditions.join(' && ')}) `}${tileName(tile)}(${arguments_.join(', ')});`;
    });
    const packed = this.#packs
      ? `(const ${element} *)shared + (batch * ${tiles} + tile) * ${depth * height}`
      : `b${rows.buffer} + ${rows.offset} + KERNEL(row_batch)(batch) + KERNEL(row_offset)(row)`;
    const packing = (wide: number): string => packCall(columns, this.#columnDepth, lanes, { to: 'panel', from: 'from', width: wide * lanes, stop: 'stop' });
    const pack = lastWidth === width ? packing(width) : `if (place < ${panels - 1}) ${packing(width)} else ${packing(lastWidth)}`;
    return `${element} *const panel = (${element} *)scratch, *const all = (${element} *)(scratch + ${this.#panelBytes});
for (int64_t open = first; open < end; open += ${group}) {
const int64_t close = open + ${group} < end ? open + ${group} : end;
for (int64_t start = 0; start < ${depth} || start == 0; start += ${Math.max(1, block)}) {
const int64_t stop = start + ${block} < ${depth} ? start + ${block} : ${depth};
int64_t known = -1;
for (int64_t unit = open; unit < close; unit++) {
const int64_t part = unit % ${unitsOfPanel}, place = unit / ${unitsOfPanel} % ${panels}, batch = unit / ${unitsOfPanel * panels};
const int64_t vector = place * ${width}, vectors = place == ${panels - 1} ? ${vectors - (panels - 1) * width} : ${width};
const ${columns.element} *const from = b${columns.buffer} + ${columns.offset}${batches === 1 ? '' : ' + KERNEL(column_batch)(batch)'};
${this.#offsets()}
${direct ? '' : `if (unit / ${unitsOfPanel} != known) { ${pack} }\nknown = unit / ${unitsOfPanel};`}
${this.#prefetch()}
const int64_t last = (part + 1) * ${unitTiles} < ${tiles} ? (part + 1) * ${unitTiles} : ${tiles};
for (int64_t tile = part * ${unitTiles}; tile < last; tile++) {
const int64_t row = tile * ${height}, rows = ${rowCount} - row < ${height} ? ${rowCount} - row : ${height};
const ${element} *const packed = ${packed};
${element} *const sums = all${waits ? ` + ((unit - open) * ${unitTiles} + tile - part * ${unitTiles}) * ${height * width * lanes}` : ''};
${this.#expects ? `if (stop == ${depth}) KERNEL(expect)(arguments, batch, row, rows, vector, vectors, 0, sums, flags);` : ''}
for (int64_t k = start; k < stop; k += ${chunk}) {
${calls.join('\n')}
}
${depth === 0 ? `memset(sums, 0, ${height * width * lanes} * sizeof *sums);` : ''}
if (stop == ${depth}) KERNEL(epilogue)(arguments, batch, row, rows, vector, vectors, ${lastWidth === width ? width : `place < ${panels - 1} ? ${width} : ${lastWidth}`}, sums, flags);
}
}
}
}`;
  }
}

const aligned = (size: number): number => Math.ceil(size / 64) * 64 + slack;
