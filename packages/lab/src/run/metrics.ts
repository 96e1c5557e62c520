// The log of a stage: rows (step, metric, value) as an Arrow IPC stream that only grows.
// Without an end mark every whole batch can be read back, so a kill loses at most the batch being written.
import { existsSync, readFileSync } from 'node:fs';
import { Field, Float64, Int32, RecordBatchReader, RecordBatchStreamWriter, Schema, Table, Utf8, vectorFromArray } from 'apache-arrow';
import { AppendFile } from './files.ts';

export interface MetricRow {
  /** Steps done when it was measured. */
  readonly step: number;
  /** `train.loss`, `test.accuracy`, … */
  readonly metric: string;
  readonly value: number;
}

const schema = new Schema([
  new Field('step', new Int32(), false),
  new Field('metric', new Utf8(), false),
  new Field('value', new Float64(), false),
]);

/**
 * Appends rows to a log. Rows are written in batches at `flush()` and whenever `batchRows` wait,
 * so that the bytes depend on the rows and the flushes alone.
 */
export class MetricLog {
  readonly #file: AppendFile;
  readonly #batchRows: number;
  #waiting: MetricRow[] = [];

  /** Opens the log and cuts it at `offset`, which an earlier `flush()` returned; 0 begins anew. */
  constructor(path: string, offset: number, { batchRows = 64 }: { batchRows?: number } = {}) {
    this.#file = new AppendFile(path, offset);
    this.#batchRows = batchRows;
    if (offset === 0) this.#file.append(beginning);
  }

  add(rows: readonly MetricRow[]): void {
    this.#waiting.push(...rows);
    if (this.#waiting.length >= this.#batchRows) this.#write();
  }

  /** Writes what waits and returns the log's length, to go on from after a kill. */
  flush(): number {
    this.#write();
    this.#file.sync();
    return this.#file.size;
  }

  close(): void {
    this.flush();
    this.#file.close();
  }

  #write(): void {
    if (this.#waiting.length === 0) return;
    this.#file.append(encode(this.#waiting));
    this.#waiting = [];
  }
}

/** All rows of a log; a batch that was cut off at the end is left out. */
export function readMetrics(path: string): MetricRow[] {
  const rows: MetricRow[] = [];
  if (!existsSync(path)) return rows;
  try {
    for (const batch of RecordBatchReader.from(readFileSync(path))) {
      for (const row of batch) rows.push({ step: Number(row['step']), metric: String(row['metric']), value: Number(row['value']) });
    }
  } catch {
    return rows;
  }
  return rows;
}

function writer(): RecordBatchStreamWriter {
  return new RecordBatchStreamWriter({ autoDestroy: false }).reset(undefined, schema);
}

/** The schema's message, with which a stream begins. */
const beginning = writer().toUint8Array(true).slice();

/** One batch's message. */
function encode(rows: readonly MetricRow[]): Uint8Array {
  const columns = {
    step: vectorFromArray(rows.map(({ step }) => step), new Int32()),
    metric: vectorFromArray(rows.map(({ metric }) => metric), new Utf8()),
    value: vectorFromArray(rows.map(({ value }) => value), new Float64()),
  };
  const stream = writer();
  for (const batch of new Table(schema, columns).batches) stream.write(batch);
  return stream.toUint8Array(true).slice(beginning.length);
}
