// Axes by role, and which of them share one statistic: the first choice that a normalization method makes.
import { ShapeError, formatShape, type Tensor } from '@athanor/core';

/** Where samples, channels and positions lie: [N, C], [N, T, C] (channels last), [N, C, H, W], [N, C, D, H, W]. */
export interface Layout {
  readonly sample: number;
  readonly channel: number;
  /** Axes of time or space; none for [N, C]. */
  readonly positions: readonly number[];
}

/** Which axis of [N, C], [N, T, C] or [N, C, …] plays which part; a ShapeError for other ranks. */
export function layoutOf(x: Pick<Tensor, 'ndim' | 'shape'>): Layout {
  switch (x.ndim) {
    case 2:
      return { sample: 0, channel: 1, positions: [] };
    case 3:
      return { sample: 0, channel: 2, positions: [1] };
    case 4:
      return { sample: 0, channel: 1, positions: [2, 3] };
    case 5:
      return { sample: 0, channel: 1, positions: [2, 3, 4] };
    default:
      throw new ShapeError(`a normalization of shape ${formatShape(x.shape)}`, { remedy: 'give [N, C], [N, T, C], [N, C, H, W] or [N, C, D, H, W]' });
  }
}

/**
 * What shares one statistic. `batch`: a channel, over all samples and positions; `sample`: a whole sample;
 * `channel`: one channel of one sample; `position`: all channels at one position of one sample.
 */
export type Span = 'batch' | 'sample' | 'channel' | 'position';

/** The axes over which a span's statistics are taken, sorted. */
export function spanAxes(span: Span, { sample, channel, positions }: Layout): number[] {
  switch (span) {
    case 'batch':
      return [sample, ...positions];
    case 'sample':
      return [channel, ...positions].sort((a, b) => a - b);
    case 'channel':
      return [...positions];
    case 'position':
      return [channel];
  }
}

/** A tensor of one value per channel, [C], in a shape that broadcasts over x. */
export function perChannel(values: Tensor, x: Tensor): Tensor {
  const { channel } = layoutOf(x);
  return values.reshape(x.shape.map((size, axis) => (axis === channel ? size : 1)));
}

/** x with its channels split into groups of neighbours: the channel axis becomes [groups, C / groups]. */
export function splitChannels(x: Tensor, groups: number): Tensor {
  const { channel } = layoutOf(x);
  const channels = x.shape[channel] ?? 0;
  if (channels % groups !== 0) {
    throw new ShapeError(`${channels} channels do not split into ${groups} groups`, { remedy: `choose a divisor of ${channels}` });
  }
  return x.unflatten(channel, [groups, channels / groups]);
}

/** The layout after `splitChannels`: the groups stand before the channels, and count as samples. */
export function splitLayout({ sample, channel, positions }: Layout): Layout {
  return { sample, channel: channel + 1, positions: positions.map((axis) => (axis > channel ? axis + 1 : axis)) };
}
