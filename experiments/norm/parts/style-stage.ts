// The stage `style`: a decoder learns to draw from normalized features that carry another picture's statistics.
import { UserError, compile, fromBuffer, random, setBackend } from '@athanor/core';
import type { Tensor } from '@athanor/core';
import { Adam, Conv2d, Module, ReLU, Sequential, Upsample, snapshot } from '@athanor/core/nn';
import { component, componentRef } from '@athanor/core/plugin';
import { Loader, batches } from '@athanor/data';
import { encodePicture, figureArtifact } from '@athanor/lab';
import type { Stage, StageState } from '@athanor/lab';
import { AdaptiveInstanceNorm, statisticsOf } from '@athanor/norm';
import * as z from 'zod';

const side = 28;

/** A picture of a texture in the place of a photograph of a style: gratings, checks, dots and noise of several kinds. */
export function texture(index: number, pixel: (x: number, y: number) => number = () => 0): Float32Array {
  const kind = index % 4;
  const turn = (index * 0.7) % Math.PI;
  const pitch = 2.5 + (index % 5);
  const contrast = 0.5 + 0.5 * ((index % 3) / 2);
  return Float32Array.from({ length: side * side }, (_, i) => {
    const [x, y] = [i % side, Math.floor(i / side)];
    const along = (x * Math.cos(turn) + y * Math.sin(turn)) / pitch;
    const across = (y * Math.cos(turn) - x * Math.sin(turn)) / pitch;
    const wave = kind === 0 ? Math.sin(2 * along) : kind === 1 ? Math.sign(Math.sin(along) * Math.sin(across)) : kind === 2 ? Math.cos(2 * along) * Math.cos(2 * across) : Math.sin(31 * along + 17 * across * across);
    return contrast * 2 * wave + pixel(x, y);
  });
}

/** Two 3×3 convolutions of fixed random weights: what their maps hold is content, their means and deviations are style. */
class Encoder extends Module {
  readonly layers: Sequential;

  constructor(width: number) {
    super();
    this.layers = new Sequential(new Conv2d(1, width, 3, { padding: 1 }), new ReLU(), new Conv2d(width, width, 3, { padding: 1, stride: 2 }), new ReLU());
  }

  override forward(x: Tensor): Tensor {
    return this.layers.forward(x);
  }
}

class Decoder extends Module {
  readonly layers: Sequential;

  constructor(width: number) {
    super();
    this.layers = new Sequential(
      new Conv2d(width, width, 3, { padding: 1 }),
      new ReLU(),
      new Upsample({ scaleFactor: 2 }),
      new Conv2d(width, width, 3, { padding: 1 }),
      new ReLU(),
      new Conv2d(width, 1, 3, { padding: 1 }),
    );
  }

  override forward(x: Tensor): Tensor {
    return this.layers.forward(x);
  }
}

type Source = 'instance' | 'batch';

/** The content's features with the style's moments: of each picture by itself, or of all pictures of the batch. */
function restyle(source: Source, content: Tensor, style: Tensor): Tensor {
  if (source === 'instance') return new AdaptiveInstanceNorm().forward(content, style);
  const own = statisticsOf(content, { axes: [0, 2, 3], eps: 1e-5 });
  const wanted = statisticsOf(style, { axes: [0, 2, 3], eps: 1e-5 });
  return content.sub(own.mean ?? 0).mul(own.inverse).div(wanted.inverse).add(wanted.mean ?? 0);
}

/** The squared distance between means and standard deviations of features, a number a picture. */
function styleDistance(a: Tensor, b: Tensor): Tensor {
  const moments = (x: Tensor): [Tensor, Tensor] => [x.mean([2, 3]), x.var([2, 3], { correction: 0 }).add(1e-5).sqrt()];
  const [[meanA, stdA], [meanB, stdB]] = [moments(a), moments(b)];
  return meanA.sub(meanB).square().mean(1).add(stdA.sub(stdB).square().mean(1));
}

/** Rows of so many pictures each as one grey PNG, every row scaled from its least to its greatest value, pixels as squares. */
function sheet(rows: readonly ArrayLike<number>[], count: number): Uint8Array {
  const zoom = 3;
  const width = count * side * zoom;
  const values = new Float32Array(rows.length * side * zoom * width);
  rows.forEach((row, i) => {
    const list = Array.from(row);
    const [low, high] = [Math.min(...list), Math.max(...list)];
    list.forEach((value, j) => {
      const [picture, pixel] = [Math.floor(j / (side * side)), j % (side * side)];
      const [top, left] = [(i * side + Math.floor(pixel / side)) * zoom, (picture * side + (pixel % side)) * zoom];
      for (let y = top; y < top + zoom; y++) values.fill((value - low) / (high - low), y * width + left, y * width + left + zoom);
    });
  });
  return Buffer.from(encodePicture(values, [1, rows.length * side * zoom, width]) ?? '', 'base64');
}

/** The stage, whose pictures show contents, styles and results in three rows. */
export const styleStage = component({
  kind: 'stage',
  name: 'style',
  summary: 'Learns to draw content in the style of textures, by the moments of each picture or of the batch (Huang & Belongie 2017)',
  schema: z.strictObject({
    data: componentRef('dataset'),
    statistics: z.enum(['instance', 'batch']),
    width: z.int().min(1).default(24),
    batch: z.int().min(2).default(16),
    steps: z.int().min(1).default(300),
    weight: z.number().positive().default(1).meta({ description: 'of the style in the loss' }),
  }),
  async create({ data, statistics, width, batch: size, steps, weight }, { make, seed, backend, dataDir, notify }) {
    if (backend !== undefined) setBackend(backend);
    random.manualSeed(seed);
    const { train, test } = await make('dataset', data, { dataDir, notify });
    if (train.inputShape.join() !== `1,${side},${side}`) throw new UserError(`the stage style draws grey pictures of 28×28, not [${train.inputShape.join(', ')}]`);
    const [encoder, decoder] = [new Encoder(width), new Decoder(width)];
    const optimizer = new Adam(decoder.parameters(), { lr: 0.002 });
    const normalize = train.statistics ?? false;
    const loader = new Loader(train, { batch: size, seed, dropLast: true });
    const textures = (first: number, count: number): Tensor => fromBuffer(Float32Array.from(Array.from({ length: count }, (_, i) => [...texture(first + i)]).flat()), [count, 1, side, side]);
    const stylise = (content: Tensor, style: Tensor): { target: Tensor; picture: Tensor } => {
      const target = restyle(statistics, encoder.forward(content), encoder.forward(style)).detach();
      return { target, picture: decoder.forward(target) };
    };
    const losses = (content: Tensor, style: Tensor): { content: Tensor; style: Tensor } => {
      const { target, picture } = stylise(content, style);
      const drawn = encoder.forward(picture);
      return { content: drawn.sub(target).square().mean(), style: styleDistance(drawn, encoder.forward(style)).mean() };
    };
    const update = compile((content: Tensor, style: Tensor) => {
      const parts = losses(content, style);
      const loss = parts.content.add(parts.style.mul(weight));
      optimizer.step(loss);
      return loss;
    });
    const judge = compile((content: Tensor, style: Tensor) => {
      const features = encoder.forward(style);
      const { picture } = stylise(content, style);
      return { after: styleDistance(encoder.forward(picture), features).mean(), before: styleDistance(encoder.forward(content), features).mean(), picture };
    });
    const stage: Stage = {
      steps,
      checkpointEvery: steps,
      async step(step) {
        const batch = loader.next();
        const loss = await update(fromBuffer(batch.inputs, [size, 1, side, side]), textures(step * size, size)).item();
        return { samples: size, show: { loss }, ...(step % 10 === 0 ? { metrics: [{ metric: 'train.loss', value: loss }] } : {}) };
      },
      async state() {
        // Only at the end, after which nothing is trained: the optimiser's slots are not needed any more.
        const host = await snapshot(decoder.stateDict());
        return { tensors: new Map(Object.entries(host)) as StageState['tensors'], values: null };
      },
      restore({ tensors }) {
        decoder.loadStateDict(Object.fromEntries(tensors) as Parameters<typeof decoder.loadStateDict>[0]);
        return Promise.resolve();
      },
      async finish() {
        const [batch] = batches(test, { batch: 8, normalize });
        const content = fromBuffer(batch?.inputs ?? new Float32Array(0), [8, 1, side, side]);
        const styles = textures(1000, 8);
        const { after, before, picture } = judge(content, styles);
        const rows = [await content.data(), await styles.data(), await picture.data()];
        const [distance, start] = [await after.item(), await before.item()];
        return {
          summary: { 'style.distance': distance, 'style.before': start, 'style.left': distance / start },
          artifacts: new Map<string, string | Uint8Array>([
            ['pictures.png', sheet(rows, 8)],
            figureArtifact('pictures', { caption: `Content, styles, and the content drawn with the statistics of ${statistics === 'instance' ? 'each style' : 'all styles together'}`, file: 'pictures.png' }),
          ]),
        };
      },
      dispose() {
        encoder.dispose();
        decoder.dispose();
        for (const variable of Object.values(optimizer.stateDict())) variable.dispose();
      },
    };
    return stage;
  },
});
