// A loop nest as text under construction: statements go to the outermost level where all that they need is known,
// and indices are built from running positions, so the innermost loop holds additions only.
import type { Affine } from '@athanor/core/backend';

export interface NestLoop {
  readonly variable: string;
  readonly start: string;
  readonly stop: string;
  readonly step: number;
  /** What one turn of the variable adds to an index, or the text that the loop adds where that is not linear. */
  readonly stride: (index: Affine) => number | { readonly text: string };
}

/** Text whose names are all declared at a level; level 0 stands before all loops. */
export interface Placed {
  readonly text: string;
  readonly level: number;
}

export class Nest {
  readonly #loops: NestLoop[] = [];
  readonly #lines: string[][] = [[]];
  readonly #increments: string[][] = [[]];
  readonly #positions = new Map<string, Placed>();
  #names = 0;

  /** Number of open loops; statements at this level run once per innermost turn. */
  get depth(): number {
    return this.#loops.length;
  }

  name(prefix: string): string {
    return `${prefix}${this.#names++}`;
  }

  line(level: number, text: string): void {
    this.#lines[level]?.push(text);
  }

  /** Declares a constant at a level. */
  declare(prefix: string, value: Placed): Placed {
    const name = this.name(prefix);
    this.line(value.level, `const ${name} = ${value.text};`);
    return { text: name, level: value.level };
  }

  open(loops: readonly NestLoop[]): void {
    for (const loop of loops) {
      this.#loops.push(loop);
      this.#lines.push([]);
      this.#increments.push([]);
    }
  }

  /** Closes the innermost `count` loops: their text becomes a statement of the level outside of them. */
  close(count: number, around: { readonly before: string; readonly after: string } = { before: '', after: '' }): void {
    let body = '';
    for (let i = 0; i < count; i++) {
      const loop = this.#loops.pop();
      const lines = this.#lines.pop();
      const increments = this.#increments.pop();
      if (loop === undefined || lines === undefined || increments === undefined) break;
      const { variable, start, stop, step } = loop;
      const next = [step === 1 ? `${variable}++` : `${variable} += ${step}`, ...increments].join(', ');
      body = `for (let ${variable} = ${start}; ${variable} < ${stop}; ${next}) {\n${[...lines, body].join('\n')}\n}`;
    }
    this.line(this.depth, `${around.before}${body}${around.after}`);
    for (const [key, { level }] of this.#positions) if (level > this.depth) this.#positions.delete(key);
  }

  text(): string {
    return (this.#lines[0] ?? []).join('\n');
  }

  /** The value of an affine expression plus `base` (an argument's offset, or nothing). */
  index(affine: Affine, base = ''): Placed {
    const constant = String(affine.offset);
    let current: Placed = { level: 0, text: base === '' ? constant : affine.offset === 0 ? base : `${base} + ${constant}` };
    let key = `${base};${constant}`;
    for (let level = 1; level <= this.depth; level++) {
      const loop = this.#loops[level - 1];
      const stride = loop?.stride(affine) ?? 0;
      if (loop === undefined || stride === 0) continue;
      key += `;${level}:${typeof stride === 'number' ? stride : stride.text}`;
      const known = this.#positions.get(key);
      current = known ?? this.#advance(current, loop, level, stride);
      this.#positions.set(key, current);
    }
    return current;
  }

  #advance(from: Placed, loop: NestLoop, level: number, stride: number | { readonly text: string }): Placed {
    const start = from.text === '0' ? '' : `${from.text} + `;
    if (typeof stride !== 'number') return this.declare('p', { text: `(${start}${stride.text}) | 0`, level });
    if (stride === 1) {
      const sum = start === '' ? loop.variable : `(${start}${loop.variable}) | 0`;
      return level === this.depth ? { text: `(${sum})`, level } : this.declare('p', { text: sum, level });
    }
    const name = this.name('p');
    const first = loop.start === '0' ? from.text : `(${start}Math.imul(${loop.start}, ${stride})) | 0`;
    this.line(level - 1, `let ${name} = ${first};`);
    this.#increments[level]?.push(`${name} = (${name} + ${stride * loop.step}) | 0`);
    return { text: name, level };
  }
}
