// One sample of an image data set as a PNG.
import { PNG } from 'pngjs';

/**
 * base64 of the PNG of an image `[C, H, W]` (one or three channels): bytes as they are, floats
 * scaled from their least to their greatest. Undefined if the shape is no picture's.
 */
export function encodePicture(values: Uint8Array | Float32Array, shape: readonly number[]): string | undefined {
  const [channels, height, width] = shape;
  if (shape.length !== 3 || height === undefined || width === undefined || (channels !== 1 && channels !== 3)) return undefined;
  const byte = toByte(values);
  const area = height * width;
  const picture = new PNG({ width, height });
  for (let pixel = 0; pixel < area; pixel++) {
    for (let channel = 0; channel < 3; channel++) {
      picture.data[4 * pixel + channel] = byte(values[pixel + area * Math.min(channel, channels - 1)] ?? 0);
    }
    picture.data[4 * pixel + 3] = 255;
  }
  return PNG.sync.write(picture, { colorType: channels === 1 ? 0 : 2, deflateLevel: 9 }).toString('base64');
}

function toByte(values: Uint8Array | Float32Array): (value: number) => number {
  if (values instanceof Uint8Array) return (value) => value;
  let low = Infinity;
  let high = -Infinity;
  for (const value of values) {
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  const scale = high > low ? 255 / (high - low) : 0;
  return (value) => Math.round((value - low) * scale);
}
