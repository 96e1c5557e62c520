// How a contraction is cut: which side vectors run along, tiles of registers, panels, blocks of depth, units of work. By
// shape and vector width only, and in a way that never changes the order of sums: chunks of depth, each added up from 0,
// then one after the other.
import { InternalError, loopCount, lower, type ContractKernel } from '@athanor/core/backend';
import { lanesOf } from '../loop.ts';
import type { Target } from '../source.ts';
import { registerOf, type Register } from '../text.ts';
import { distinctElements, lastLoop, operandOf, packingOf, pattern, sizeOf, type Operand } from './operand.ts';

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
  /** The operand that is broadcast, and the one that vectors run along. */
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
  /** Rows of a tile. Packed rows that the last tile has too many are computed and not used. */
  readonly height: number;
  readonly tiles: number;
  readonly lastHeight: number;
  /** Rows are read where they lie: their distances from the first one of a tile. */
  readonly rowPattern: readonly number[] | undefined;
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
  const epilogueLanes = lanesOf(lower(kernel.epilogue, kernel.epilogue.map(() => 0)), target);
  const lanes = Math.min(epilogueLanes, wide ? Math.max(4, target.vectorBytes / 8) : target.vectorBytes / 4);
  const drafts = (['a', 'b'] as const).flatMap((side) => {
    const [rows, columns] = [operandOf(kernel, side, 'rows'), operandOf(kernel, side === 'a' ? 'b' : 'a', 'columns')];
    return [false, true].flatMap((direct) => [false, true].flatMap((inPlace) => draftOf({ kernel, rows, columns, lanes, registers: registersOf(target), direct, inPlace })));
  });
  const [best] = drafts.toSorted((x, y) => x.cost - y.cost);
  if (best === undefined) throw new InternalError(`${kernel.name}: a contraction without a plan`);

  const { rows, columns, rowCount, columnCount, height, tiles, width, vectors, rowPattern, stretch, direct } = best;
  const depth = loopCount(kernel.k);
  const batches = loopCount(kernel.batch);
  const panels = Math.ceil(vectors / width);
  // Code for a narrower panel must pay.
  const wasted = panels * width - vectors;
  const lastWidth = wasted > vectors * smallWaste ? width - wasted : width;
  const limit = Math.max(1, Math.floor(panelBytes / (width * lanes * bytes) / chunk)) * chunk;
  const block = direct || depth <= limit * 1.5 ? depth : limit;
  const unitsOfPanel = Math.min(tiles, Math.ceil(enoughUnits / (batches * panels)));
  const unitTiles = Math.ceil(tiles / unitsOfPanel);
  const unitSums = unitTiles * height * width * lanes * bytes;
  return {
    rows, columns, register, bytes, lanes, batches, rowCount, columnCount, depth, height, tiles, rowPattern,
    lastHeight: rowPattern === undefined ? height : rowCount - (tiles - 1) * height,
    stretch, vectors, width, panels, lastWidth, direct, block, unitTiles,
    unitsOfPanel: Math.ceil(tiles / unitTiles),
    group: block === depth ? 1 : Math.max(1, Math.floor(waitingBytes / unitSums)),
  };
}

/** Registers for sums: what is left holds a row of columns and the broadcast value. */
export function registersOf({ vectorBytes }: Target): number {
  return vectorBytes === 64 || process.arch === 'arm64' ? 28 : 12;
}

interface Draft {
  readonly rows: Operand;
  readonly columns: Operand;
  readonly rowCount: number;
  readonly columnCount: number;
  readonly height: number;
  readonly tiles: number;
  readonly rowPattern: readonly number[] | undefined;
  readonly stretch: number;
  readonly vectors: number;
  readonly width: number;
  readonly direct: boolean;
  /** Rough cycles for each position of depth. */
  readonly cost: number;
}

interface Choice {
  readonly kernel: ContractKernel;
  readonly rows: Operand;
  readonly columns: Operand;
  readonly lanes: number;
  readonly registers: number;
  /** Columns are read where they lie. */
  readonly direct: boolean;
  /** Rows are read where they lie. */
  readonly inPlace: boolean;
}

/** Cycles that a packed vector costs. */
const packingCost = { neighbours: 3, seconds: 3, squares: 7, singles: 20 } as const;
/** Reading far-apart rows in place costs about this share. */
const inPlaceCost = 0.03;
/** Columns read in place whose neighbours along depth lie this many elements apart fill few sets of the caches. */
const farApart = 128;

/** One way to do it, if it can be done. */
function draftOf({ kernel, rows, columns, lanes, registers, direct, inPlace }: Choice): Draft[] {
  const sameType = kernel.dtype === kernel.accumulator;
  const [rowCount, columnCount] = [sizeOf(rows.own), sizeOf(columns.own)];
  const depth = Math.max(1, loopCount(kernel.k));
  const last = lastLoop(columns.own);
  if (direct && (last.stride !== 1 || !sameType)) return [];
  const stretch = direct ? last.size : columnCount;
  const vectors = Math.ceil(stretch / lanes) * (columnCount / stretch);
  const shape = tileShape(rowCount, vectors, registers, inPlace ? rows : undefined);
  if (shape === undefined || (inPlace && !sameType)) return [];
  const { height, width } = shape;
  const tiles = Math.ceil(rowCount / height);

  const work = (inPlace ? rowCount : tiles * height) * vectors * latencyFactor(height * width);
  const packColumns = direct ? 0 : vectors * packingCost[packingOf(columns, lanes)];
  const copies = inPlace ? 0 : (rowCount / lanes) * packingCost[packingOf(rows, lanes)];
  // Rows that overlap would be written out many times over.
  const overlap = inPlace || rowCount * depth < distinctElements(rows) * 2 ? 0 : rowCount;
  const far = direct && lastLoop(columns.depth).stride >= farApart && rowCount > 48 ? work * 0.1 : 0;
  const scattered = storesAlong(kernel, columns, lanes) ? 0 : (rowCount * columnCount) / depth;
  return [{
    rows, columns, rowCount, columnCount, height, tiles, stretch, vectors, width, direct,
    rowPattern: inPlace ? pattern(rows.own, height) : undefined,
    cost: work * (inPlace ? 1 + inPlaceCost : 1) + packColumns + copies + overlap + far + scattered,
  }];
}

/** Share of a vector that a run of results must fill. */
const shortestRun = 0.25;

/** Few sums in flight wait for each other. */
function latencyFactor(sums: number): number {
  return Math.max(1, 8 / sums);
}

/** Whether the results of neighbouring columns are stored by vectors: neighbours in memory, or every other element. */
function storesAlong({ batch, m, n, epilogue }: ContractKernel, columns: Operand, lanes: number): boolean {
  const sizes = columns.side === 'a' ? m : n;
  const run = sizes.at(-1);
  if (run === undefined) return true;
  if (run < Math.min(lanes, loopCount(sizes)) * shortestRun) return false;
  const last = batch.length + (columns.side === 'a' ? m.length : m.length + n.length) - 1;
  return epilogue.every((instruction) => instruction.op !== 'store' || instruction.index.strides[last] === 1 || instruction.index.strides[last] === 2);
}

function tileShape(rowCount: number, vectors: number, registers: number, inPlace: Operand | undefined): { height: number; width: number } | undefined {
  const tallest = vectors > 1 && rowCount > registers / 2 ? registers / 2 : registers;
  const fits = (height: number): boolean => inPlace === undefined || pattern(inPlace.own, height) !== undefined;
  const even = Math.ceil(rowCount / Math.ceil(rowCount / Math.min(tallest, rowCount)));
  const heights = inPlace === undefined ? [even] : Array.from({ length: Math.min(tallest, rowCount) }, (_, i) => Math.min(tallest, rowCount) - i);
  // In place, the remainder is a tile of its own: prefer heights that leave none.
  const height = heights.find((candidate) => fits(candidate) && rowCount % candidate === 0 && candidate * 2 > tallest) ?? heights.find(fits);
  if (height === undefined) return undefined;
  return { height, width: Math.max(1, Math.min(8, Math.floor(registers / height), vectors)) };
}

/** Elements of rows that a phase of their own packs. */
export function packedRows({ batches, tiles, depth, height, rowPattern }: Plan): number {
  return rowPattern === undefined ? batches * tiles * depth * height : 0;
}
