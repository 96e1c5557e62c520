// The assembler against the engine: encodings, locals, constants, imports and exports.
import { describe, expect, it } from 'vitest';
import { Bytes } from './bytes.ts';
import { Module } from './module.ts';

function instance(build: (module: Module) => void, imports: WebAssembly.Imports = {}): Record<string, (...values: number[]) => number> {
  const module = new Module();
  build(module);
  return new WebAssembly.Instance(new WebAssembly.Module(module.encode()), imports).exports as Record<string, (...values: number[]) => number>;
}

describe('Bytes', () => {
  it.each([[0, [0]], [127, [127]], [128, [128, 1]], [624485, [0xe5, 0x8e, 0x26]], [4294967295, [255, 255, 255, 255, 15]]])('encodes %d without a sign', (value, expected) => {
    const bytes = new Bytes();
    bytes.unsigned(value);
    expect([...bytes.view()]).toEqual(expected);
  });

  it.each([[0, [0]], [63, [63]], [64, [192, 0]], [-1, [127]], [-123456, [0xc0, 0xbb, 0x78]], [-2147483648, [128, 128, 128, 128, 120]]])('encodes %d with a sign', (value, expected) => {
    const bytes = new Bytes();
    bytes.signed(value);
    expect([...bytes.view()]).toEqual(expected);
    const wide = new Bytes();
    wide.signed64(BigInt(value));
    expect([...wide.view()]).toEqual(expected);
  });

  it('grows', () => {
    const bytes = new Bytes();
    for (let i = 0; i < 10_000; i++) bytes.byte(i & 255);
    expect(bytes.view()[9999]).toBe(9999 & 255);
  });
});

describe('Module', () => {
  it('makes functions with loops, branches and locals', () => {
    const { sum } = instance((module) => {
      const index = module.define(['i32'], ['i32'], (code) => {
        const total = code.local('i32');
        const exit = code.block();
        const loop = code.loop();
        code.get(code.parameter(0)).op('i32.eqz').brIf(exit);
        code.get(total).get(code.parameter(0)).op('i32.add').set(total);
        code.advance(code.parameter(0), -1).br(loop).end().end();
        code.get(total);
      });
      module.export('sum', index);
    });
    expect(sum?.(100)).toBe(5050);
  });

  it('imports functions and calls them', () => {
    const { twice } = instance(
      (module) => {
        const f = module.importFunction('math', 'f', ['f64'], ['f64']);
        module.export('twice', module.define(['f64'], ['f64'], (code) => code.get(code.parameter(0)).call(f).call(f)));
      },
      { math: { f: (x: number) => x * 3 } },
    );
    expect(twice?.(2)).toBe(18);
  });

  it('keeps vector constants and reuses released locals', () => {
    const memory = new WebAssembly.Memory({ initial: 1, maximum: 1 });
    const { run } = instance(
      (module) => {
        module.importMemory('env', 'memory', { minimum: 1, maximum: 1, shared: false });
        module.export('run', module.define([], [], (code) => {
          const first = code.local('v128');
          code.release(first);
          expect(code.local('v128').index).toBe(first.index);
          const one = code.constant(new Uint8Array(Float32Array.of(1, 2, 3, 4).buffer));
          expect(code.constant(new Uint8Array(Float32Array.of(1, 2, 3, 4).buffer))).toBe(one);
          code.i32(0).get(one).get(one).op('f32x4.add').memory('v128.store', 16);
        }));
      },
      { env: { memory } },
    );
    run?.();
    expect([...new Float32Array(memory.buffer, 16, 4)]).toEqual([2, 4, 6, 8]);
  });

  it('refuses blocks that stay open', () => {
    expect(() => new Module().define([], [], (code) => code.block())).toThrow('1 blocks are still open');
  });
});
