// Contractions by register tiles: blocks of rows and columns, packed operands, sums in scratch, then the epilogue.
import { loopCount, type ContractKernel } from '@athanor/core/backend';
import type { Code, Local } from '../../assembler/code.ts';
import { at } from '../at.ts';
import type { BodyOptions } from '../body.ts';
import type { KernelShape } from '../loop.ts';
import { mergedAxis } from './axes.ts';
import { Epilogue } from './epilogue.ts';
import { chunk, columnsOf, microIndex, panelRows, tileHeights, type Tile } from './micro.ts';
import { emitPack, emitTable, needsTable, tableBytes, type Operand } from './pack.ts';
import { emitExtent, emitIndices, emitUnits, operandAddress, scratchPlace } from './units.ts';

export interface TiledOptions extends BodyOptions {
  readonly tile: Tile;
  /** Function indices of the imported micro-kernels. */
  readonly micro: readonly number[];
}

/** Whether a contraction is a sum of float32 products: what the forms for convolutions and matrix products compute. */
export function isProduct({ batch, m, n, k, combine, dtype, accumulator }: ContractKernel): boolean {
  if (combine !== 'multiply-add' || dtype !== 'float32' || accumulator !== 'float32') return false;
  return [batch, m, n, k].every((sizes) => loopCount(sizes) > 0);
}

/** How a contraction is cut into units of work; depends on its shape alone. */
interface Blocking {
  /** Rows and columns of a block; multiples of the panels'. */
  readonly rows: number;
  readonly columns: number;
  readonly rowBlocks: number;
  readonly columnBlocks: number;
}

const largestRows = 288;
const largestColumns = 384;
/** Multiply-adds that are worth a unit of their own. */
const unitWork = 1 << 19;

function chooseBlocking(batch: number, m: number, n: number, k: number, columnStep: number): Blocking {
  let rowBlocks = Math.ceil(m / largestRows);
  let columnBlocks = Math.ceil(n / largestColumns);
  const rowsOf = () => Math.ceil(m / rowBlocks / panelRows) * panelRows;
  const columnsOfBlock = () => Math.ceil(n / columnBlocks / columnStep) * columnStep;
  // A few units more than threads, but none so small or so narrow that packing would rule.
  const work = batch * m * n * k;
  for (;;) {
    const [rows, columns] = [Math.min(rowsOf(), m), Math.min(columnsOfBlock(), n)];
    const units = batch * rowBlocks * columnBlocks;
    const byColumns = columns >= rows;
    const packing = byColumns ? 1 / rows + 2 / columns : 2 / rows + 1 / columns;
    if (units >= 8 || work / units < 2 * unitWork || packing > (units < 2 ? 1 : units < 4 ? 0.055 : 0.04)) break;
    const [size, step, whole] = byColumns ? [columns, columnStep, n] : [rows, panelRows, m];
    if (size <= step) break;
    const blocks = Math.ceil(whole / (Math.ceil(size / 2 / step) * step));
    if (byColumns) columnBlocks = blocks;
    else rowBlocks = blocks;
  }
  const [rows, columns] = [rowsOf(), columnsOfBlock()];
  return { rows, columns, rowBlocks: Math.ceil(m / rows), columnBlocks: Math.ceil(n / columns) };
}

function operandOf(kernel: ContractKernel, side: 'a' | 'b'): Operand {
  const { index } = kernel[side];
  const [sizes, first] = side === 'a' ? [kernel.m, kernel.batch.length] : [kernel.n, kernel.batch.length + kernel.m.length];
  const rows = mergedAxis(sizes, first, [index.strides]);
  const k = mergedAxis(kernel.k, kernel.batch.length + kernel.m.length + kernel.n.length, [index.strides]);
  const bytes = (list: readonly number[] | undefined) => (list ?? []).map((stride) => stride * 4);
  return { rowSizes: rows.sizes, rowStrides: bytes(rows.strides[0]), kSizes: k.sizes, kStrides: bytes(k.strides[0]) };
}

export function emitTiledContraction(code: Code, kernel: ContractKernel, options: TiledOptions): KernelShape {
  return new TiledEmitter(code, kernel, options).emit();
}

class TiledEmitter {
  private readonly code: Code;
  private readonly kernel: ContractKernel;
  private readonly options: TiledOptions;
  private readonly a: Operand;
  private readonly b: Operand;
  private readonly m: number;
  private readonly n: number;
  private readonly k: number;
  private readonly blocking: Blocking;
  private readonly epilogue: Epilogue;

  constructor(code: Code, kernel: ContractKernel, options: TiledOptions) {
    this.code = code;
    this.kernel = kernel;
    this.options = options;
    this.a = operandOf(kernel, 'a');
    this.b = operandOf(kernel, 'b');
    [this.m, this.n, this.k] = [loopCount(kernel.m), loopCount(kernel.n), loopCount(kernel.k)];
    this.blocking = chooseBlocking(loopCount(kernel.batch), this.m, this.n, this.k, columnsOf(options.tile));
    this.epilogue = new Epilogue(code, kernel, options);
  }

  emit(): KernelShape {
    const { code, kernel, blocking } = this;
    const { rowBlocks, columnBlocks } = blocking;
    const layout = this.layout();
    const [rest, rowBlock, columnBlock] = [code.local('i32'), code.local('i32'), code.local('i32')];
    const batchIndices = kernel.batch.map(() => code.local('i32'));
    emitUnits(code, (unit) => {
      code.get(unit).set(rest);
      emitIndices(code, rest, [...kernel.batch, rowBlocks, columnBlocks], [...batchIndices, rowBlock, columnBlock]);
      this.emitUnit(batchIndices, rowBlock, columnBlock, layout);
    });
    const batch = loopCount(kernel.batch);
    const flops = 2 * batch * this.m * this.n * this.k;
    return { units: batch * rowBlocks * columnBlocks, cost: flops / 30 + batch * (this.m + this.n) * this.k * 0.2, scratch: layout.bytes };
  }

  /** Where each thread's scratch holds what. */
  private layout() {
    const { rows, columns } = this.blocking;
    const depth = Math.min(this.k, chunk);
    const pitch = columns * 4;
    const tableA = 0;
    const tableB = tableA + tableBytes;
    const panelA = tableB + tableBytes;
    const blockB = panelA + panelRows * depth * 4;
    const sums = blockB + columns * depth * 4;
    return { tableA, tableB, panelA, blockB, sums, pitch, bytes: sums + rows * pitch };
  }

  private emitUnit(batchIndices: readonly Local[], rowBlock: Local, columnBlock: Local, layout: ReturnType<TiledEmitter['layout']>): void {
    const { code, blocking, a, b } = this;
    const place = (offset: number) => scratchPlace(code, offset);
    const [tableA, tableB, panelA, blockB, sums] = [place(layout.tableA), place(layout.tableB), place(layout.panelA), place(layout.blockB), place(layout.sums)];
    const firstRow = this.scaled(rowBlock, blocking.rows);
    const firstColumn = this.scaled(columnBlock, blocking.columns);
    const rows = this.extent(firstRow, blocking.rows, this.m);
    const columns = this.extent(firstColumn, blocking.columns, this.n);
    const [addressA, addressB] = [operandAddress(code, this.kernel, 'a', batchIndices), operandAddress(code, this.kernel, 'b', batchIndices)];
    const [firstK, depth] = [code.local('i32'), code.local('i32')];
    code.i32(0).set(firstK);
    const chunks = code.loop();
    code.i32(chunk).i32(this.k).get(firstK).op('i32.sub').i32(chunk).i32(this.k).get(firstK).op('i32.sub').op('i32.lt_s').op('select').set(depth);
    const baseA = this.chunkBase(a, addressA, tableA, firstK, depth);
    const baseB = this.chunkBase(b, addressB, tableB, firstK, depth);
    emitPack(code, {
      operand: b, base: baseB, table: needsTable(b) ? tableB : undefined, firstRow: firstColumn, rows: columns, k: depth, to: blockB,
      pitch: columnsOf(this.options.tile),
    });
    this.emitPanels({ baseA, tableA, panelA, blockB, sums, firstRow, rows, columns, firstK, depth, pitch: layout.pitch });
    code.advance(firstK, chunk).get(firstK).i32(this.k).op('i32.lt_s').brIf(chunks);
    code.end();
    this.epilogue.emit(batchIndices, { sums, pitch: layout.pitch, firstRow, rows, firstColumn, columns });
    for (const local of [tableA, tableB, panelA, blockB, sums, firstRow, firstColumn, rows, columns, addressA, addressB, firstK, depth, baseA, baseB]) code.release(local);
  }

  private scaled(index: Local, by: number): Local {
    const local = this.code.local('i32');
    this.code.get(index).i32(by).op('i32.mul').set(local);
    return local;
  }

  private extent(first: Local, size: number, whole: number): Local {
    const local = this.code.local('i32');
    emitExtent(this.code, first, size, whole, local);
    return local;
  }

  /** Prepares an operand's table for a chunk of k; the address to pack from. */
  private chunkBase(operand: Operand, address: Local, table: Local, firstK: Local, depth: Local): Local {
    const { code } = this;
    const base = code.local('i32');
    code.get(address);
    if (needsTable(operand)) emitTable(code, operand, table, firstK, depth);
    else code.get(firstK).i32(at(operand.kStrides, 0)).op('i32.mul').op('i32.add');
    code.set(base);
    return base;
  }

  /** For each panel of rows: packs it and multiplies it with all panels of columns. */
  private emitPanels(block: {
    baseA: Local; tableA: Local; panelA: Local; blockB: Local; sums: Local; firstRow: Local; rows: Local; columns: Local; firstK: Local; depth: Local; pitch: number;
  }): void {
    const { code, a } = this;
    const { tile } = this.options;
    const [row, count, out, left] = [code.local('i32'), code.local('i32'), code.local('i32'), code.local('i32')];
    code.get(block.firstRow).set(row);
    code.get(block.rows).set(left);
    code.get(block.sums).set(out);
    const loop = code.loop();
    code.get(left).i32(panelRows).get(left).i32(panelRows).op('i32.lt_s').op('select').set(count);
    emitPack(code, { operand: a, base: block.baseA, table: needsTable(a) ? block.tableA : undefined, firstRow: row, rows: count, k: block.depth, to: block.panelA, pitch: panelRows });
    if (this.m >= panelRows) {
      code.get(count).i32(panelRows).op('i32.eq').if();
      this.emitTiles(block, out, panelRows, tile);
      if (this.m % panelRows !== 0) {
        code.else();
        this.emitTiles(block, out, this.m % panelRows, tile);
      }
      code.end();
    } else this.emitTiles(block, out, this.m, tile);
    code.advance(row, panelRows).advance(out, panelRows * block.pitch);
    code.advance(left, -panelRows).get(left).i32(0).op('i32.gt_s').brIf(loop);
    code.end();
    for (const local of [row, count, out, left]) code.release(local);
  }

  /** Tiles of nearly equal height over the rows of one panel, for all columns; a narrow last column panel where that is enough. */
  private emitTiles(block: { panelA: Local; blockB: Local; columns: Local; firstK: Local; depth: Local; pitch: number }, out: Local, rows: number, tile: Tile): void {
    const { code } = this;
    const width = columnsOf(tile);
    const rest = this.n % width;
    const mayNarrow = rest > 0 && rest <= width / 2;
    const [whole, narrow] = [code.local('i32'), code.local('i32')];
    code.get(block.columns).i32(width - 1 - (mayNarrow ? rest : 0)).op('i32.add').i32(width).op('i32.div_u').set(whole);
    if (mayNarrow) {
      // Only the block at the end of all columns has a rest.
      code.get(block.columns).i32(width).op('i32.rem_u').i32(rest).op('i32.eq').set(narrow);
      code.get(block.columns).i32(width).op('i32.div_u').set(whole);
    }
    let firstRow = 0;
    for (const group of tileHeights(rows, tile)) {
      const call = (isNarrow: boolean) => {
        code.get(block.panelA).i32(firstRow * 4).op('i32.add');
        code.get(block.blockB);
        if (isNarrow) code.get(whole).get(block.depth).op('i32.mul').i32(width * 4).op('i32.mul').op('i32.add');
        code.get(out).i32(firstRow * block.pitch).op('i32.add');
        if (isNarrow) code.get(whole).i32(width * 4).op('i32.mul').op('i32.add');
        code.get(block.depth);
        if (isNarrow) code.i32(1);
        else code.get(whole);
        code.i32(group.count).i32(block.pitch).get(block.firstK).i32(0).op('i32.ne');
        code.call(at(this.options.micro, microIndex(tile, group.rows, isNarrow)));
      };
      code.get(whole).if();
      call(false);
      code.end();
      if (mayNarrow) {
        code.get(narrow).if();
        call(true);
        code.end();
      }
      firstRow += group.count * group.rows;
    }
    code.release(whole);
    code.release(narrow);
  }
}
