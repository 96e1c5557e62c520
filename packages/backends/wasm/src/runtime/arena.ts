// Memory that all programs of a backend share: one arena for intermediate values, one scratch area per thread.
import type { LinearMemory } from './allocator.ts';
import { control } from './control.ts';

export class Arena {
  address = 0;
  bytes = 0;
  private readonly memory: LinearMemory;
  private readonly threads: number;
  private scratchAddress = 0;
  private scratchBytes = 0;

  constructor(memory: LinearMemory, threads: number) {
    this.memory = memory;
    this.threads = threads;
  }

  /** Makes sure that a program's intermediate values and scratch fit; what they held is lost. */
  reserve(bytes: number, scratchBytes: number): void {
    if (bytes > this.bytes || this.address === 0) {
      if (this.address !== 0) this.memory.release(this.address);
      this.bytes = Math.ceil(Math.max(bytes, 64) / 65536) * 65536;
      this.address = this.memory.allocate(this.bytes);
    }
    if (scratchBytes > this.scratchBytes || this.scratchAddress === 0) {
      if (this.scratchAddress !== 0) this.memory.release(this.scratchAddress);
      // An odd number of pages keeps threads off each other's cache sets.
      this.scratchBytes = Math.ceil(Math.max(scratchBytes, 64) / 4096) * 4096 + 4096;
      this.scratchAddress = this.memory.allocate(this.scratchBytes * this.threads);
    }
    const words = this.memory.words(0, 128);
    words[control.scratchBase / 4] = this.scratchAddress;
    words[control.scratchStride / 4] = this.scratchBytes;
  }

  /** For tests: NaN in every float, nonsense in every integer that a program may use. */
  poison(bytes: number, scratchBytes: number): void {
    this.memory.bytes(this.address, bytes).fill(255);
    for (let thread = 0; thread < this.threads; thread++) this.memory.bytes(this.scratchAddress + thread * this.scratchBytes, scratchBytes).fill(255);
  }
}
