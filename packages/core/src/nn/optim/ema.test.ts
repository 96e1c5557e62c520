// Moving averages and clipping.
import { expect, test } from 'vitest';
import { variable, type Variable } from '../../engine/variable.ts';
import { tensor } from '../../tensor/create.ts';
import { readAll } from '../../tensor/tensor.ts';
import { clipGradNorm, clipGradValue } from './clip.ts';
import { EMA } from './ema.ts';

const number = (value: number): Variable => variable(new Float64Array([value]), { shape: [1], dtype: 'float64', name: 'w' });

test('averages follow the formula', async () => {
  const w = number(1);
  const ema = new EMA([w], { decay: 0.9 });
  let expected = 1;
  for (let i = 2; i < 6; i++) {
    w.assign(i);
    ema.update();
    expected = 0.9 * expected + 0.1 * i;
  }
  expect(await ema.stateDict()['w']?.item()).toBeCloseTo(expected, 12);
});

test('warm-up lowers the decay at the start', async () => {
  const w = number(0);
  const ema = new EMA([w], { decay: 0.9, warmup: true });
  w.assign(1);
  ema.update();
  expect(await ema.stateDict()['w']?.item()).toBeCloseTo(1 - 2 / 11, 6);
  expect(await ema.stateDict()['updates']?.item()).toBe(1);
});

test('swapping exchanges, twice restores, and updating in between is an error', async () => {
  const w = number(1);
  const ema = new EMA([w]);
  w.assign(5);
  ema.swap();
  expect(await w.item()).toBe(1);
  expect(() => ema.update()).toThrowErrorMatchingInlineSnapshot(`[UserError: an EMA is updated while its averages stand in the model — call swap() again first]`);
  ema.swap();
  expect(await w.item()).toBe(5);
});

test('clipping scales all gradients together, or cuts each element', async () => {
  const { gradients, norm } = clipGradNorm([tensor([3]), tensor([[4]])], 1);
  const values = await readAll([...gradients, norm]);
  expect(values.map(([v]) => v)).toEqual([0.6, 0.8, 5].map((v) => expect.closeTo(v, 5)));
  const small = clipGradNorm([tensor([0.3])], 1);
  expect(await small.gradients[0]?.item()).toBeCloseTo(0.3, 6);
  expect(await clipGradValue([tensor([3, -4, 0.5])], 1)[0]?.toArray()).toEqual([1, -1, 0.5]);
});
