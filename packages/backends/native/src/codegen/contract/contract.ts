// ContractKernel → C: rows are packed in a phase of their own; units of work then go panel by panel of columns.
import { InternalError, loopCount, type ContractKernel } from '@athanor/core/backend';
import { functionText, type Phase, type Source, type Target } from '../source.ts';
import { registerTypes } from '../text.ts';
import { epilogueFunction } from './epilogue.ts';
import { depthOf, offsetFunction } from './operand.ts';
import { packFunction } from './pack.ts';
import { chunk, packedRows, planOf, type Plan } from './plan.ts';
import { tileFunction, tileName, type TileContext, type TileShape } from './tile.ts';

/** Depth positions that one unit of packing copies. */
const packDepth = 2048;
const slack = 256;

export function contractSource(kernel: ContractKernel, target: Target): Source {
  const { batch, m, n } = kernel;
  if (loopCount(batch) * loopCount(m) * loopCount(n) === 0) return { text: '', phases: [], lanes: [] };
  if (kernel.combine === 'xor-popcount' && kernel.dtype !== 'int32') throw new InternalError(`${kernel.name}: xor-popcount of ${kernel.dtype}`);
  const plan = planOf(kernel, target);
  const [depthOfRows, depthOfColumns] = [depthOf(plan.rows), depthOf(plan.columns)];
  const { element } = registerTypes[plan.register];
  const context: TileContext = {
    combine: kernel.combine,
    register: plan.register,
    element,
    lanes: plan.lanes,
    packedHeight: plan.height,
    panelWidth: plan.width,
    direct: plan.direct ? { operand: plan.columns, depth: depthOfColumns } : undefined,
  };
  const shared = { register: plan.register, element, lanes: plan.lanes };
  const fills = [depthOfRows.fill, depthOfColumns.fill].filter((text) => text !== '');
  const text = [
    depthOfRows.declaration,
    depthOfColumns.declaration,
    fills.length === 0 ? '' : `__attribute__((constructor)) static void KERNEL(fill_tables)(void) {\n${fills.join('')}}\n`,
    offsetFunction('row_offset', plan.rows.own),
    offsetFunction('row_batch', plan.rows.batch),
    offsetFunction('column_offset', plan.columns.own),
    offsetFunction('column_batch', plan.columns.batch),
    packFunction({ ...shared, operand: plan.rows, depth: depthOfRows, width: plan.height }),
    plan.direct ? '' : packFunction({ ...shared, operand: plan.columns, depth: depthOfColumns, width: plan.width * plan.lanes }),
    ...tileShapes(plan).map((shape) => tileFunction(shape, context)),
    epilogueFunction(kernel, plan),
    functionText('pack', kernel.buffers, packBody(plan, element)),
    functionText('run', kernel.buffers, runBody(plan, element)),
  ].join('');
  return { text, phases: phasesOf(plan), lanes: [plan.lanes] };
}

/** Shapes of all tiles: whole panels and the last one, tall tiles and the others. */
function tileShapes({ height, tiles, tallTiles, width, panels, vectors }: Plan): TileShape[] {
  const heights = tallTiles < tiles ? [height, height - 1] : [height];
  const last = vectors - (panels - 1) * width;
  const widths = last < width ? [...(panels > 1 ? [width] : []), last] : [width];
  return heights.flatMap((tall) => widths.map((wide) => ({ height: tall, width: wide })));
}

const packParts = ({ depth }: Plan): number => Math.max(1, Math.ceil(depth / packDepth));

function phasesOf(plan: Plan): Phase[] {
  const { batches, tiles, panels, depth, rowCount, columnCount, bytes, lanes, width, unitsOfPanel } = plan;
  const operations = 2 * batches * rowCount * columnCount * depth;
  const scratch = scratchOf(plan);
  return [
    { name: 'pack', units: batches * tiles * packParts(plan), scratch: 0, shared: packedRows(plan) * bytes + slack, nanoseconds: (batches * rowCount * depth) / 4 },
    { name: 'run', units: batches * panels * unitsOfPanel, scratch: scratch.total, shared: 0, nanoseconds: operations / (lanes * Math.min(width, 2) * 2) },
  ];
}

/** What a thread needs: a packed panel, and sums. */
function scratchOf({ block, width, lanes, bytes, direct, height, depth, unitTiles, group }: Plan): { panel: number; sums: number; total: number } {
  const align = (size: number): number => Math.ceil(size / 64) * 64 + slack;
  const panel = direct ? 0 : align(block * width * lanes * bytes);
  const tile = height * width * lanes * bytes;
  const sums = align(block === depth ? tile : tile * unitTiles * group);
  return { panel, sums, total: panel + sums };
}

/** Start of a tile's rows, and how many it has. */
const tileRows = ({ height, tallTiles }: Plan, tile: string): { start: string; count: string } => ({
  start: `${tile} * ${height - 1} + (${tile} < ${tallTiles} ? ${tile} : ${tallTiles})`,
  count: `${height - 1} + (${tile} < ${tallTiles})`,
});

function packBody(plan: Plan, element: string): string {
  const { rows, tiles, height, depth, rowCount, lanes } = plan;
  const parts = packParts(plan);
  const entries = Math.ceil(height / lanes) * lanes;
  return `for (int64_t unit = first; unit < end; unit++) {
const int64_t part = unit % ${parts}, tile = unit / ${parts} % ${tiles}, batch = unit / ${parts * tiles};
const int64_t start = part * ${packDepth}, stop = start + ${packDepth} < ${depth} ? start + ${packDepth} : ${depth};
int64_t offsets[${entries}];
const int64_t row = ${tileRows(plan, 'tile').start};
for (int64_t i = 0; i < ${entries}; i++) offsets[i] = KERNEL(row_offset)(row + i < ${rowCount} ? row + i : ${rowCount - 1});
${element} *to = (${element} *)shared + ((batch * ${tiles} + tile) * ${depth} + start) * ${height};
KERNEL(pack_rows)(to, b${rows.buffer} + ${rows.offset} + KERNEL(row_batch)(batch), offsets, start, stop);
}`;
}

function runBody(plan: Plan, element: string): string {
  const { columns, batches, panels, unitsOfPanel, unitTiles, tiles, depth, block, height, width, lanes, vectors, stretch, columnCount, group, direct } = plan;
  const tile = tileRows(plan, 'tile');
  const waits = block < depth;
  const perStretch = Math.ceil(stretch / lanes);
  const entries = direct ? width : width * lanes;
  const lastVectors = vectors - (panels - 1) * width;
  const shapes = tileShapes(plan);
  const column = direct
    ? `((vector + i) / ${perStretch} * ${stretch} + (vector + i) % ${perStretch} * ${lanes})`
    : `(vector * ${lanes} + i < ${columnCount} ? vector * ${lanes} + i : ${columnCount - 1})`;
  const calls = shapes.map((shape) => {
    const conditions = [
      ...(shapes.some(({ height: other }) => other !== shape.height) ? [`rows == ${shape.height}`] : []),
      ...(shapes.some(({ width: other }) => other !== shape.width) ? [`vectors == ${shape.width}`] : []),
    ];
    const from = direct ? 'from' : `panel + (k - start) * ${width * lanes}`;
    return `${conditions.length === 0 ? '' : `if (${conditions.join(' && ')}) `}${tileName(shape)}(packed + k * ${height}, ${from}, offsets, k, k + ${chunk} < stop ? k + ${chunk} : stop, sums, k == 0);`;
  });
  return `${element} *const panel = (${element} *)scratch, *const all = (${element} *)(scratch + ${scratchOf(plan).panel});
for (int64_t open = first; open < end; open += ${group}) {
const int64_t close = open + ${group} < end ? open + ${group} : end;
for (int64_t start = 0; start < ${depth} || start == 0; start += ${Math.max(1, block)}) {
const int64_t stop = start + ${block} < ${depth} ? start + ${block} : ${depth};
int64_t known = -1;
for (int64_t unit = open; unit < close; unit++) {
const int64_t part = unit % ${unitsOfPanel}, place = unit / ${unitsOfPanel} % ${panels}, batch = unit / ${unitsOfPanel * panels};
const int64_t vector = place * ${width}, vectors = place == ${panels - 1} ? ${lastVectors} : ${width};
const ${columns.element} *const from = b${columns.buffer} + ${columns.offset}${batches === 1 ? '' : ' + KERNEL(column_batch)(batch)'};
int64_t offsets[${entries}];
for (int64_t i = 0; i < ${direct ? 'vectors' : entries}; i++) offsets[i] = KERNEL(column_offset)${column};
${direct ? '' : `if (unit / ${unitsOfPanel} != known) KERNEL(pack_columns)(panel, from, offsets, start, stop);\nknown = unit / ${unitsOfPanel};`}
const int64_t last = (part + 1) * ${unitTiles} < ${tiles} ? (part + 1) * ${unitTiles} : ${tiles};
for (int64_t tile = part * ${unitTiles}; tile < last; tile++) {
const int64_t row = ${tile.start}, rows = ${tile.count};
const ${element} *packed = (const ${element} *)shared + (batch * ${tiles} + tile) * ${depth * height};
${element} *const sums = all${waits ? ` + ((unit - open) * ${unitTiles} + tile - part * ${unitTiles}) * ${height * width * lanes}` : ''};
for (int64_t k = start; k < stop; k += ${chunk}) {
${calls.join('\n')}
}
${depth === 0 ? `memset(sums, 0, ${height * width * lanes} * sizeof *sums);` : ''}
if (stop == ${depth}) KERNEL(epilogue)(arguments, batch, row, rows, vector, vectors, sums, flags);
}
}
}
}`;
}
