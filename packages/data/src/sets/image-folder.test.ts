// Folders of pictures and emoji packages, made small by this test: order, colours, transparency, splits, messages.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import sharp from 'sharp';
import { afterAll, expect, test } from 'vitest';
import { emoji } from './emoji.ts';
import { imageFolder } from './image-folder.ts';

const root = mkdtempSync(join(tmpdir(), 'images-'));
const before = process.cwd();
afterAll(() => {
  process.chdir(before);
  rmSync(root, { recursive: true });
});

type Color = { r: number; g: number; b: number; alpha?: number };
async function paint(
  path: string,
  color: Color,
  size: { width: number; height: number } = { width: 8, height: 8 },
): Promise<void> {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  const channels = color.alpha === undefined ? 3 : 4;
  const picture = sharp({ create: { ...size, channels, background: color } });
  await (path.endsWith('.webp') ? picture.webp({ lossless: true }) : picture).toFile(join(root, path));
}

const red = { r: 250, g: 10, b: 20 };
const clear = { r: 0, g: 0, b: 0, alpha: 0 };

test('one folder a class: planes of colour, transparency on the background, stratified split', async () => {
  for (let index = 0; index < 5; index++) {
    await paint(`flat/warm/${index}.png`, { ...red, b: 20 + index });
    await paint(`flat/clear/${index}.webp`, clear);
  }
  writeFileSync(join(root, 'flat', 'warm', 'notes.txt'), 'not a picture');
  const {
    train,
    test: rest,
    classes,
  } = await imageFolder({ folder: 'flat', size: 2, background: '#0000ff' }, { dataDir: root });
  expect(classes).toEqual(['clear', 'warm']);
  expect([train.length, rest.length]).toEqual([8, 2]);
  expect([...train.inputs.subarray(0, 12)]).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 255, 255]);
  const warm = train.inputs.subarray(4 * 12);
  expect(warm[0]).toBe(250);
  expect(warm[4]).toBe(10);
  expect(train.statistics?.mean).toHaveLength(3);
});

test('train and test folders are kept; grey; what does not fit is cut, bordered or stretched', async () => {
  await paint('parts/train/a/1.png', { r: 100, g: 100, b: 100 }, { width: 12, height: 4 });
  await paint('parts/test/a/1.jpg', { r: 200, g: 200, b: 200 });
  const load = async (fit: 'cover' | 'contain' | 'fill') =>
    (await imageFolder({ folder: 'parts', size: 4, channels: 1, fit, background: 'white' }, { dataDir: root })).train
      .inputs;
  expect([...(await load('cover'))]).toEqual(new Array(16).fill(100));
  expect([...(await load('fill'))]).toEqual(new Array(16).fill(100));
  const contained = await load('contain');
  expect([contained[0], contained[15]]).toEqual([255, 255]);
  expect(Math.min(...contained)).toBeLessThan(200);
});

test('mistakes are named', async () => {
  mkdirSync(join(root, 'empty', 'class'), { recursive: true });
  mkdirSync(join(root, 'bad', 'class'), { recursive: true });
  writeFileSync(join(root, 'bad', 'class', '1.png'), 'not a picture');
  const message = (folder: string) =>
    imageFolder({ folder }, { dataDir: root }).then(
      () => 'no error',
      (error: unknown) => String(error).replaceAll(root, '…'),
    );
  expect(await Promise.all(['none', 'empty', 'empty/class', 'bad'].map(message))).toMatchInlineSnapshot(`
    [
      "UserError: …/none: there is no such folder — folder is taken from the data folder if one is given, else from the working folder",
      "UserError: …/empty/class: no pictures (png, jpg, webp, gif, avif, tiff) in this class",
      "UserError: …/empty/class: it holds no folders — put the pictures of each class into a folder of its own",
      "UserError: …/bad/class/1.png: cannot read the picture: Input file contains unsupported image format — fetch the picture again, or take it out of the folder",
    ]
  `);
});

test('emoji: both styles of an emoji are in the same part, Component is left out', async () => {
  const packages = join('cwd', 'node_modules');
  const list: object[] = [{ unified: 'C0', category: 'Component' }];
  for (let index = 0; index < 10; index++) {
    const unified = `1F60${index}${index === 3 ? '-FE0F' : ''}`;
    list.push({ unified, category: index < 5 ? 'Smileys' : 'Flags' });
    await paint(join(packages, 'emoji-datasource-google/img/google/64', `${unified.toLowerCase()}.png`), {
      ...red,
      g: 100 + index,
    });
    if (index !== 7) {
      const shorter = unified.toLowerCase().replace('-fe0f', '');
      await paint(join(packages, '@lobehub/fluent-emoji-3d/assets', `${shorter}.webp`), {
        ...red,
        g: 200 + index,
        alpha: 1,
      });
    }
  }
  writeFileSync(join(root, packages, 'emoji-datasource-google', 'emoji.json'), JSON.stringify(list));
  writeFileSync(join(root, packages, 'emoji-datasource-google', 'package.json'), '{}');
  writeFileSync(join(root, packages, '@lobehub/fluent-emoji-3d', 'package.json'), '{}');
  process.chdir(join(root, 'cwd'));
  const { train, test: rest, classes } = await emoji({ size: 8, testFraction: 0.2, seed: 1 });
  expect(classes).toEqual(['Flags', 'Smileys']);
  expect(train.length + rest.length).toBe(19);
  const identities = (part: typeof train) =>
    Array.from(part.labels, (_, row) => Math.round((part.inputs[row * 192 + 64] ?? 0) % 100));
  expect(identities(rest).filter((identity) => identities(train).includes(identity))).toEqual([]);
  expect(new Set([...identities(train), ...identities(rest)]).size).toBe(10);
  const styles = await emoji({ size: 8, label: 'style', testFraction: 0.2 });
  expect(styles.classes).toEqual(['noto', 'fluent']);
});
