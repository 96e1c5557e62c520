// Loss, accuracy and confusion against numbers worked out by hand.
import { describe, expect, it } from 'vitest';
import { Tally } from './classification.ts';

const part = {
  name: 'four',
  length: 4,
  inputShape: [1, 2, 2],
  inputs: Uint8Array.from({ length: 16 }, (_, index) => index),
  labels: Int32Array.of(0, 1, 1, 2),
  classes: ['a', 'b', 'c'],
};
const ln = Math.log;

describe('Tally', () => {
  // Probabilities: (1/2, 1/4, 1/4), (1/4, 1/4, 1/2), (1/8, 3/4, 1/8), (1/2, 1/4, 1/4).
  const logits = [ln(2), 0, 0, 0, 0, ln(2), 0, ln(6), 0, ln(2) + 900, 900, 900];

  it('adds up batches', () => {
    const tally = new Tally(part);
    tally.add(logits.slice(0, 9), 3);
    tally.add(logits.slice(9), 1);
    expect(tally.accuracy).toBe(0.5);
    expect(tally.loss).toBeCloseTo((ln(2) + ln(4) + ln(4 / 3) + ln(4)) / 4, 12);
  });

  it('shows the surest mistakes first, then right answers of all classes', () => {
    const tally = new Tally(part);
    tally.add(logits, 4);
    const { confusion, pictures } = tally.evaluation({ wrong: 5, right: 5 });
    expect(confusion).toEqual([[1, 0, 0], [0, 1, 1], [1, 0, 0]]);
    expect(pictures.map(({ index, predicted, confidence }) => [index, predicted, confidence])).toEqual([
      [1, 2, 0.5],
      [3, 0, 0.5],
      [0, 0, 0.5],
      [2, 1, 0.75],
    ]);
    expect(tally.evaluation({ wrong: 1, right: 1 }).pictures.map(({ index }) => index)).toEqual([1, 0]);
  });
});
