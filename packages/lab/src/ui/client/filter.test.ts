// What the filter lets through, how rows are sorted, and what the address keeps.
import { describe, expect, it } from 'vitest';
import type { RunRow } from '../runs.ts';
import { parseFilter, sortRows } from './filter.ts';
import { chosenRows, readChoice, writeChoice } from './state.ts';

const row = (id: number, more: Partial<RunRow> = {}): RunRow => ({ id, study: 'norms-1', name: `run-${id}`, variant: 'norm=batch', seed: id, status: 'done', step: 0, begun: '2026-01-01', numbers: { 'test.accuracy': id / 10 }, ...more });
const rows = [row(1), row(2, { variant: 'norm=layer', numbers: { 'test.accuracy': null } }), row(3, { status: 'running', step: 120, numbers: {} }), row(10, { study: 'others', begun: '2026-02-02' })];
const ids = (list: readonly RunRow[]) => list.map(({ id }) => id);

describe('parseFilter', () => {
  it.each([
    ['', [1, 2, 3, 10]],
    ['norm=BATCH', [1, 3, 10]],
    ['norms done', [1, 2]],
    ['-batch', [2]],
    ['test.accuracy>0.1', [10]],
    ['Test.Accuracy<=0.1', [1]],
    ['step>=100', [3]],
    ['seed<3 done', [1, 2]],
    ['seed=10', [10]],
    ['nowhere', []],
  ])('%j', (filter, expected) => {
    expect(ids(rows.filter(parseFilter(filter)))).toEqual(expected);
  });
});

describe('sortRows', () => {
  it('sorts numbers by size and leaves what is missing at the end, either way', () => {
    expect(ids(sortRows(rows, 'test.accuracy', true))).toEqual([10, 1, 2, 3]);
    expect(ids(sortRows(rows, 'test.accuracy', false))).toEqual([1, 10, 2, 3]);
  });

  it('sorts texts with their numbers, the newest first by default', () => {
    expect(ids(sortRows(rows, 'name', false))).toEqual([1, 2, 3, 10]);
    expect(ids(sortRows(rows, 'begun', true))).toEqual([10, 1, 2, 3]);
  });
});

describe('the choice', () => {
  it('comes back from the address', () => {
    const choice = { filter: 'a b', runs: ['s/1', 's/2'], metrics: ['x/y'], smooth: 7, log: true, group: false, sort: 'seed', descending: false };
    expect(readChoice(`#${writeChoice(choice)}`)).toEqual(choice);
    expect(readChoice(`#${writeChoice({ ...choice, runs: [] })}`).runs).toEqual([]);
    expect(writeChoice(readChoice(''))).toBe('');
    expect(readChoice('#smooth=1e9').smooth).toBe(20);
  });

  it('is the newest study that has begun, unless runs were chosen', () => {
    const choice = readChoice('');
    expect(ids(chosenRows(rows, choice))).toEqual([10]);
    expect(ids(chosenRows([...rows, row(11, { study: 'later', begun: '2026-03-03', status: 'waiting' })], choice))).toEqual([10]);
    expect(ids(chosenRows(rows, { ...choice, runs: ['norms-1/run-3', 'gone/run'] }))).toEqual([3]);
  });
});
