// What is wrong with a YAML text, in words for people who write experiments, at the place where it begins.
import { isCollection, isScalar, visit } from 'yaml';
import type { Document, Node, YAMLError } from 'yaml';

/** A mistake and its offset in the text. */
export interface YamlMistake {
  readonly offset: number;
  readonly message: string;
}

/** Every mistake that reading a document found; of several at one place, the first. */
export function yamlMistakes(document: Document, text: string): YamlMistake[] {
  const told = [...document.errors, ...document.warnings].map((error) => explain(error, document, text));
  return [...told, ...aliasMistakes(document)].filter(({ offset }, index, all) => all.findIndex((other) => other.offset === offset) === index);
}

function explain(error: YAMLError, document: Document, text: string): YamlMistake {
  const [offset] = error.pos;
  const at = (message: string, place = offset): YamlMistake => ({ offset: place, message });
  switch (error.code) {
    case 'DUPLICATE_KEY': {
      const key = /^["']?([^"':,{}\s]+)/.exec(text.slice(offset))?.[1] ?? '';
      return at(`the key ${JSON.stringify(key)} is there twice: keep one`);
    }
    case 'TAB_AS_INDENT':
      return at('this line is indented by a tab: use spaces');
    case 'MISSING_CHAR':
    case 'BAD_INDENT':
      return unclosed(document, text, offset) ?? at(error.code === 'BAD_INDENT' ? indentation : firstLine(error));
    case 'MULTILINE_IMPLICIT_KEY':
    case 'BLOCK_AS_IMPLICIT_KEY':
      return at(/^[^\s:]+:[^\s]/.test(text.slice(offset)) ? 'a space is missing after the colon: write key: value' : indentation);
    case 'MULTIPLE_DOCS':
      return at('a second document begins here: a file is one experiment, without a line ---');
    case 'TAG_RESOLVE_FAILED': {
      const tag = /![\w!-]*/.exec(text.slice(offset))?.[0] ?? '!';
      return at(`the tag ${tag} means nothing here: leave it out, or put the value in quotes`);
    }
    case 'UNEXPECTED_TOKEN':
      return at(`${JSON.stringify(text[offset] ?? '')} does not belong here: a bracket too many, or quotes are missing`);
    default:
      return at(firstLine(error));
  }
}

const indentation = 'the indentation does not fit the lines above, or a colon is missing';

function firstLine({ message, code }: YAMLError): string {
  return message.split('\n')[0] ?? code;
}

/** The quotation mark or bracket that is open at the place of an error, found where it begins. */
function unclosed(document: Document, text: string, offset: number): YamlMistake | undefined {
  let found: YamlMistake | undefined;
  visit(document, {
    Node(_, node) {
      const [start = 0, end = 0] = (node as Node).range ?? [];
      const first = text[start] ?? '';
      const quoted = isScalar(node) && (first === '"' || first === "'") && (end - start < 2 || text[end - 1] !== first);
      const bracket = isCollection(node) && node.flow === true && !/[\]}]/.test(text[end - 1] ?? '');
      if (start <= offset && (quoted || bracket)) found = { offset: start, message: `this ${first} is not closed` };
    },
  });
  return found;
}

/** Aliases of nothing, and of a block that they stand in. */
function aliasMistakes(document: Document): YamlMistake[] {
  const mistakes: YamlMistake[] = [];
  visit(document, {
    Alias(_, alias, ancestors) {
      const [offset = 0] = alias.range ?? [];
      const target = alias.resolve(document);
      if (target === undefined) mistakes.push({ offset, message: `*${alias.source} stands for nothing: no &${alias.source} comes before it` });
      else if (ancestors.includes(target)) mistakes.push({ offset, message: `*${alias.source} stands inside what it stands for` });
    },
  });
  return mistakes;
}
