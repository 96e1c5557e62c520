// Dropout over replicas: their masks are the parts of one process's mask.
import { afterEach, expect, it } from 'vitest';
import { setCollective } from '../../kernel/collective.ts';
import { random } from '../../random/stream.ts';
import { ones } from '../../tensor/create.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { alphaDropout, channelDropout, dropout } from './dropout.ts';

afterEach(() => setCollective(undefined));

const forms: Record<string, (x: Tensor) => Tensor> = { dropout, channelDropout, alphaDropout };

/** What a process drops of its part of a batch, on its second draw. */
async function drawn(form: (x: Tensor) => Tensor, samples: number, replica?: { size: number; rank: number }): Promise<number[]> {
  setCollective(replica === undefined ? undefined : { ...replica, allReduce: () => undefined });
  random.manualSeed(3);
  form(ones([samples, 4, 3]));
  return Array.from(await form(ones([samples, 4, 3])).data());
}

it.each(Object.keys(forms))('%s', async (name) => {
  const form = forms[name] ?? dropout;
  const alone = await drawn(form, 6);
  const parts = [await drawn(form, 2, { size: 3, rank: 0 }), await drawn(form, 2, { size: 3, rank: 1 }), await drawn(form, 2, { size: 3, rank: 2 })];
  expect(parts.flat()).toEqual(alone);
  expect(parts[0]).not.toEqual(parts[1]);
});
