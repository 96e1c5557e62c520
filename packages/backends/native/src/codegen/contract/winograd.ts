// 3 × 3 convolutions by Winograd's F(2 × 2, 3 × 3) (Lavin & Gray 2015): 16 multiplications for 4 outputs instead of 36. A
// block of tile rows at a time: input tiles Bᵀ d B, 16 products over the channels, then Aᵀ m A and the epilogue.
import { loopCount, type ContractKernel } from '@athanor/core/backend';
import { functionText, type Phase, type Source, type Target } from '../source.ts';
import { call } from '../text.ts';
import { EpilogueWriter } from './epilogue.ts';
import { mergeAxis, offsetFunction, operandOf, type Axis, type Operand } from './operand.ts';
import { chunk, registersOf } from './plan.ts';
import { tileFunction, tileName, type Tile } from './tile.ts';

/** Positions of a transformed tile. */
const positions = 16;
/** Bytes of transformed inputs and products that a block may take: they should stay in the second-level cache. */
const blockBytes = 400 * 1024;
const mostTiles = 192;
/** Vectors of a panel of tiles. */
const panelVectors = 2;
/** Channels that inputs are asked for ahead. */
const channelsAhead = 3;
const slack = 256;

interface Plan {
  readonly weights: Operand;
  readonly inputs: Operand;
  readonly lanes: number;
  readonly batches: number;
  readonly outputs: number;
  readonly channels: number;
  readonly images: number;
  readonly height: number;
  readonly width: number;
  /** Distance of rows of the input. */
  readonly inputRow: number;
  /** Outputs of a register tile. */
  readonly tall: number;
  /** Tiles of a tile row, whole vectors of `tileLanes`. */
  readonly tilesWide: number;
  readonly tileLanes: number;
  /** Tile rows of an image, and of a block. */
  readonly tileRows: number;
  readonly blockRows: number;
}

/**
 * A convolution that is computed this way: 3 × 3, stride 1, float32, with so many channels that the transforms pay. The
 * number of images and the vector width play no part in the choice: they change no bit.
 */
export function isWinograd(kernel: ContractKernel): boolean {
  const { combine, dtype, batch, m, n, k, b } = kernel;
  const [ky, kx] = k.slice(-2);
  const [height = 0, width = 0] = n.slice(-2);
  if (combine !== 'multiply-add' || dtype !== 'float32' || k.length < 3 || n.length < 2 || ky !== 3 || kx !== 3) return false;
  if (kernel.epilogue.some((instruction) => instruction.dtype === 'float64')) return false;
  const [endN, endK] = [batch.length + m.length + n.length, batch.length + m.length + n.length + k.length];
  const stride = (loop: number): number => b.index.strides[loop] ?? 0;
  const row = stride(endN - 2);
  if (stride(endN - 1) !== 1 || stride(endK - 1) !== 1 || stride(endK - 2) !== row || row < width + 2 || height < 4 || width < 4) return false;
  const [outputs, channels] = [loopCount(m), loopCount(k.slice(0, -2))];
  if (outputs < 8 || channels < 8) return false;
  // Vector operations for 16 tiles: products, transforms of inputs and outputs; against 64 outputs the plain way.
  const waste = (Math.ceil(height / 2) * Math.ceil(width / 2) * 4) / (height * width);
  return (16 * channels * outputs + 90 * channels + 60 * outputs) * waste < 33 * channels * outputs;
}

function planOf(kernel: ContractKernel, target: Target): Plan {
  const { batch, m, n, k, b } = kernel;
  const lanes = target.vectorBytes / 4;
  const [height = 0, width = 0] = n.slice(-2);
  const [outputs, channels, images] = [loopCount(m), loopCount(k.slice(0, -2)), loopCount(n.slice(0, -2))];
  const wide = Math.ceil(width / 2);
  const candidates = [lanes, lanes / 2, lanes / 4]
    .filter((count) => count >= 4)
    .map((count) => ({ count, tiles: Math.ceil(wide / count) * count }))
    .toSorted((x, y) => x.tiles * (1 + (0.1 * lanes) / x.count) - y.tiles * (1 + (0.1 * lanes) / y.count));
  const { count: tileLanes, tiles: tilesWide } = candidates[0] ?? { count: lanes, tiles: wide };
  const tileRows = Math.ceil(height / 2);
  const panel = panelVectors * lanes;
  const fits = Math.max(panel, Math.min(mostTiles, Math.floor(blockBytes / (positions * 4 * (channels + outputs)) / panel) * panel));
  const tallest = Math.min(registersOf(target) / panelVectors, outputs);
  return {
    weights: operandOf(kernel, 'a', 'rows'),
    inputs: operandOf(kernel, 'b', 'columns'),
    lanes,
    batches: loopCount(batch),
    outputs,
    channels,
    images,
    height,
    width,
    inputRow: b.index.strides[batch.length + m.length + n.length - 2] ?? 0,
    tall: Math.ceil(outputs / Math.ceil(outputs / tallest)),
    tilesWide,
    tileLanes,
    tileRows,
    blockRows: Math.min(images * tileRows, Math.max(1, Math.floor(fits / tilesWide))),
  };
}

export function winogradSource(kernel: ContractKernel, target: Target): Source {
  return new WinogradWriter(kernel, planOf(kernel, target)).write();
}

class WinogradWriter {
  readonly #kernel: ContractKernel;
  readonly #plan: Plan;
  readonly #tile: Tile;
  readonly #panels: number;
  readonly #outputTiles: number;
  readonly #blocks: number;
  /** Elements between channels of transformed inputs, and between positions of weights, inputs and products. */
  readonly #pitch: number;
  readonly #weightStep: number;
  readonly #inputStep: number;
  readonly #productStep: number;
  /** Elements of a row of outputs, and of all rows of one output channel. */
  readonly #outputRow: number;
  readonly #outputPlane: number;

  constructor(kernel: ContractKernel, plan: Plan) {
    const { lanes, outputs, channels, images, width, tall, tilesWide, tileRows, blockRows } = plan;
    this.#kernel = kernel;
    this.#plan = plan;
    this.#tile = { height: tall, width: panelVectors, combine: 'multiply-add', register: 'f32', element: 'float', lanes, columns: 'strided', rows: 'packed', rowPattern: [] };
    this.#panels = Math.ceil((blockRows * tilesWide) / (panelVectors * lanes));
    this.#outputTiles = Math.ceil(outputs / tall);
    this.#blocks = Math.ceil((images * tileRows) / blockRows);
    // Odd numbers of cache lines keep planes off each other's cache sets.
    const odd = (elements: number): number => (Math.ceil(elements / 32) * 2 + 1) * 16;
    this.#pitch = odd(this.#panels * panelVectors * lanes);
    this.#weightStep = odd(this.#outputTiles * channels * tall);
    this.#inputStep = channels * this.#pitch + 16;
    this.#productStep = odd(this.#panels * this.#outputTiles * tall * panelVectors * lanes);
    this.#outputRow = Math.ceil(Math.max(width, 2 * tilesWide) / lanes) * lanes;
    this.#outputPlane = blockRows * 2 * this.#outputRow;
  }

  write(): Source {
    const { weights, inputs, lanes, width, tileLanes } = this.#plan;
    const { batch, m, k, n } = this.#kernel;
    const axis = (side: 'a' | 'b', loops: readonly number[], first: number): Axis =>
      mergeAxis({ loops, strides: this.#kernel[side].index.strides.slice(first, first + loops.length) });
    const [startN, startK] = [batch.length + m.length, batch.length + m.length + n.length];
    const epilogue = new EpilogueWriter(this.#kernel, { lanes, stretch: width, register: 'f32', rows: weights });
    const text = [
      offsetFunction('output_offset', weights.own),
      offsetFunction('weight_batch', weights.batch),
      offsetFunction('weight_channel', axis('a', k.slice(0, -2), startK)),
      offsetFunction('input_batch', inputs.batch),
      offsetFunction('input_channel', axis('b', k.slice(0, -2), startK)),
      offsetFunction('input_image', axis('b', n.slice(0, -2), startN)),
      epilogue.write('epilogue'),
      functionText('pack', this.#kernel.buffers, this.#packBody()),
      functionText('run', this.#kernel.buffers, this.#runBody()),
    ];
    return {
      text: text.join(''),
      phases: this.#phases(),
      lanes: [...new Set([lanes, tileLanes])],
      helpers: [{ name: tileName(this.#tile), text: tileFunction(this.#tile) }],
    };
  }

  #phases(): Phase[] {
    const { batches, outputs, channels, images, height, width } = this.#plan;
    const products = batches * images * height * width * outputs * channels;
    const weights = batches * outputs * channels;
    return [
      { name: 'pack', units: batches * this.#outputTiles, scratch: 0, shared: batches * positions * this.#weightStep * 4 + slack, nanoseconds: weights * 15 },
      { name: 'run', units: batches * this.#blocks, scratch: this.#places.total * 4 + slack, shared: 0, nanoseconds: (products * 18) / 100 },
    ];
  }

  /** Where transformed inputs, products and outputs lie in scratch, in elements. */
  get #places(): { inputs: number; products: number; outputs: number; total: number } {
    const products = positions * this.#inputStep + slack / 4;
    const outputs = products + positions * this.#productStep + slack / 4;
    return { inputs: 0, products, outputs, total: outputs + this.#plan.outputs * this.#outputPlane };
  }

  /** G g Gᵀ of all kernels: [position][tile of outputs][channel][output]. */
  #packBody(): string {
    const { weights, channels, outputs, tall } = this.#plan;
    const { strides } = this.#kernel.a.index;
    const [row = 0, column = 0] = strides.slice(strides.length - 2);
    return `for (int64_t unit = first; unit < end; unit++) {
const int64_t tile = unit % ${this.#outputTiles}, batch = unit / ${this.#outputTiles};
float *const to = (float *)shared + batch * ${positions * this.#weightStep} + tile * ${channels * tall};
const float *const from = b${weights.buffer} + ${weights.offset} + KERNEL(weight_batch)(batch);
for (int64_t channel = 0; channel < ${channels}; channel++) {
const float *const kernels = from + KERNEL(weight_channel)(channel);
for (int64_t i = 0; i < ${tall}; i++) {
const int64_t output = tile * ${tall} + i < ${outputs} ? tile * ${tall} + i : ${outputs - 1};
winograd_weight(kernels + KERNEL(output_offset)(output), ${row}, ${column}, to + channel * ${tall} + i, ${this.#weightStep});
}
}
}`;
  }

  #runBody(): string {
    const { inputs, lanes, batches, outputs, channels, images, height, width, inputRow, tall, tilesWide, tileLanes, tileRows, blockRows } = this.#plan;
    const { products, outputs: outputPlace } = this.#places;
    const panel = panelVectors * lanes;
    const perRow = Math.ceil(width / lanes);
    return `float *const inputs = (float *)scratch, *const products = inputs + ${products}, *const outputs = inputs + ${outputPlace};
const int64_t offsets[] = {${Array.from({ length: panelVectors }, (_, i) => i * lanes).join(', ')}};
for (int64_t unit = first; unit < end; unit++) {
const int64_t block = unit % ${this.#blocks}, batch = unit / ${this.#blocks};
const int64_t begin = block * ${blockRows}, count = ${images * tileRows} - begin < ${blockRows} ? ${images * tileRows} - begin : ${blockRows};
const float *const from = b${inputs.buffer} + ${inputs.offset}${batches === 1 ? '' : ' + KERNEL(input_batch)(batch)'};
const float *const weights = (const float *)shared + batch * ${positions * this.#weightStep};
for (int64_t i = 0, some; i < count; i += some) {
const int64_t row = (begin + i) % ${tileRows};
some = ${tileRows} - row < count - i ? ${tileRows} - row : count - i;
const float *const image = from + KERNEL(input_image)((begin + i) / ${tileRows}) + row * ${2 * inputRow};
for (int64_t channel = 0; channel < ${channels}; channel++) {
const float *const plane = image + KERNEL(input_channel)(channel), *const ahead = image + KERNEL(input_channel)(channel + ${channelsAhead} < ${channels} ? channel + ${channelsAhead} : channel);
for (int64_t x = 0; x < ${tilesWide}; x += ${tileLanes})
${call('winograd_input', tileLanes, 'plane + 2 * x', String(inputRow), `${height + 2} - 2 * row`, 'some', `inputs + channel * ${this.#pitch} + i * ${tilesWide} + x`, String(tilesWide), String(this.#inputStep), 'ahead + 2 * x')};
}
}
const int64_t panels = (count * ${tilesWide} + ${panel - 1}) / ${panel};
for (int64_t position = 0; position < ${positions}; position++)
for (int64_t panel = 0; panel < panels; panel++)
for (int64_t tile = 0; tile < ${this.#outputTiles}; tile++) {
const float *const packed = weights + position * ${this.#weightStep} + tile * ${channels * tall};
float *const sums = products + position * ${this.#productStep} + (panel * ${this.#outputTiles} + tile) * ${tall * panel};
for (int64_t k = 0; k < ${channels}; k += ${chunk})
${tileName(this.#tile)}(packed + k * ${tall}, 0, NULL, inputs + position * ${this.#inputStep} + panel * ${panel}, offsets, ${this.#pitch}, NULL, k, k + ${chunk} < ${channels} ? k + ${chunk} : ${channels}, sums);
}
for (int64_t output = 0; output < ${outputs}; output++)
for (int64_t i = 0; i < count; i++)
for (int64_t x = 0; x < ${tilesWide}; x += ${tileLanes}) {
const int64_t tile = i * ${tilesWide} + x;
const float *const sums = products + (tile / ${panel} * ${this.#outputTiles * tall} + output) * ${panel} + tile % ${panel};
${call('winograd_output', tileLanes, 'sums', String(this.#productStep), `outputs + output * ${this.#outputPlane} + i * ${2 * this.#outputRow} + 2 * x`, String(this.#outputRow))};
}
for (int64_t i = 0; i < count; i++) {
const int64_t image = (begin + i) / ${tileRows}, top = (begin + i) % ${tileRows} * 2;
for (int64_t y = 0; y < 2 && top + y < ${height}; y++)
KERNEL(epilogue)(arguments, batch, 0, ${outputs}, (image * ${height} + top + y) * ${perRow}, ${perRow}, ${this.#outputPlane / lanes}, outputs + (2 * i + y) * ${this.#outputRow}, flags);
}
}`;
  }
}
