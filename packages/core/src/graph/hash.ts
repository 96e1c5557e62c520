// Hashes of graph structure: fast, deterministic, not cryptographic.

/** A 32-bit hash of a text. */
export function textHash(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash;
}

/** Two 32-bit hashes and a length of numbers and texts that arrive in order. */
export class StructureHash {
  private first = 0x243f6a88;
  private second = 0x85a308d3 | 0;
  private length = 0;

  number(value: number): void {
    this.first = Math.imul(this.first ^ value, 0x9e3779b1);
    this.second = Math.imul(this.second ^ value, 0x5f356495);
    this.first ^= this.second >>> 15;
    this.second ^= this.first >>> 13;
    this.length += 1;
  }

  /** The text and its length, so that neighbouring texts cannot trade letters. */
  text(text: string): void {
    let { first, second } = this;
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i);
      first = Math.imul(first ^ code, 0x9e3779b1);
      second = Math.imul(second ^ code, 0x5f356495);
      first ^= second >>> 15;
      second ^= first >>> 13;
    }
    this.first = first;
    this.second = second;
    this.length += text.length;
    this.number(-text.length);
  }

  digest(): string {
    const part = (word: number): string => (word >>> 0).toString(16).padStart(8, '0');
    return `${part(this.first)}${part(this.second)}-${this.length.toString(36)}`;
  }
}
