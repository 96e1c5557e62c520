// The inputs of 3 × 3 convolutions by minimal filtering: tiles Bᵀ d B, four neighbouring ones at a time.
import type { Code, Local } from '../../assembler/code.ts';
import { at } from '../at.ts';
import { evenWords, integerBytes } from '../lanes.ts';
import { emitFor, makeLocals, releaseLocals } from './emit-for.ts';
import type { Filtering, Transforms } from './filtering.ts';
import type { Odometer } from './odometer.ts';
import { emitTranspose } from './pack.ts';

/** How a 3 × 3 convolution is computed. */
export interface Plan {
  readonly filtering: Filtering;
  readonly channels: number;
  readonly rows: number;
  readonly height: number;
  readonly width: number;
  /** Tiles of a tile row, rounded up to whole vectors; tile rows of a block. */
  readonly tilesWide: number;
  readonly tileRows: number;
  /** Bytes between rows of the input. */
  readonly rowBytes: number;
}

interface Places {
  /** Address of the image, and which block of its tile rows. */
  readonly image: Local;
  readonly block: Local;
  readonly channelWalk: Odometer;
  /** Where transformed tiles go, bytes between their positions, columns of a panel. */
  readonly to: Local;
  readonly step: number;
  readonly panel: number;
}

/** Lines of a tile that may lie beyond the image, and a mask that is 0 where they do. */
interface Edge {
  readonly outside: (line: number) => boolean;
  readonly mask: Local | undefined;
}

/** Transforms the inputs of a block of tile rows into panels [position][panel][channel][columns]; gives `image` and `channelWalk` back. */
export function emitInputs(transforms: Transforms, plan: Plan, { image, block, channelWalk, to: base, step, panel }: Places): void {
  const { code } = transforms;
  const { rowBytes, tilesWide, tileRows, height, width, channels, filtering } = plan;
  const { outputs } = filtering;
  const lastLane = (Math.ceil(width / outputs) - 1) % 4;
  const otherLanes = [0, 1, 2, 3].map((lane) => (lane === lastLane ? 0 : -1));
  const [first, from, to, tile, rows, left] = [code.local('i32'), code.local('i32'), code.local('i32'), code.local('i32'), code.local('i32'), code.local('i32')];
  code.get(image).get(block).i32(outputs * tileRows * rowBytes).op('i32.mul').op('i32.add').set(first);
  // The last block may have fewer tile rows.
  code.i32(Math.ceil(height / outputs)).get(block).i32(tileRows).op('i32.mul').op('i32.sub').tee(left).i32(tileRows).get(left).i32(tileRows).op('i32.lt_s').op('select').set(rows);
  code.i32(0).set(tile);
  channelWalk.start(tile);
  emitFor(code, channels, (channel) => {
    emitFor(code, rows, (tileRow) => {
      code.get(first).get(channelWalk.offset).op('i32.add').get(tileRow).i32(outputs * rowBytes).op('i32.mul').op('i32.add').set(from);
      code.get(tileRow).i32(tilesWide).op('i32.mul').set(tile);
      const below = edge(code, filtering, height, [0, 0, 0, 0], () => code.get(left).get(tileRow).op('i32.sub').i32(1).op('i32.ne'));
      emitFor(code, tilesWide / 4, (four) => {
        const right = edge(code, filtering, width, otherLanes, () => code.get(four).i32(tilesWide / 4 - 1).op('i32.ne'));
        code.get(tile).i32(panel).op('i32.div_u').i32(channels).op('i32.mul').get(channel).op('i32.add').i32(panel).op('i32.mul');
        code.get(tile).i32(panel).op('i32.rem_u').op('i32.add').i32(4).op('i32.mul').get(base).op('i32.add').set(to);
        const lines = Array.from({ length: filtering.size }, (_, y) => () => {
          const values = outputs === 2 ? loadPairs(code, from, y * rowBytes) : loadFours(code, from, y * rowBytes);
          hide(code, values, right, (x) => right.outside(x));
          hide(code, values, below, () => below.outside(y));
          return values;
        });
        transforms.tile(filtering.input, lines, to, (position) => position * step);
        code.advance(from, 16 * outputs).advance(tile, 4);
        if (right.mask !== undefined) code.release(right.mask);
      });
      if (below.mask !== undefined) code.release(below.mask);
    });
    channelWalk.next();
  });
  channelWalk.release();
  releaseLocals(code, [first, from, to, tile, rows, left, image]);
}

/**
 * Where an image's last tile has fewer outputs than the others, lines of it that lie beyond the image count as zero: in the
 * outputs they cancel, but only if they are numbers, and leave rounding behind. (The very last line is in the last output
 * alone.) `isOther` pushes 1 for any tile but the last; lanes that do not hold it, −1 among `otherLanes`, stay on.
 */
function edge(code: Code, { outputs, size: lines }: Filtering, size: number, otherLanes: readonly number[], isOther: () => void): Edge {
  const first = size % outputs === 0 ? lines : (size % outputs) + 2;
  if (first >= lines - 1) return { outside: () => false, mask: undefined };
  const mask = code.local('v128');
  code.i32(0);
  isOther();
  code.op('i32.sub').op('i32x4.splat').get(code.constant(integerBytes(otherLanes))).op('v128.or').set(mask);
  return { outside: (line) => line >= first && line < lines - 1, mask };
}

function hide(code: Code, values: readonly Local[], { mask }: Edge, isOutside: (x: number) => boolean): void {
  if (mask === undefined) return;
  values.forEach((value, x) => {
    if (isOutside(x)) code.get(value).get(mask).op('v128.and').set(value);
  });
}

/** Inputs 0 to 3 of tiles that begin two apart. */
function loadPairs(code: Code, from: Local, offset: number): Local[] {
  const [low, high] = [code.local('v128'), code.local('v128')];
  const values = [0, 1].flatMap((half) => {
    const place = offset + 8 * half;
    const [even, odd] = [code.local('v128'), code.local('v128')];
    code.get(from).memory('v128.load', place).set(low).get(from).memory('v128.load', place + 16).set(high);
    code.get(low).get(high).shuffle(evenWords).set(even);
    code.get(low).get(high).shuffle(oddWords).set(odd);
    return [even, odd];
  });
  releaseLocals(code, [low, high]);
  return values;
}

/** Inputs 0 to 5 of tiles that begin four apart. */
function loadFours(code: Code, from: Local, offset: number): Local[] {
  const tiles = makeLocals(code, 'v128', 5);
  tiles.forEach((tile, i) => code.get(from).memory('v128.load', offset + 16 * i).set(tile));
  const values = makeLocals(code, 'v128', 6);
  emitTranspose(code, tiles.slice(0, 4), (x, push) => {
    push();
    code.set(at(values, x));
  });
  // The last two are the first two of the next tile.
  code.get(at(values, 0)).get(at(tiles, 4)).shuffle(nextWords(0)).set(at(values, 4));
  code.get(at(values, 1)).get(at(tiles, 4)).shuffle(nextWords(1)).set(at(values, 5));
  releaseLocals(code, tiles);
  return values;
}

const oddWords = [4, 5, 6, 7, 12, 13, 14, 15, 20, 21, 22, 23, 28, 29, 30, 31];
/** Words x of the tiles behind the first: those of three in one vector, and of the fourth in itself. */
const nextWords = (x: number): number[] => [4, 8, 12, 16 + 4 * x].flatMap((byte) => [byte, byte + 1, byte + 2, byte + 3]);
