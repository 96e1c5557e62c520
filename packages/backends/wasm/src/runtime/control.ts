// The control block at the start of linear memory: what threads share. Byte addresses; each group has its own cache line.

export const control = {
  /** Number of the current job; workers wait for it to change. The word after it counts the sleepers. */
  job: 64,
  /** What the job is (`jobs`) and its parameters. */
  operation: 192,
  tableStart: 196,
  tableEnd: 200,
  threads: 204,
  scratchBase: 208,
  scratchStride: 212,
  /** Non-zero: threads wait at random before commands. */
  delays: 216,
  /** Bytes of a module to load: address and length. */
  moduleStart: 220,
  moduleLength: 224,
  /** Its kernels' place in the function table; count 0 means that it holds the micro-kernels. */
  moduleFirst: 228,
  moduleCount: 232,
  /** Set by kernels when an index was out of range (codegen/scalar.ts knows the address). */
  flag: 128,
  /** Threads that have reached the barrier. */
  arrived: 256,
  /** Number of the barrier's phase; the word after it counts the sleepers. */
  phase: 320,
  /** Non-zero once a thread gave up: nothing runs any more. */
  broken: 384,
  random: 448,
  /** Changes when more of the inputs has arrived; the word after it counts the sleepers. */
  arrival: 512,
} as const;

export const jobs = { run: 0, load: 1, exit: 2 } as const;

/** First byte that allocations may use. */
export const firstFree = 65536;

/** Words of a command before its arguments: table entry, flags, units, threads to use, bytes to the next command, units taken, units whose inputs are there. */
export const commandHeader = 7;
/** … of which the last. */
export const readyWord = 6;
export const barrierFlag = 1;
