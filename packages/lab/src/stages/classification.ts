// What a classifier's answers on a test split are worth: loss, accuracy, confusion, and pictures for the report.
import type { DatasetPart } from '@athanor/core/plugin';
import type { Evaluation, Picture } from '../report/evaluation.ts';
import { encodePicture } from '../report/picture.ts';

/** Adds up what is known about answers, batch by batch, in the order of the split. */
export class Tally {
  readonly #part: DatasetPart;
  readonly #predicted: Int32Array;
  readonly #confidence: Float64Array;
  #count = 0;
  #loss = 0;

  constructor(part: DatasetPart) {
    this.#part = part;
    this.#predicted = new Int32Array(part.length);
    this.#confidence = new Float64Array(part.length);
  }

  /** Takes the logits `[size, classes]` of the next samples. Sums are made in float64 and in order. */
  add(logits: ArrayLike<number>, size: number): void {
    const classes = this.#part.classes.length;
    for (let row = 0; row < size; row++) {
      const start = row * classes;
      let best = 0;
      for (let index = 1; index < classes; index++) {
        if ((logits[start + index] ?? 0) > (logits[start + best] ?? 0)) best = index;
      }
      const top = logits[start + best] ?? 0;
      let total = 0;
      for (let index = 0; index < classes; index++) total += Math.exp((logits[start + index] ?? 0) - top);
      const label = this.#part.labels[this.#count] ?? 0;
      this.#loss += Math.log(total) + top - (logits[start + label] ?? 0);
      this.#predicted[this.#count] = best;
      this.#confidence[this.#count] = 1 / total;
      this.#count++;
    }
  }

  /** Mean cross-entropy. */
  get loss(): number {
    return this.#loss / this.#count;
  }

  /** Share of right answers. */
  get accuracy(): number {
    let right = 0;
    for (let index = 0; index < this.#count; index++) if (this.#predicted[index] === this.#part.labels[index]) right++;
    return right / this.#count;
  }

  /** For the report: the mistakes that the model was surest of, and right answers over all classes. */
  evaluation(pictures: { readonly wrong: number; readonly right: number }): Evaluation {
    const { classes, labels } = this.#part;
    const confusion = classes.map(() => classes.map(() => 0));
    const indices = Array.from({ length: this.#count }, (_, index) => index);
    for (const index of indices) {
      const row = confusion[labels[index] ?? 0];
      const answer = this.#predicted[index] ?? 0;
      if (row !== undefined) row[answer] = (row[answer] ?? 0) + 1;
    }
    const isRight = (index: number) => this.#predicted[index] === labels[index];
    const wrong = indices
      .filter((index) => !isRight(index))
      .toSorted((a, b) => (this.#confidence[b] ?? 0) - (this.#confidence[a] ?? 0) || a - b);
    const right = roundRobin(indices.filter(isRight), (index) => labels[index] ?? 0);
    const shown = [...wrong.slice(0, pictures.wrong), ...right.slice(0, pictures.right)];
    return { classes, confusion, pictures: shown.flatMap((index) => this.#picture(index)) };
  }

  #picture(index: number): Picture[] {
    const { inputs, inputShape, labels } = this.#part;
    const size = inputShape.reduce((product, extent) => product * extent, 1);
    const png = encodePicture(inputs.subarray(index * size, (index + 1) * size), inputShape);
    if (png === undefined) return [];
    const confidence = Number((this.#confidence[index] ?? 0).toFixed(4));
    return [{ index, label: labels[index] ?? 0, predicted: this.#predicted[index] ?? 0, confidence, png }];
  }
}

/** One of each group in turn, the groups in ascending order. */
function roundRobin(indices: readonly number[], groupOf: (index: number) => number): number[] {
  const seen = new Map<number, number>();
  const turns = indices.map((index) => {
    const group = groupOf(index);
    const turn = seen.get(group) ?? 0;
    seen.set(group, turn + 1);
    return { index, group, turn };
  });
  return turns.toSorted((a, b) => a.turn - b.turn || a.group - b.group).map(({ index }) => index);
}
