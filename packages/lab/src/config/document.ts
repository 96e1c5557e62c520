// A YAML file read strictly, with the line and column of every key and value.
import { LineCounter, isAlias, isMap, isPair, isScalar, isSeq, parseDocument, visit } from 'yaml';
import type { Document, Node, Pair } from 'yaml';
import { yamlMistakes } from './yaml-mistakes.ts';

export type Path = readonly (string | number)[];

/** A mistake and where it stands: `file:line:column`, or the word of the command line. */
export interface Mistake {
  readonly place: string;
  readonly message: string;
}

export interface ConfigDocument {
  /** The name to show in messages. */
  readonly file: string;
  /** Plain data; empty when the file could not be read as YAML. */
  readonly value: Record<string, unknown>;
  readonly mistakes: readonly Mistake[];
  /** `file:line:column` of the key or the value at `path`, or of the nearest parent that exists. */
  locate(path: Path, at: 'key' | 'value'): string;
}

/**
 * Reads a config. Duplicate keys, unknown tags, keys that are no text, several documents and a
 * top level that is no block of keys are mistakes; nothing is thrown.
 */
export function parseConfig(text: string, file: string): ConfigDocument {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: true });
  const place = (offset: number) => {
    const { line, col } = lines.linePos(offset);
    return `${file}:${line}:${col}`;
  };
  const mistakes: Mistake[] = yamlMistakes(document, text).map(({ offset, message }) => ({ place: place(offset), message }));
  visit(document, {
    Pair(_, pair) {
      if (isScalar(pair.key) && typeof pair.key.value === 'string') return;
      const shown = isScalar(pair.key) ? JSON.stringify(pair.key.value) : 'a list or block';
      mistakes.push({
        place: place(startOf(pair.key as Node | null) ?? 0),
        message: `keys must be text, not ${shown}; put it in quotes`,
      });
    },
  });
  const empty = document.contents === null;
  if (mistakes.length === 0 && !isMap(document.contents)) {
    const start = startOf(document.contents as Node | null) ?? 0;
    mistakes.push({ place: place(start), message: empty ? 'the file is empty' : 'expected a block of keys at the top' });
  }
  let value: Record<string, unknown> = {};
  if (mistakes.length === 0) {
    try {
      value = document.toJS() as Record<string, unknown>;
    } catch (error) {
      // The library refuses aliases that would grow without end.
      mistakes.push({ place: file, message: `its aliases cannot be followed: ${error instanceof Error ? error.message : String(error)}` });
    }
  }
  return {
    file,
    mistakes,
    value,
    locate: (path, at) => place(offsetOf(document, path, at)),
  };
}

function offsetOf(document: Document, path: Path, at: 'key' | 'value'): number {
  let node: unknown = document.contents;
  let offset = startOf(node as Node | null) ?? 0;
  for (const [depth, key] of path.entries()) {
    if (isAlias(node)) node = node.resolve(document);
    const last = depth === path.length - 1;
    if (isMap(node)) {
      const pair: Pair | undefined = node.items.find((item) => isPair(item) && isScalar(item.key) && item.key.value === key);
      if (pair === undefined) return offset;
      const keyOffset = startOf(pair.key as Node) ?? offset;
      offset = last && at === 'key' ? keyOffset : (startOf(pair.value as Node | null) ?? keyOffset);
      node = pair.value;
    } else if (isSeq(node)) {
      const item: unknown = typeof key === 'number' ? node.items[key] : undefined;
      if (item === undefined) return offset;
      offset = startOf(item as Node | null) ?? offset;
      node = item;
    } else {
      return offset;
    }
  }
  return offset;
}

function startOf(node: Node | null | undefined): number | undefined {
  return node?.range?.[0];
}
