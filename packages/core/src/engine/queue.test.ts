// The queue of runs.
import { expect, test } from 'vitest';
import { settled, submit } from './queue.ts';

const later = async (fn: () => void): Promise<void> => {
  await new Promise((done) => setTimeout(done, 1));
  fn();
};

test('synchronous jobs run at once, and their failures are thrown', () => {
  const order: number[] = [];
  submit(() => void order.push(1));
  expect(order).toEqual([1]);
  expect(() => submit(() => { throw new Error('now'); })).toThrow('now');
});

test('jobs behind an asynchronous one keep the order; the first failure surfaces once', async () => {
  const order: number[] = [];
  submit(async () => await later(() => order.push(1)));
  submit(() => void order.push(2));
  submit(async () => await later(() => { throw new Error('first'); }));
  submit(() => { throw new Error('second'); });
  submit(() => void order.push(3));
  expect(order).toEqual([]);
  await expect(settled()).rejects.toThrow('first');
  expect(order).toEqual([1, 2, 3]);
  await expect(settled()).resolves.toBeUndefined();
});
