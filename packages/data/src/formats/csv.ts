// Comma-separated values (RFC 4180): quoted fields may hold commas, quotes written twice, and line breaks.
import { UserError } from '@athanor/core';

/** The rows of a CSV text, and the line on which each begins. */
export interface CsvRows {
  readonly rows: ReadonlyArray<readonly string[]>;
  /** 1-based, a number a row. */
  readonly lines: readonly number[];
}

/**
 * Reads CSV. Lines end in LF, CRLF or CR; empty lines are passed over.
 * @param options.delimiter one character, by default a comma.
 * @throws UserError naming line and column for quotes that are not closed or stand inside a field.
 */
export function readCsv(text: string, options: { delimiter?: string; place?: string } = {}): CsvRows {
  const { delimiter = ',', place = 'CSV' } = options;
  const rows: string[][] = [];
  const lines: number[] = [];
  let line = 1;
  let lineStart = 0;
  let at = text.startsWith('\uFEFF') ? 1 : 0;
  const fail = (message: string, where: number) =>
    new UserError(message, { place: `${place}:${line}:${where - lineStart + 1}` });
  const newline = (position: number): number => {
    const length = text.startsWith('\r\n', position) ? 2 : 1;
    line++;
    lineStart = position + length;
    return length;
  };

  const quoted = (): string => {
    const opened = { line, column: at - lineStart + 1 };
    let field = '';
    at++;
    for (;;) {
      const character = text[at];
      if (character === undefined) {
        throw new UserError('a quotation mark is not closed', { place: `${place}:${opened.line}:${opened.column}` });
      }
      if (character === '"') {
        if (text[at + 1] !== '"') break;
        field += '"';
        at += 2;
      } else if (character === '\n' || character === '\r') {
        const length = newline(at);
        field += text.slice(at, at + length);
        at += length;
      } else {
        field += character;
        at++;
      }
    }
    at++;
    const next = text[at];
    if (next !== undefined && next !== delimiter && next !== '\n' && next !== '\r')
      throw fail('text follows a closed quotation mark', at);
    return field;
  };
  const plain = (): string => {
    const start = at;
    for (;;) {
      const character = text[at];
      if (character === undefined || character === delimiter || character === '\n' || character === '\r')
        return text.slice(start, at);
      if (character === '"') throw fail('a quotation mark stands inside a field that is not quoted', at);
      at++;
    }
  };

  while (at < text.length) {
    const row: string[] = [];
    const firstLine = line;
    for (;;) {
      row.push(text[at] === '"' ? quoted() : plain());
      if (text[at] !== delimiter) break;
      at++;
    }
    if (at < text.length) at += newline(at);
    if (row.length === 1 && row[0] === '') continue;
    rows.push(row);
    lines.push(firstLine);
  }
  return { rows, lines };
}
