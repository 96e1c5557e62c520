// Finding data files: order of the folders, and what is said when a file is nowhere.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, expect, test, vi } from 'vitest';
import { findDataFile } from './files.ts';

const root = mkdtempSync(join(tmpdir(), 'data-files-'));
afterAll(() => rmSync(root, { recursive: true }));
afterEach(() => void vi.unstubAllEnvs());

const options = { set: 'Toy', names: ['toy.gz', 'toy'], folder: 'toy', remedy: 'fetch it from the shelf' };

test('dataDir comes before ATHANOR_DATA, which comes before system folders', () => {
  for (const folder of ['option/toy', 'environment', 'system']) {
    mkdirSync(join(root, folder), { recursive: true });
    writeFileSync(join(root, folder, 'toy'), '');
  }
  const system = [join(root, 'system')];
  vi.stubEnv('ATHANOR_DATA', '');
  expect(findDataFile({ ...options, system })).toBe(join(root, 'system/toy'));
  vi.stubEnv('ATHANOR_DATA', join(root, 'environment'));
  expect(findDataFile({ ...options, system })).toBe(join(root, 'environment/toy'));
  expect(findDataFile({ ...options, system, dataDir: join(root, 'option') })).toBe(join(root, 'option/toy/toy'));
});

test('a file that is nowhere: what was searched and where to get it', () => {
  vi.stubEnv('ATHANOR_DATA', '');
  expect(() => findDataFile({ ...options, dataDir: '/nowhere' })).toThrowErrorMatchingInlineSnapshot(
    `[UserError: Toy: cannot find toy.gz or toy; searched /nowhere/toy, /nowhere — fetch it from the shelf]`,
  );
  expect(() => findDataFile(options)).toThrowErrorMatchingInlineSnapshot(
    `[UserError: Toy: cannot find toy.gz or toy; no data folder is set (option dataDir or ATHANOR_DATA) — fetch it from the shelf]`,
  );
});
