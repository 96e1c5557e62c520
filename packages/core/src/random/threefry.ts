// Threefry-2x32 with 20 rounds (Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3"):
// a counter-based generator: 64 random bits are a pure function of a 64-bit key and a 64-bit counter.

const parity = 0x1bd11bda;

/** Rotation distances of rounds 0 … 7, repeated. */
const rotations = [13, 15, 26, 6, 17, 29, 16, 24] as const;

/**
 * One block: writes two unsigned 32-bit words into `out[0]` and `out[1]`.
 * Keys and counters are taken modulo 2³², so signed and unsigned words both work.
 */
export function threefry2x32(key0: number, key1: number, counter0: number, counter1: number, out: Uint32Array): void {
  const key2 = parity ^ key0 ^ key1;
  let x0 = (counter0 + key0) | 0;
  let x1 = (counter1 + key1) | 0;
  for (let group = 0; group < 5; group++) {
    const first = (group & 1) * 4;
    for (let round = first; round < first + 4; round++) {
      const distance = rotations[round] ?? 0;
      x0 = (x0 + x1) | 0;
      x1 = ((x1 << distance) | (x1 >>> (32 - distance))) ^ x0;
    }
    const injected = group + 1;
    x0 = (x0 + (injected % 3 === 0 ? key0 : injected % 3 === 1 ? key1 : key2)) | 0;
    x1 = (x1 + ((injected + 1) % 3 === 0 ? key0 : (injected + 1) % 3 === 1 ? key1 : key2) + injected) | 0;
  }
  out[0] = x0;
  out[1] = x1;
}
