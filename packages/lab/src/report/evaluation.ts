// What a stage that classifies leaves for the report: the file `evaluation.json` among its artifacts.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export const evaluationFile = 'evaluation.json';

/** A test image with what the model made of it. */
export interface Picture {
  /** Index in the test split. */
  readonly index: number;
  readonly label: number;
  readonly predicted: number;
  /** Probability that the model gave to its answer. */
  readonly confidence: number;
  /** base64 of a PNG. */
  readonly png: string;
}

export interface Evaluation {
  readonly classes: readonly string[];
  /** `confusion[truth][answer]`: number of test samples. */
  readonly confusion: readonly (readonly number[])[];
  readonly pictures: readonly Picture[];
}

/** The evaluation in a stage's folder; undefined if it left none. */
export function readEvaluation(folder: string): Evaluation | undefined {
  const path = join(folder, evaluationFile);
  return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as Evaluation) : undefined;
}
