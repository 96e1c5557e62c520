// Emoji as small colour pictures with classes, from npm packages: Noto (Apache-2.0) and Fluent 3D (MIT) artwork.
import { UserError } from '@athanor/core';
import * as z from 'zod';
import { parseOptions } from '../config.ts';
import { createDataset, createSplits, select } from '../dataset.ts';
import type { DatasetSplits } from '../dataset.ts';
import { packageFolder } from '../optional.ts';
import { permutation } from '../order.ts';
import { exists, readFile, requireBuiltin } from '../platform.ts';
import { streamKey } from '../random.ts';
import { withStatistics } from './image-folder.ts';
import { decodeAll, imageDecoder } from './images.ts';

const styles = ['noto', 'fluent'] as const;
type Style = (typeof styles)[number];

export const emojiSchema = z.strictObject({
  styles: z.array(z.enum(styles)).min(1).default(['noto', 'fluent']).describe('whose artwork'),
  label: z.enum(['category', 'style']).default('category').describe('what the classes are'),
  size: z.int().min(8).max(64).default(32).describe('side in pixels'),
  background: z.string().default('white').describe('colour behind the pictures'),
  testFraction: z
    .number()
    .gt(0)
    .lt(1)
    .default(0.1)
    .describe('share of the emoji, not of the pictures, that become the test part'),
  seed: z.int().min(0).default(0).describe('chooses the test emoji'),
});

interface Emoji {
  /** Code points in hexadecimal, joined by hyphens. */
  readonly code: string;
  readonly category: string;
}

/**
 * Loads emoji as bytes of shape `[3, size, size]`. All pictures of one emoji are in the same part, since
 * the styles of an emoji look alike.
 * @throws UserError naming the packages to install.
 */
export async function emoji(options: z.input<typeof emojiSchema> = {}): Promise<DatasetSplits> {
  const { label, size, background, testFraction, seed, ...config } = parseOptions('emoji', emojiSchema, options);
  const chosen = [...new Set(config.styles)];
  const noto = packageFolder('emoji-datasource-google', 'the data set emoji');
  const list = readList(noto);
  const locate: Record<Style, (code: string) => string | undefined> = {
    noto: finder(() => `${noto}/img/google/64`, 'png'),
    fluent: finder(
      () => `${packageFolder('@lobehub/fluent-emoji-3d', 'the style fluent of the data set emoji')}/assets`,
      'webp',
    ),
  };

  const testCodes = chooseTest(list, testFraction, seed);
  const classes = label === 'style' ? chosen : [...new Set(list.map((entry) => entry.category))].sort();
  const files: string[] = [];
  const labels: number[] = [];
  const inTest: boolean[] = [];
  for (const style of chosen) {
    for (const { code, category } of list) {
      const file = locate[style](code);
      if (file === undefined) continue;
      files.push(file);
      labels.push(classes.indexOf(label === 'style' ? style : category));
      inTest.push(testCodes.has(code));
    }
  }
  const decode = await imageDecoder({ size, channels: 3, fit: 'contain', background });
  const inputs = await decodeAll(files, decode, 3 * size * size);
  const whole = createDataset({
    name: 'emoji',
    inputShape: [3, size, size],
    inputs,
    labels: Int32Array.from(labels),
    classes,
  });
  const rows = (test: boolean) => Int32Array.from([...inTest.keys()].filter((row) => inTest[row] === test));
  return withStatistics(createSplits('emoji', select(whole, rows(false)), select(whole, rows(true))));
}

/** The share of each category's emoji that is for testing. */
function chooseTest(list: readonly Emoji[], fraction: number, seed: number): Set<string> {
  const test = new Set<string>();
  for (const category of new Set(list.map((entry) => entry.category))) {
    const codes = list.filter((entry) => entry.category === category).map((entry) => entry.code);
    const order = permutation(codes.length, streamKey(seed, `emoji ${category}`));
    for (const index of order.subarray(0, Math.max(1, Math.round(codes.length * fraction))))
      test.add(codes[index] ?? '');
  }
  return test;
}

/** The emoji of the list but those of the category Component, which are skin tones and hair alone. */
function readList(folder: string): Emoji[] {
  const file = `${folder}/emoji.json`;
  const parsed: unknown = JSON.parse(new TextDecoder().decode(readFile(file)));
  if (!Array.isArray(parsed)) throw new UserError('no list of emoji', { place: file });
  return parsed.flatMap((entry: unknown) => {
    if (typeof entry !== 'object' || entry === null || !('unified' in entry) || !('category' in entry)) return [];
    const { unified, category } = entry;
    if (typeof unified !== 'string' || typeof category !== 'string' || category === 'Component') return [];
    return [{ code: unified.toLowerCase(), category }];
  });
}

/** Finds a picture by its code; some artwork leaves out the variation selector FE0F. */
function finder(folder: () => string, ending: string): (code: string) => string | undefined {
  const path = requireBuiltin('node:path', 'the data set emoji');
  let found: string | undefined;
  return (code) => {
    found ??= folder();
    const names = [code, code.replaceAll('-fe0f', '')];
    return names.map((name) => path.join(found ?? '', `${name}.${ending}`)).find(exists);
  };
}
