// A loop nest as text under construction: statements can go to any open scope, so that what does not change inside a
// loop is computed outside of it.

/** Text whose names are all declared in the scope at a depth; depth 0 is the function. */
export interface Placed {
  readonly text: string;
  readonly depth: number;
}

interface Scope {
  readonly header: string;
  readonly lines: string[];
}

export class Nest {
  readonly #scopes: Scope[] = [{ header: '', lines: [] }];
  #names = 0;

  /** Number of open scopes inside the function. */
  get depth(): number {
    return this.#scopes.length - 1;
  }

  name(prefix: string): string {
    return `${prefix}${this.#names++}`;
  }

  line(text: string, depth: number = this.depth): void {
    this.#scopes[depth]?.lines.push(text);
  }

  /** Declares a constant in the scope at a depth. */
  declare(type: string, text: string, depth: number = this.depth): Placed {
    const name = this.name('v');
    this.line(`const ${type} ${name} = ${text};`, depth);
    return { text: name, depth };
  }

  /** Opens a scope: a loop, a condition, or a plain block. */
  open(header: string): void {
    this.#scopes.push({ header, lines: [] });
  }

  /** Closes scopes until `depth` of them are left. */
  close(depth: number = this.depth - 1): void {
    while (this.depth > depth) {
      const scope = this.#scopes.pop();
      if (scope === undefined) return;
      this.line(`${scope.header} {\n${scope.lines.join('\n')}\n}`);
    }
  }

  text(): string {
    return (this.#scopes[0]?.lines ?? []).join('\n');
  }
}
