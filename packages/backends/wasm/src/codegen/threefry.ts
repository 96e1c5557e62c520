// Threefry-2x32-20 (Salmon et al. 2011) on four blocks at once.
import type { Code, Local } from '../assembler/code.ts';
import { splatBytes } from './lanes.ts';

const parity = 0x1bd11bda;
const rotations = [13, 15, 26, 6, 17, 29, 16, 24] as const;

/** out = word 0 of the block cipher with key [words 0, 1] on block [words 2, 3], in each lane. */
export function emitThreefry(code: Code, out: Local, words: readonly [Local, Local, Local, Local]): void {
  const [key0, key1, block0, block1] = words;
  const [x0, x1, key2] = [code.local('v128'), code.local('v128'), code.local('v128')];
  const keys = [key0, key1, key2];
  code.get(key0).get(key1).op('v128.xor').get(code.constant(splatBytes(parity, 'int32'))).op('v128.xor').set(key2);
  code.get(block0).get(key0).op('i32x4.add').set(x0);
  code.get(block1).get(key1).op('i32x4.add').set(x1);
  for (let group = 0; group < 5; group++) {
    for (let round = 0; round < 4; round++) {
      const distance = rotations[(group % 2) * 4 + round] ?? 0;
      code.get(x0).get(x1).op('i32x4.add').set(x0);
      code.get(x1).i32(distance).op('i32x4.shl').get(x1).i32(32 - distance).op('i32x4.shr_u').op('v128.or').get(x0).op('v128.xor').set(x1);
    }
    const injected = group + 1;
    code.get(x0).get(keys[injected % 3] ?? key0).op('i32x4.add').set(x0);
    code.get(x1).get(keys[(injected + 1) % 3] ?? key0).op('i32x4.add').get(code.constant(splatBytes(injected, 'int32'))).op('i32x4.add').set(x1);
  }
  code.get(x0).set(out);
  for (const local of [x0, x1, key2]) code.release(local);
}
