// Micro-kernels: register tiles of r × NR outputs over packed panels, for every r that a panel of rows may leave.
import type { Code, Local } from '../../assembler/code.ts';
import { Module, type MemoryLimits } from '../../assembler/module.ts';
import type { ValueType } from '../../assembler/opcodes.ts';
import { at } from '../at.ts';
import { splatBytes } from '../lanes.ts';

/** The register tile, chosen once per process by what the engine can do. */
export interface Tile {
  /** Rows of a full tile. */
  readonly rows: number;
  /** Vectors of four columns. */
  readonly vectors: number;
  /** Multiply-adds round once. */
  readonly fused: boolean;
  /** Break the code of a tile into blocks, so that the compiler does not hoist loads and spill (V8 before 13). */
  readonly split: boolean;
}

/** Rows of a packed panel of the row operand: its pitch is fixed, so that every tile height can read it. */
export const panelRows = 12;
/** The sum over k is made of sums over chunks of this many, in order: part of the numerics. */
export const chunk = 256;

/** Parameters: row panel, column panels, output, k, number of column panels, number of tiles, output pitch in bytes, add to the output. */
export const microParameters: readonly ValueType[] = ['i32', 'i32', 'i32', 'i32', 'i32', 'i32', 'i32', 'i32'];

export const columnsOf = (tile: Tile): number => tile.vectors * 4;

/** Number of the kernel for tiles of some rows; `narrow` ones compute half of a panel's columns. */
export function microIndex(tile: Tile, rows: number, narrow: boolean): number {
  return (narrow ? tile.rows : 0) + rows - 1;
}

/** How tiles share out some rows evenly: tiles of one height, then those with one row less. */
export function tileHeights(rows: number, tile: Tile): { readonly count: number; readonly rows: number }[] {
  const tiles = Math.ceil(rows / tile.rows);
  const low = Math.floor(rows / tiles);
  const high = rows - low * tiles;
  return [{ count: high, rows: low + 1 }, { count: tiles - high, rows: low }].filter(({ count }) => count > 0);
}

export const microCount = (tile: Tile): number => 2 * tile.rows;

/** Name under which micro-kernel i is exported and imported. */
export const microName = (index: number): string => `m${index}`;

/** The module of all micro-kernels. */
export function microModule(tile: Tile, memory: MemoryLimits): Uint8Array<ArrayBuffer> {
  const module = new Module();
  module.importMemory('env', 'memory', memory);
  for (const vectors of [tile.vectors, tile.vectors / 2]) {
    for (let rows = 1; rows <= tile.rows; rows++) {
      const index = microIndex(tile, rows, vectors < tile.vectors);
      module.export(microName(index), module.define(microParameters, [], (code) => emitMicro(code, tile, rows, vectors)));
    }
  }
  return module.encode();
}

const unroll = 4;
/** That the compiler hands out on x86-64; one more is its own. */
export const vectorRegisters = 15;

function emitMicro(code: Code, tile: Tile, rows: number, vectors: number): void {
  const [a, b, c, k, panels, tiles, pitch, add] = microParameters.map((_, i) => code.parameter(i));
  if (!a || !b || !c || !k || !panels || !tiles || !pitch || !add) return;
  const sums = Array.from({ length: rows * vectors }, () => code.local('v128'));
  const zero = code.constant(splatBytes(0, 'int32'));
  const [row, column, out, start, left, count] = [code.local('i32'), code.local('i32'), code.local('i32'), code.local('i32'), code.local('i32'), code.local('i32')];
  const panelLoop = code.loop();
  code.get(a).set(start);
  code.get(c).set(out);
  code.get(tiles).set(count);
  const tileLoop = code.loop();
  for (const sum of sums) code.get(zero).set(sum);
  code.get(start).set(row);
  code.get(b).set(column);
  const done = code.block();
  const steps = (amount: number) => {
    for (let step = 0; step < amount; step++) emitStep(code, tile, { rows, vectors, sums, row, column, left, done, step });
    code.advance(row, amount * panelRows * 4).advance(column, amount * tile.vectors * 16).advance(left, -amount);
  };
  const rest = code.block();
  code.get(k).i32(unroll).op('i32.sub').tee(left).i32(0).op('i32.lt_s').brIf(rest);
  const main = code.loop();
  steps(unroll);
  code.get(left).i32(0).op('i32.ge_s').brIf(main);
  code.end().end();
  code.advance(left, unroll).get(left).op('i32.eqz').brIf(done);
  const tail = code.loop();
  steps(1);
  code.get(left).brIf(tail);
  code.end().end();
  emitStore(code, { rows, vectors, sums, out, pitch, add });
  code.advance(start, rows * 4);
  code.advance(count, -1).get(count).brIf(tileLoop);
  code.end();
  code.get(b).get(k).i32(vectors * 16).op('i32.mul').op('i32.add').set(b);
  code.advance(c, vectors * 16);
  code.advance(panels, -1).get(panels).brIf(panelLoop);
  code.end();
}

interface Step {
  readonly rows: number;
  readonly vectors: number;
  readonly sums: readonly Local[];
  readonly row: Local;
  readonly column: Local;
  readonly left: Local;
  readonly done: ReturnType<Code['block']>;
  readonly step: number;
}

/** One k: all products of a column vector and a row. */
function emitStep(code: Code, tile: Tile, { rows, vectors, sums, row, column, left, done, step }: Step): void {
  const columns = Array.from({ length: vectors }, (_, j) => {
    const local = code.local('v128');
    code.get(column).memory('v128.load', (step * tile.vectors + j) * 16).set(local);
    return local;
  });
  const factor = code.local('v128');
  const factorsTogether = Math.max(1, vectorRegisters - 1 - rows * vectors - vectors);
  for (let i = 0; i < rows; i++) {
    code.get(row).memory('v128.load32_splat', step * panelRows * 4 + i * 4).set(factor);
    for (let j = 0; j < vectors; j++) {
      const sum = at(sums, i * vectors + j);
      code.get(factor).get(at(columns, j));
      if (tile.fused) code.get(sum).op('f32x4.relaxed_madd');
      else code.op('f32x4.mul').get(sum).op('f32x4.add');
      code.set(sum);
    }
    // Never taken, and different each time: equal conditions would be merged. As few as keep the loads in registers.
    const isLast = i === rows - 1 || (i + 1) % factorsTogether === 0;
    if (tile.split && isLast) code.get(left).i32(-1000 - 16 * step - i).op('i32.eq').brIf(done);
  }
  for (const local of [...columns, factor]) code.release(local);
}

interface Finish {
  readonly rows: number;
  readonly vectors: number;
  readonly sums: readonly Local[];
  readonly out: Local;
  readonly pitch: Local;
  readonly add: Local;
}

/** Writes the tile, or adds it to what is there: each row is loaded whole before it is stored. */
function emitStore(code: Code, { rows, vectors, sums, out, pitch, add }: Finish): void {
  for (let i = 0; i < rows; i++) {
    code.get(add).if();
    for (let j = 0; j < vectors; j++) {
      const sum = at(sums, i * vectors + j);
      code.get(out).memory('v128.load', j * 16).get(sum).op('f32x4.add').set(sum);
    }
    code.end();
    for (let j = 0; j < vectors; j++) code.get(out).get(at(sums, i * vectors + j)).memory('v128.store', j * 16);
    code.get(out).get(pitch).op('i32.add').set(out);
  }
}
