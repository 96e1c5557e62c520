// A WebAssembly module: types, imports, functions and exports, encoded to bytes.
import { Bytes } from './bytes.ts';
import { Code } from './code.ts';
import { valueTypes, type ValueType } from './opcodes.ts';

export interface MemoryLimits {
  readonly minimum: number; // pages of 64 KB
  readonly maximum: number;
  readonly shared: boolean;
}

export class Module {
  private readonly types: string[] = [];
  private readonly typeBytes = new Bytes();
  private readonly imports = new Bytes();
  private importCount = 0;
  private importedFunctions = 0;
  private readonly functions: { readonly type: number; readonly body: Bytes }[] = [];
  private readonly exports: { readonly name: string; readonly index: number }[] = [];

  type(parameters: readonly ValueType[], results: readonly ValueType[] = []): number {
    const key = `${parameters.join()}:${results.join()}`;
    const known = this.types.indexOf(key);
    if (known >= 0) return known;
    this.typeBytes.byte(0x60);
    for (const list of [parameters, results]) {
      this.typeBytes.unsigned(list.length);
      this.typeBytes.raw(list.map((type) => valueTypes[type]));
    }
    return this.types.push(key) - 1;
  }

  importMemory(module: string, name: string, limits: MemoryLimits): void {
    this.importHeader(module, name);
    this.imports.byte(2);
    this.imports.byte(limits.shared ? 3 : 1);
    this.imports.unsigned(limits.minimum);
    this.imports.unsigned(limits.maximum);
  }

  /** Table 0, of functions. */
  importTable(module: string, name: string): void {
    this.importHeader(module, name);
    this.imports.raw([1, 0x70, 0, 0]);
  }

  /** All function imports come before the first function. */
  importFunction(module: string, name: string, parameters: readonly ValueType[], results: readonly ValueType[]): number {
    if (this.functions.length > 0) throw new RangeError('imports come before functions');
    this.importHeader(module, name);
    this.imports.byte(0);
    this.imports.unsigned(this.type(parameters, results));
    return this.importedFunctions++;
  }

  private importHeader(module: string, name: string): void {
    this.imports.name(module);
    this.imports.name(name);
    this.importCount += 1;
  }

  /** Adds a function and returns its index. */
  define(parameters: readonly ValueType[], results: readonly ValueType[], emit: (code: Code) => void): number {
    const code = new Code(parameters);
    emit(code);
    const index = this.importedFunctions + this.functions.length;
    this.functions.push({ type: this.type(parameters, results), body: code.finish() });
    return index;
  }

  export(name: string, functionIndex: number): void {
    this.exports.push({ name, index: functionIndex });
  }

  encode(): Uint8Array<ArrayBuffer> {
    const out = new Bytes();
    out.raw([0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0]);
    const section = (id: number, count: number, content: Bytes) => {
      if (count === 0) return;
      const body = new Bytes();
      body.unsigned(count);
      body.raw(content.view());
      out.byte(id);
      out.sized(body);
    };
    section(1, this.types.length, this.typeBytes);
    section(2, this.importCount, this.imports);
    const declarations = new Bytes();
    for (const { type } of this.functions) declarations.unsigned(type);
    section(3, this.functions.length, declarations);
    const exported = new Bytes();
    for (const { name, index } of this.exports) {
      exported.name(name);
      exported.byte(0);
      exported.unsigned(index);
    }
    section(7, this.exports.length, exported);
    const bodies = new Bytes();
    for (const { body } of this.functions) bodies.sized(body);
    section(10, this.functions.length, bodies);
    return out.view().slice();
  }
}
