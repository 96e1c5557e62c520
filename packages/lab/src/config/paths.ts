// Plain data addressed by paths: `train.optimizer.lr`, `stages.0.steps`.
import type { Path } from './document.ts';

/** `train.optimizer.0` → `['train', 'optimizer', 0]`. */
export function parsePath(text: string): Path {
  return text.split('.').map((key) => (/^\d+$/.test(key) ? Number(key) : key));
}

export function pathText(path: readonly PropertyKey[]): string {
  return path.map(String).join('.');
}

export function isBlock(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** What stands at `path`; undefined where nothing does. */
export function valueAt(root: unknown, path: Path): unknown {
  let value = root;
  for (const key of path) {
    if (Array.isArray(value)) value = value[Number(key)];
    else if (isBlock(value) && Object.hasOwn(value, key)) value = value[key];
    else return undefined;
  }
  return value;
}

/**
 * A copy of `root` with `value` at `path`. Blocks on the way are made, lists are not; a bare
 * text on the way is a component's name and becomes `{ name: text }`.
 */
export function withValueAt(root: unknown, path: Path, value: unknown): unknown {
  const [key, ...rest] = path;
  if (key === undefined) return value;
  if (Array.isArray(root)) {
    return root.map((entry: unknown, index) => (index === key ? withValueAt(entry, rest, value) : entry));
  }
  const block = isBlock(root) ? root : typeof root === 'string' ? { name: root } : {};
  return { ...block, [key]: withValueAt(block[key], rest, value) };
}
