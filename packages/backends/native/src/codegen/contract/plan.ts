// How a contraction is cut: tiles of registers, panels, blocks of depth, units of work. By shape and vector width only,
// and in a way that never changes the order of sums: chunks of depth, each added up from 0, then one after the other.
import { loopCount, lower, type ContractKernel } from '@athanor/core/backend';
import { lanesOf } from '../loop.ts';
import type { Target } from '../source.ts';
import { registerOf, type Register } from '../text.ts';
import { lastLoop, operandOf, type Operand } from './operand.ts';

/** Neighbouring depth positions that are summed before they meet the sum of those before. */
export const chunk = 256;
/** Bytes of a packed panel of columns, and of sums that wait for more depth: they share the second-level cache. */
const panelBytes = 256 * 1024;
const waitingBytes = 256 * 1024;
/** Share of the work that may be thrown away at the end of columns. */
const smallWaste = 0.04;
/** Units of work that are worth having. */
const enoughUnits = 16;

export interface Plan {
  readonly rows: Operand;
  readonly columns: Operand;
  readonly register: Register;
  /** Bytes of a packed element. */
  readonly bytes: number;
  readonly lanes: number;
  readonly batches: number;
  readonly rowCount: number;
  readonly columnCount: number;
  readonly depth: number;
  /** Rows of a tile. What the last one has too many is computed and not used. */
  readonly height: number;
  readonly tiles: number;
  /** Columns are cut into vectors: each stretch of `stretch` columns begins a new one. */
  readonly stretch: number;
  readonly vectors: number;
  /** Vectors of a panel, and of the last one. */
  readonly width: number;
  readonly panels: number;
  readonly lastWidth: number;
  /** Columns are read where they lie instead of being packed. */
  readonly direct: boolean;
  /** Depth of a block; all of it, unless packed panels would be too big. */
  readonly block: number;
  /** Tiles of a unit, and units of a panel. */
  readonly unitTiles: number;
  readonly unitsOfPanel: number;
  /** Units whose sums wait together for the next block. */
  readonly group: number;
}

export function planOf(kernel: ContractKernel, target: Target): Plan {
  const register = registerOf(kernel.accumulator);
  const wide = kernel.accumulator === 'float64';
  const bytes = wide ? 8 : 4;
  const stages = kernel.epilogue.map(() => 0);
  const epilogueLanes = lanesOf(lower(kernel.epilogue, stages), target);
  const lanes = Math.min(epilogueLanes, wide ? Math.max(4, target.vectorBytes / 8) : target.vectorBytes / 4);
  const rows = operandOf(kernel, 'a', 'rows');
  const columns = operandOf(kernel, 'b', 'columns');
  const [rowCount, columnCount, depth] = [loopCount(kernel.m), loopCount(kernel.n), loopCount(kernel.k)];
  const batches = loopCount(kernel.batch);

  const direct = isDirect(columns, lanes, rowCount, kernel.dtype === kernel.accumulator);
  const stretch = direct ? lastLoop(columns.own).size : columnCount;
  const vectors = Math.ceil(stretch / lanes) * (columnCount / stretch);
  const { height, width } = tileShape(rowCount, vectors, target);
  const tiles = Math.ceil(rowCount / height);
  const panels = Math.ceil(vectors / width);
  // Code for a narrower panel must pay.
  const wasted = panels * width - vectors;
  const lastWidth = wasted > vectors * smallWaste ? width - wasted : width;

  const limit = Math.max(1, Math.floor(panelBytes / (width * lanes * bytes) / chunk)) * chunk;
  const block = direct || depth <= limit * 1.5 ? depth : limit;
  const unitsOfPanel = Math.min(tiles, Math.ceil(enoughUnits / (batches * panels)));
  const unitTiles = Math.ceil(tiles / unitsOfPanel);
  const unitSums = unitTiles * height * width * lanes * bytes;
  const group = block === depth ? 1 : Math.max(1, Math.floor(waitingBytes / unitSums));
  return {
    rows, columns, register, bytes, lanes, batches, rowCount, columnCount, depth,
    height, tiles, stretch, vectors, width, panels, lastWidth, direct, block,
    unitTiles, unitsOfPanel: Math.ceil(tiles / unitTiles), group,
  };
}

/** Reading columns in place saves packing, and wastes the lanes at the end of each stretch. */
function isDirect(columns: Operand, lanes: number, rowCount: number, sameType: boolean): boolean {
  const { size, stride } = lastLoop(columns.own);
  if (stride !== 1 || !sameType) return false;
  const waste = (Math.ceil(size / lanes) * lanes) / size;
  const packing = 1 + 4 / rowCount;
  if (waste > packing) return false;
  // Far-apart rows of memory fill few sets of the caches: worth packing where they are read often.
  const { stride: step } = lastLoop(columns.depth);
  return rowCount <= 48 || step < 128;
}

/** Registers for sums: what is left holds a row of columns and the broadcast value. */
function tileShape(rowCount: number, vectors: number, { vectorBytes }: Target): { height: number; width: number } {
  const registers = vectorBytes === 64 || process.arch === 'arm64' ? 28 : 12;
  const tallest = registers / 2;
  const height = Math.min(tallest, rowCount);
  const even = Math.ceil(rowCount / Math.ceil(rowCount / height));
  const width = Math.max(1, Math.min(8, Math.floor(registers / even), vectors));
  if (vectors > 1 || rowCount <= tallest) return { height: even, width };
  // One vector of columns: tall tiles.
  return { height: Math.ceil(rowCount / Math.ceil(rowCount / registers)), width: 1 };
}

/** Elements of rows that a phase of their own packs. */
export function packedRows({ batches, tiles, depth, height }: Plan): number {
  return batches * tiles * depth * height;
}

