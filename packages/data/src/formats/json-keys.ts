// Finds keys that a JSON text gives twice in one object, which JSON.parse passes over in silence.

/** The first repeated key of any object in `text`, or undefined. The text must be valid JSON. */
export function repeatedKey(text: string): string | undefined {
  const open: Array<Set<string> | undefined> = [];
  let last = '';
  for (let at = 0; at < text.length; at++) {
    switch (text[at]) {
      case '"': {
        const end = stringEnd(text, at);
        last = text.slice(at, end + 1);
        at = end;
        break;
      }
      case '{':
        open.push(new Set());
        break;
      case '[':
        open.push(undefined);
        break;
      case '}':
      case ']':
        open.pop();
        break;
      case ':': {
        const key: unknown = JSON.parse(last);
        const keys = open.at(-1);
        if (keys === undefined || typeof key !== 'string') break;
        if (keys.has(key)) return key;
        keys.add(key);
        break;
      }
      default:
    }
  }
  return undefined;
}

/** The place of the quotation mark that closes the string opened at `start`. */
function stringEnd(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at++) {
    if (text[at] === '\\') at++;
    else if (text[at] === '"') return at;
  }
  return text.length;
}
