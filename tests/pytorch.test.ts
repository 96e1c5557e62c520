// docs/PYTORCH.md names only what there is, and everything that there is.
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import * as core from '@athanor/core';
import * as nn from '@athanor/core/nn';
import * as norm from '@athanor/norm';

/** Names of the members of a class, inherited ones too. */
function membersOf(constructor: { readonly prototype: object }): Set<string> {
  const names = new Set<string>();
  for (let at: object = constructor.prototype; at !== Object.prototype; at = Object.getPrototypeOf(at) as object) {
    for (const name of Object.getOwnPropertyNames(at)) names.add(name);
  }
  return names;
}

/** What stands before the dot, and the names that may follow. */
const owners: Record<string, ReadonlySet<string>> = {
  x: membersOf(core.Tensor),
  v: membersOf(core.Variable),
  model: membersOf(nn.Module),
  optimizer: membersOf(nn.Optimizer),
  nn: new Set(Object.keys(nn)),
  functional: new Set(Object.keys(nn.functional)),
  init: new Set(Object.keys(nn.init)),
  schedules: new Set(Object.keys(nn.schedules)),
  random: new Set(Object.keys(core.random)),
  norm: new Set(Object.keys(norm)),
  '': new Set(Object.keys(core)),
};

const page = readFileSync(new URL('../docs/PYTORCH.md', import.meta.url), 'utf8');
const rows = page.split('\n').filter((line) => line.startsWith('| ') && !line.startsWith('| PyTorch'));

/** `owner.name` of everything in the code spans of a text; free functions have the owner "". */
function named(text: string): string[] {
  const spans = [...text.matchAll(/`([^`]+)`/g)].map(([, code = '']) => code.replaceAll(/'[^']*'/g, ''));
  return spans.flatMap((code) => [
    ...[...code.matchAll(/(?<![\w.])(\w+)\.(\w+)/g)].map(([, owner = '', name = '']) => `${owner}.${name}`),
    ...[...code.matchAll(/(?<![\w.])(\w+)\(/g)].map(([, name = '']) => `.${name}`),
  ]);
}

/** A row's cells; an escaped bar or one in code is no border. */
function cells(row: string): string[] {
  return row.replaceAll(/`[^`]*`/g, (code) => code.replaceAll('|', '¦')).split('|').slice(1, -1);
}

const ours = rows.flatMap((row) => named(cells(row)[1] ?? ''));

test('the page names what there is', () => {
  const unknown = ours.filter((entry) => {
    const [owner = '', name = ''] = entry.split('.');
    return owners[owner]?.has(name) !== true;
  });
  expect(unknown).toEqual([]);
  expect(rows.every((row) => cells(row).length === 3)).toBe(true);
});

test('the page names everything there is', () => {
  const mentioned = new Set([...ours, ...rows.flatMap((row) => named(cells(row)[2] ?? ''))]);
  const missing = (owner: string, without: readonly string[] = []): string[] =>
    [...(owners[owner] ?? [])].filter((name) => !mentioned.has(`${owner}.${name}`) && !without.includes(name)).toSorted();
  expect({
    tensor: missing('x', ['constructor', 'settle']),
    nn: missing('nn', ['functional', 'init', 'schedules']),
    functional: missing('functional'),
    init: missing('init', ['initialize']),
    schedules: missing('schedules'),
    random: missing('random'),
    core: missing('', ['Tensor', 'DtypeError', 'InternalError', 'ShapeError', 'UserError', 'formatShape', 'unreachable', 'random']),
  }).toEqual({ tensor: [], nn: [], functional: [], init: [], schedules: [], random: [], core: [] });
});
