// The version of a plugin's code: its package's number, and a hash of the files that are run.
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { canonicalText, sha256 } from '../run/canonical.ts';
import { locatePlugin } from './load.ts';

/** Name of a package or of a plugin's file → version and hash. */
export type CodeVersions = Readonly<Record<string, string>>;

const codeFile = /\.(?:[mc]?[jt]s|json|wasm)$/;
const notRun = /\.(?:test|spec)\.|\.d\.[mc]?ts$/;

const known = new Map<string, CodeVersions>();

/**
 * The code that runs when `specifier`, as `file` names it, is imported: of a package all files
 * beside its entry and below, of a file itself and what it imports beside it; and so on for the
 * plugins that these depend on. It is looked at once in a process, as the code is loaded once.
 */
export function codeVersions(specifier: string, file: string): CodeVersions {
  const entry = fileURLToPath(locatePlugin(specifier, file));
  const versions = known.get(entry) ?? versionsOf(specifier, entry);
  known.set(entry, versions);
  return versions;
}

function versionsOf(specifier: string, entry: string): CodeVersions {
  return specifier.startsWith('.') || specifier.startsWith('/') ? ofFile(entry) : ofPackage(entry);
}

function ofPackage(entry: string): CodeVersions {
  const { folder, name, version, dependencies } = packageOf(entry);
  const root = dirname(entry);
  const files = readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((path) => codeFile.test(path) && !notRun.test(path) && !/(^|[\\/])node_modules[\\/]/.test(path))
    .toSorted();
  const hash = sha256(canonicalText(files.map((path) => [path.replaceAll('\\', '/'), sha256(readFileSync(join(root, path)))])));
  const others = dependencies.map((dependency) => dependencyVersions(dependency, join(folder, 'package.json')));
  return Object.assign({}, ...others, { [name]: `${version} ${hash.slice(0, 12)}` }) as CodeVersions;
}

function ofFile(entry: string): CodeVersions {
  const texts = new Map<string, string>();
  const packages = new Set<string>();
  for (const open = [entry]; open.length > 0; ) {
    const path = open.pop() ?? '';
    if (texts.has(path) || !existsSync(path)) continue;
    const text = readFileSync(path, 'utf8');
    texts.set(path, text);
    for (const [, specifier = ''] of text.matchAll(/(?:\bfrom|\bimport)\s*\(?\s*['"]([^'"]+)['"]/g)) {
      if (specifier.startsWith('.')) open.push(resolve(dirname(path), specifier));
      else packages.add(/^(?:@[^/]+\/)?[^/]+/.exec(specifier)?.[0] ?? specifier);
    }
  }
  const files = [...texts].map(([path, text]) => [relative(dirname(entry), path).replaceAll('\\', '/'), sha256(text)]);
  const hash = sha256(canonicalText(files.toSorted()));
  const others = [...packages].map((name) => dependencyVersions(name, entry));
  return Object.assign({}, ...others, { [`./${basename(entry)}`]: hash.slice(0, 12) }) as CodeVersions;
}

/** Of a package that is a plugin; others count by what imports them. */
function dependencyVersions(name: string, from: string): CodeVersions {
  try {
    const entry = fileURLToPath(locatePlugin(name, from));
    if (!packageOf(entry).plugin) return {};
    const versions = known.get(entry) ?? ofPackage(entry);
    known.set(entry, versions);
    return versions;
  } catch {
    return {};
  }
}

function packageOf(entry: string) {
  let folder = dirname(entry);
  while (!existsSync(join(folder, 'package.json')) && folder !== dirname(folder)) folder = dirname(folder);
  const path = join(folder, 'package.json');
  const { name = basename(folder), version = '', keywords = [], dependencies = {} } = (existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : {}) as {
    name?: string;
    version?: string;
    keywords?: readonly string[];
    dependencies?: Record<string, string>;
  };
  return { folder, name, version, plugin: keywords.includes('athanor-plugin'), dependencies: Object.keys(dependencies) };
}
