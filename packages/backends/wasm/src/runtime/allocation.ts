// Device memory as the engine holds it: an address in linear memory.
import { UserError, type Memory } from '@athanor/core/backend';

export class Allocation implements Memory {
  readonly bytes: number;
  private readonly place: number;
  private freed = false;

  constructor(address: number, bytes: number) {
    this.place = address;
    this.bytes = bytes;
  }

  static of(memory: Memory): Allocation {
    if (memory instanceof Allocation) return memory;
    throw new UserError('memory of another backend was given to the wasm backend', { remedy: 'copy the values through the host' });
  }

  get address(): number {
    if (this.freed) throw new UserError('memory was used after it was freed');
    return this.place;
  }

  release(): number {
    const { address } = this;
    this.freed = true;
    return address;
  }
}
