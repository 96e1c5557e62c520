// Attention and recurrences against PyTorch, values and gradients in float64; masks, causality, long sequences, mistakes.
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { grad } from '../../engine/differentiate.ts';
import { cat, tensor, zeros } from '../../tensor/create.ts';
import { Tensor } from '../../tensor/tensor.ts';
import { randomNumbers } from '../../testing/evaluate.ts';
import { largestError, unpack, type GoldenCase } from '../../testing/goldens.ts';
import * as functional from './index.ts';

type Named = Readonly<Record<string, Tensor>>;

/** The weights of the cells "0.weightIh", "0.weightHh", …. */
function cellsOf(tensors: Named): functional.CellWeights[] {
  const cells: Record<string, Tensor>[] = [];
  for (const [name, value] of Object.entries(tensors)) {
    const [position = '', key = ''] = name.split('.');
    if (key !== '') (cells[Number(position)] ??= {})[key] = value;
  }
  return cells as unknown as functional.CellWeights[];
}

const masks = new Set(['keyPaddingMask', 'attnMask']);

/** Masks come as integers where they are bool. */
function mask(value: Tensor | undefined): Tensor | undefined {
  return value?.dtype === 'int32' ? value.to('bool') : value;
}

function call({ function: name, options }: GoldenCase, tensors: Named): unknown {
  const { x, h, c, query, key = query, value = query, keyPaddingMask, attnMask } = tensors as Record<string, Tensor> & { x: Tensor; query: Tensor };
  const weights = tensors as unknown as functional.CellWeights;
  const state = h !== undefined && c !== undefined ? { h, c } : undefined;
  switch (name) {
    case 'scaledDotProductAttention':
      return functional.scaledDotProductAttention(query, key as Tensor, value as Tensor, { ...options, attnMask: mask(attnMask) });
    case 'multiHeadAttention':
      return functional.multiHeadAttention(query, key as Tensor, value as Tensor, tensors as unknown as functional.MultiHeadWeights, {
        ...(options as unknown as functional.MultiHeadOptions),
        keyPaddingMask: mask(keyPaddingMask),
        attnMask: mask(attnMask),
      });
    case 'rnnCell':
      return functional.rnnCell(x, h, weights, options);
    case 'gruCell':
      return functional.gruCell(x, h, weights);
    case 'lstmCell':
      return functional.lstmCell(x, state, weights);
    case 'rnn':
      return functional.rnn(x, h, cellsOf(tensors), options);
    case 'gru':
      return functional.gru(x, h, cellsOf(tensors), options);
    default:
      return functional.lstm(x, state, cellsOf(tensors), options);
  }
}

const cases = JSON.parse(readFileSync(new URL('../../../goldens/sequences.json', import.meta.url), 'utf8')) as GoldenCase[];

test.each(cases.map((golden, i) => [`${golden.function} ${JSON.stringify(golden.options)} (${i})`, golden] as const))('%s', async (_, golden) => {
  const tensors = Object.fromEntries(Object.entries(golden.tensors).map(([name, packed]) => [name, unpack(packed)]));
  const result = call(golden, tensors);
  const parts = result instanceof Tensor ? [result] : Object.values(result as Named);
  const output = parts.length === 1 ? parts[0] as Tensor : cat(parts.map((part) => part.reshape(-1)));
  expect(output.shape).toEqual(golden.output.shape);
  expect(largestError(await output.data(), golden.output.data)).toBeLessThan(1e-9);
  const names = Object.keys(golden.gradients ?? {}).filter((name) => !(masks.has(name) && tensors[name]?.dtype === 'int32'));
  const { cotangent = golden.output } = golden;
  const gradients = grad(output, names.map((name) => tensors[name] as Tensor), { cotangent: unpack(cotangent), allowUnused: true });
  for (const [i, name] of names.entries()) {
    expect(largestError((await gradients[i]?.data()) ?? [], golden.gradients?.[name]?.data ?? [])).toBeLessThan(1e-9);
  }
});

const noise = (...shape: number[]): Tensor => tensor(Float64Array.from(randomNumbers(shape.reduce((a, b) => a * b, 1), 9)), { shape });

test('a causal query does not see what comes later', async () => {
  const x = noise(1, 4, 3);
  const changed = cat([x.narrow(1, 0, 3), x.narrow(1, 3, 1).add(1)], 1);
  const see = (value: Tensor): Tensor => functional.scaledDotProductAttention(value, value, value, { isCausal: true }).narrow(1, 0, 3);
  expect(await see(x).data()).toEqual(await see(changed).data());
});

test('dropout drops weights, and the rest grows', async () => {
  const [query, value] = [zeros([1, 1, 2]), tensor(new Float32Array(500).fill(1), { shape: [1, 500, 1] })];
  const weights = functional.scaledDotProductAttention(query, zeros([1, 500, 2]), value, { dropoutP: 0.5 });
  const sum = await weights.item();
  expect(sum).not.toBe(1);
  expect(sum).toBeCloseTo(1, 0);
});

test('the gradient of a long sequence is built in time linear in its length', () => {
  const cell = { weightIh: noise(8, 1), weightHh: noise(8, 2) };
  const nodes = (length: number): number => {
    const x = noise(length, 1, 1);
    const { output } = functional.lstm(x, undefined, [cell]);
    const before = zeros([]).node.id;
    grad(output.sum(), [x, cell.weightIh, cell.weightHh]);
    return zeros([]).node.id - before;
  };
  expect(nodes(120) / nodes(30)).toBeLessThan(4.6);
});

test('mistakes are told in shapes', () => {
  const [q, k] = [zeros([3, 2, 4]), zeros([5, 2, 4])];
  const weights = { inProjWeight: zeros([12, 4]), outProjWeight: zeros([4, 4]) };
  const { multiHeadAttention } = functional;
  expect(() => multiHeadAttention(q, k, q, weights, { numHeads: 2 })).toThrowErrorMatchingInlineSnapshot(`[ShapeError: multiHeadAttention: query [2, 3, 4], key [2, 5, 4] and value [2, 3, 4] (batch first) do not fit — batch sizes must be equal, and keys as many as values]`);
  expect(() => multiHeadAttention(q, k, k, weights, { numHeads: 3 })).toThrowErrorMatchingInlineSnapshot(`[ShapeError: multiHeadAttention: width 4 does not divide into 3 heads]`);
  expect(() => multiHeadAttention(q, k, k, weights, { numHeads: 2, attnMask: zeros([5, 3]) })).toThrowErrorMatchingInlineSnapshot(`[ShapeError: multiHeadAttention: attnMask [5, 3] is not [3, 5] or [4, 3, 5]]`);
  expect(() => multiHeadAttention(q, k, k, weights, { numHeads: 2, keyPaddingMask: zeros([2, 5], { dtype: 'int32' }) })).toThrowErrorMatchingInlineSnapshot(`[DtypeError: multiHeadAttention: keyPaddingMask of dtype int32 — use bool (true hides), or numbers to add to the scores]`);
  expect(() => multiHeadAttention(q, k, k, { outProjWeight: zeros([4, 4]) }, { numHeads: 2 })).toThrowErrorMatchingInlineSnapshot(`[ShapeError: multiHeadAttention: projection 1 of 3 is missing — give inProjWeight, or qProjWeight, kProjWeight and vProjWeight]`);
  expect(() => functional.scaledDotProductAttention(q, zeros([3, 5, 3]), k)).toThrowErrorMatchingInlineSnapshot(`[ShapeError: scaledDotProductAttention: query [3, 2, 4], key [3, 5, 3] and value [5, 2, 4] do not fit — they are [..., L, E], [..., S, E] and [..., S, V]]`);
  const cell = { weightIh: zeros([8, 3]), weightHh: zeros([8, 2]) };
  expect(() => functional.lstm(zeros([4, 3]), undefined, [cell])).toThrowErrorMatchingInlineSnapshot(`[ShapeError: lstm: input [4, 3] is not [T, N, I] — give at least one step, and a batch axis]`);
  expect(() => functional.lstm(zeros([4, 1, 3]), { h: zeros([1, 1, 3]), c: zeros([1, 1, 2]) }, [cell])).toThrowErrorMatchingInlineSnapshot(`[ShapeError: lstm: initial state [1, 1, 3] is not [1, 1, 2] — it is [layers · directions, N, H]]`);
  expect(() => functional.lstm(zeros([4, 1, 5]), undefined, [cell])).toThrowErrorMatchingInlineSnapshot(`[ShapeError: linear: input [4, 1, 5] and weight [out, in] [8, 3] do not fit — the input's last axis must have size 3]`);
});
