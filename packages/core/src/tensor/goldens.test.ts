// Tensor methods and free functions against PyTorch: values and gradients, in float64.
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { grad } from '../engine/differentiate.ts';
import { largestError, unpack, type GoldenCase } from '../testing/goldens.ts';
import { cat, stack } from './create.ts';
import { einsum } from './einsum.ts';
import { Tensor } from './tensor.ts';

const free: Record<string, unknown> = { cat, stack, einsum };

/** `$b` is the tensor b, `$b:bool` cast, `inf` a number; the rest is itself. */
function argument(value: unknown, tensors: Record<string, Tensor>): unknown {
  if (Array.isArray(value)) return value.map((part) => argument(part, tensors));
  if (value === 'inf' || value === '-inf') return value === 'inf' ? Infinity : -Infinity;
  if (typeof value !== 'string' || !value.startsWith('$')) return value;
  const [name = '', dtype] = value.slice(1).split(':');
  return dtype === 'bool' ? tensors[name]?.to('bool') : tensors[name];
}

function call({ function: name, options }: GoldenCase, tensors: Record<string, Tensor>): Tensor {
  const inputs = (options['arguments'] as unknown[]).map((value) => argument(value, tensors));
  const run = (free[name] ?? (tensors['x'] as unknown as Record<string, unknown>)[name]) as (...inputs: unknown[]) => unknown;
  const result = Reflect.apply(run, tensors['x'], inputs);
  const { part } = options;
  return (part === undefined ? result : (result as Record<string, unknown>)[String(part)]) as Tensor;
}

const cases = ['methods', 'functions'].flatMap((file) => JSON.parse(readFileSync(new URL(`../../goldens/${file}.json`, import.meta.url), 'utf8')) as GoldenCase[]);

test.each(cases.map((golden, i) => [`${golden.function} ${JSON.stringify(golden.options['arguments'])} (${i})`, golden] as const))('%s', async (_, golden) => {
  const tensors = Object.fromEntries(Object.entries(golden.tensors).map(([name, packed]) => [name, unpack(packed)]));
  const output = call(golden, tensors);
  expect(output.shape).toEqual(golden.output.shape);
  expect(output.dtype === 'bool' ? 'int32' : output.dtype).toBe(golden.output.dtype);
  expect(largestError(await output.data(), golden.output.data)).toBeLessThan(1e-9);
  const { gradients = {}, cotangent } = golden;
  const wanted = Object.keys(gradients).flatMap((name) => tensors[name] ?? []);
  const computed = cotangent === undefined ? [] : grad(output, wanted, { cotangent: unpack(cotangent), allowUnused: true });
  for (const [i, expected] of Object.values(gradients).entries()) {
    expect(largestError((await computed[i]?.data()) ?? [], expected.data)).toBeLessThan(1e-9);
  }
});

test('every method has a golden, but for those that move no numbers or have tests of their own', () => {
  const covered = new Set(cases.map(({ function: name }) => name));
  const methods = new Set<string>();
  for (let at: object = Tensor.prototype; at !== Object.prototype; at = Object.getPrototypeOf(at) as object) {
    for (const name of Object.getOwnPropertyNames(at)) methods.add(name);
  }
  expect([...methods].filter((name) => !covered.has(name)).toSorted()).toMatchInlineSnapshot(`
    [
      "T",
      "bitcast",
      "constructor",
      "data",
      "detach",
      "dispose",
      "dtype",
      "expect",
      "item",
      "ndim",
      "node",
      "popcount",
      "print",
      "realize",
      "settle",
      "shape",
      "size",
      "to",
      "toArray",
      "toString",
      "ushr",
      "wrap",
    ]
  `);
});
