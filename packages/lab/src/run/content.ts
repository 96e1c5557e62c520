// Hashes of files and folders that stages read, each looked at once as long as it does not change.
import { readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { canonicalText, sha256 } from './canonical.ts';

const known = new Map<string, string>();

/** Hash of a file, or of all files in a folder and below; `missing` if there is none. */
export function contentHash(path: string): string {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return 'missing';
  if (!stat.isDirectory()) return fileHash(path, stat);
  const files = readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .toSorted();
  return short(canonicalText(files.map((file) => [file.slice(path.length).replaceAll('\\', '/'), fileHash(file, statSync(file))])));
}

function fileHash(path: string, { size, mtimeMs }: { readonly size: number; readonly mtimeMs: number }): string {
  const key = `${path} ${size} ${mtimeMs}`;
  const hash = known.get(key) ?? short(readFileSync(path));
  known.set(key, hash);
  return hash;
}

const short = (content: string | Uint8Array): string => sha256(content).slice(0, 12);
