// Which known word was probably meant: the Damerau-Levenshtein distance (adjacent swaps count once).

/** Number of insertions, deletions, substitutions and swaps of neighbours that turn `a` into `b`. */
export function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      let cost = Math.min((last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (last[j - 1] ?? 0) + (same ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        cost = Math.min(cost, (beforeLast[j - 2] ?? 0) + 1);
      }
      row.push(cost);
    }
    beforeLast = last;
    last = row;
  }
  return last[b.length] ?? 0;
}

/**
 * The known words near enough to `word` to be what was meant, nearest first, at most three.
 * Near enough: a third of the letters wrong at most, or one word begins the other. Case and
 * `-`/`_` are not counted.
 */
export function nearest(word: string, known: Iterable<string>): string[] {
  const plain = (text: string) => text.toLowerCase().replaceAll(/[-_ ]/g, '');
  const asked = plain(word);
  const near: { candidate: string; distance: number }[] = [];
  for (const candidate of new Set(known)) {
    const other = plain(candidate);
    const distance = editDistance(asked, other);
    const begins = asked.length >= 3 && (other.startsWith(asked) || (other.length >= 3 && asked.startsWith(other)));
    const allowed = Math.max(1, Math.floor(Math.max(asked.length, other.length) / 3));
    const unlike = distance >= Math.max(asked.length, other.length);
    if (begins || (distance <= allowed && !unlike)) near.push({ candidate, distance });
  }
  near.sort((a, b) => a.distance - b.distance || a.candidate.localeCompare(b.candidate, 'en'));
  return near.slice(0, 3).map(({ candidate }) => candidate);
}

/** ` — did you mean "batch"?`, or nothing when no known word is near. */
export function didYouMean(word: string, known: Iterable<string>): string {
  const words = nearest(word, known).map((candidate) => JSON.stringify(candidate));
  if (words.length === 0) return '';
  const last = words.pop() ?? '';
  return ` — did you mean ${words.length === 0 ? last : `${words.join(', ')} or ${last}`}?`;
}
