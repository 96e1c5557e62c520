// The report of a study: whole, offline, escaped, and the same for the same results.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Registry } from '@athanor/core/plugin';
import { writeSafetensors } from '@athanor/data';
import { parseHTML } from 'linkedom';
import { PNG } from 'pngjs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { claimSchema } from '../claims/schema.ts';
import { runStudy } from '../run/runner.ts';
import type { Observer } from '../run/observer.ts';
import { createStudy } from '../run/study.ts';
import type { Study } from '../run/study.ts';
import toy from '../testing/toy.ts';
import type { Evaluation } from './evaluation.ts';
import { figureArtifact } from './figure.ts';
import { readFigures } from './figures.ts';
import { encodePicture } from './picture.ts';
import { writeReport } from './write.ts';

const quiet: Observer = { runStarted() {}, stageStarted() {}, stepDone() {}, runDone() {}, note() {} };
let folder = '';
let study: Study;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'athanor-'));
  const file = join(folder, 'walks.yaml');
  writeFileSync(file, 'stages: [walk]\n');
  const registry = new Registry([toy]);
  const jobs = [1, 2].flatMap((scale) =>
    [0, 1].map((seed) => ({
      name: `scale-${scale}.seed-${seed}`,
      values: { scale: scale === 1 ? 'small' : '<b>&' },
      config: { seed, stages: [{ name: 'walk', steps: 40, scale }] },
    })),
  );
  const claims = [
    claimSchema.parse({ says: 'seeds < scales', expect: { metric: 'test.accuracy', equal: { scale: 'small' }, to: { scale: '<b>&' }, within: 0.5, exact: true } }),
    claimSchema.parse({ says: 'it is sure', paper: 'Nobody 1900', finding: true, expect: { metric: 'test.accuracy', of: { scale: 'small' }, atLeast: 2, exact: true } }),
  ];
  const experiment = { name: 'walks', file, words: [], question: 'Is 1 < 2 & "so"?', plugins: [], jobs, claims, registry };
  study = createStudy(experiment, join(folder, 'runs'));
  await runStudy(study, { registry, packages: { toy: '1.2.3' }, observer: quiet });
  for (const { folder: run } of study.runs) {
    const png = encodePicture(Uint8Array.from({ length: 16 }, (_, index) => index * 16), [1, 4, 4]) ?? '';
    const evaluation: Evaluation = {
      classes: ['cat', 'dog'],
      confusion: [[7, 3], [1, 9]],
      pictures: [
        { index: 3, label: 0, predicted: 1, confidence: 0.61, png },
        { index: 4, label: 1, predicted: 1, confidence: 0.9, png },
      ],
    };
    writeFileSync(join(run, '0-walk', 'evaluation.json'), JSON.stringify(evaluation));
    writeFileSync(join(run, '0-walk', 'plane.svg'), '<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>');
    writeFileSync(join(run, '0-walk', 'model.safetensors'), writeSafetensors(new Map([
      ['layer.weight', { dtype: 'float32', shape: [2, 3], data: Float32Array.of(1, 2, 3, 4, 5, 6) }],
      ['layer.bias', { dtype: 'float32', shape: [2], data: Float32Array.of(1, 2) }],
    ])));
  }
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('writeReport', () => {
  it('shows results, curves, confusion, pictures, config and environment', () => {
    const text = readFileSync(writeReport(study), 'utf8');
    const { document } = parseHTML(text);
    const titles = [...document.querySelectorAll('h2')].map((title) => title.textContent);
    expect(titles).toEqual(['Claims', 'Result', 'Learning curves', 'Figures', 'Confusion', 'Test images', 'Weights', 'Resolved config', 'Environment']);
    expect(document.querySelector('.question')?.textContent).toBe('Is 1 < 2 & "so"?');
    expect(document.querySelectorAll('section > .row > figure > svg').length).toBe(1 + 2 + 2 + 2);
    expect(document.querySelectorAll('img').length).toBe(4 + 2);
    const verdicts = [...document.querySelectorAll('.verdict')].map((verdict) => [verdict.textContent, verdict.closest('tr')?.querySelectorAll('td')[1]?.textContent]);
    expect(verdicts).toEqual([['holds', 'seeds < scales'], ['fails', 'it is sure (finding)Nobody 1900']]);
    const table = [...document.querySelectorAll('section table')][1];
    expect([...(table?.querySelectorAll('tbody td:first-child') ?? [])].map((cell) => cell.textContent)).toEqual(['scale=small', 'scale=<b>&']);
    const counts = [...(document.querySelector('figure.matrix')?.querySelectorAll('text') ?? [])].map((cell) => cell.textContent);
    expect(counts).toEqual(expect.arrayContaining(['14', '6', '2', '18']));
    const differences = [...document.querySelectorAll('table.differences th, table.differences td')].map((cell) => cell.textContent);
    expect(differences).toEqual(['', 'scale=small', 'scale=<b>&', 'stages.0.scale', '1', '2']);
    expect(text).toContain('toy 1.2.3');
  });

  it('needs nothing but itself', () => {
    const text = readFileSync(writeReport(study), 'utf8');
    const elsewhere = [...text.matchAll(/(?:src|href)="(?!data:)[^"]*"|url\(|@import|<script/g)].map(String);
    expect(elsewhere).toEqual([]);
    expect(text).not.toContain('<b>&');
  });

  it('is the same for the same results', () => {
    const first = readFileSync(writeReport(study), 'utf8');
    expect(readFileSync(writeReport(study), 'utf8') === first).toBe(true);
  });
});

describe('readFigures', () => {
  const left = (files: Record<string, string>) => {
    const place = mkdtempSync(join(folder, 'figures-'));
    for (const [name, content] of Object.entries(files)) writeFileSync(join(place, name), content);
    return readFigures(place);
  };
  const decoded = (source: string | undefined) => Buffer.from((source ?? '').replace(/^.*base64,/, ''), 'base64').toString('utf8');

  it('draws charts from data, with gaps where a number is not finite', () => {
    const [file, content] = figureArtifact('sharpness', { caption: 'Sharpness by step', lines: { series: [{ name: 'a', points: [{ x: 0, y: 1 }, { x: 1, y: NaN }, { x: 2, y: 3 }] }], x: { label: 'step' }, y: { label: 'λ', unit: '1/m' } } });
    const [figure] = left({ [file]: content });
    expect(figure).toMatchObject({ name: 'sharpness', caption: 'Sharpness by step' });
    expect(decoded(figure?.source)).toContain('λ (1/m)');
    expect(decoded(figure?.source)).not.toContain('NaN');
  });

  it('takes pictures with the captions given to them, once each', () => {
    const svg = '<svg xmlns="http://www.w3.org/2000/svg"/>';
    const figures = left({ 'a.svg': svg, 'b.svg': svg, 'x.figure.json': '{"caption":"The b","file":"b.svg"}', 'other.txt': '' });
    expect(figures.map(({ name, caption, source }) => [name, caption, decoded(source)])).toEqual([['a', 'a.svg', svg], ['x', 'The b', svg]]);
  });

  it('says what is wrong with a figure instead of drawing it', () => {
    const figures = left({ 'a.figure.json': '{', 'b.figure.json': '{"caption":"b","file":"../../study.json"}', 'c.figure.json': '{"caption":"c","file":"c.png"}' });
    expect(figures.map(({ source }) => source)).toEqual([undefined, undefined, undefined]);
    expect(figures.map(({ caption }) => caption.split('\n')[0])).toMatchInlineSnapshot(`
      [
        "a.figure.json cannot be drawn: Expected property name or '}' in JSON at position 1",
        "b.figure.json cannot be drawn: ✖ a .svg or .png among the artifacts",
        "there is no c.png",
      ]
    `);
  });
});

describe('encodePicture', () => {
  it('keeps every pixel of grey and coloured bytes', () => {
    const values = Uint8Array.from({ length: 3 * 4 * 5 }, (_, index) => index * 4);
    const { width, height, data } = PNG.sync.read(Buffer.from(encodePicture(values, [3, 4, 5]) ?? '', 'base64'));
    expect({ width, height }).toEqual({ width: 5, height: 4 });
    expect([...data.subarray(4 * 7, 4 * 8)]).toEqual([7 * 4, 27 * 4, 47 * 4, 255]);
  });

  it('scales floats to the whole range and refuses what is no picture', () => {
    const { data } = PNG.sync.read(Buffer.from(encodePicture(Float32Array.of(-1, 0, 1, 1), [1, 2, 2]) ?? '', 'base64'));
    expect([data[0], data[4], data[8]]).toEqual([0, 128, 255]);
    expect(encodePicture(new Float32Array(4), [4])).toBeUndefined();
  });
});
