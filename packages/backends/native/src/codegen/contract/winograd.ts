// 3 × 3 convolutions by minimal filtering F(4 × 4, 3 × 3): 36 multiplications for 16 outputs instead of 144. A block of tile
// rows at a time: input tiles Bᵀ d B, 36 products over the channels, then Aᵀ m A and the epilogue.
import { loopCount, type ContractKernel } from '@athanor/core/backend';
import { functionText, type Phase, type Source, type Target } from '../source.ts';
import { call } from '../text.ts';
import { EpilogueWriter } from './epilogue.ts';
import { mergeAxis, offsetFunction, operandOf, type Axis, type Operand } from './operand.ts';
import { chunk, registersOf } from './plan.ts';
import { tileFunction, tileName, type Tile } from './tile.ts';

/** Outputs of a tile in one direction, its inputs, and positions of a transformed tile. */
const side = 4;
const size = 6;
const positions = size ** 2;
/** Bytes of transformed inputs and products that a block may take: they should stay in the second-level cache. */
const blockBytes = 400 * 1024;
const mostTiles = 192;
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
  /** Outputs of a register tile, and its vectors of tiles. */
  readonly tall: number;
  readonly panelVectors: number;
  /** Neighbouring tiles of a piece, and pieces of a tile row. */
  readonly pieceTiles: number;
  readonly piecesWide: number;
  /** Tile rows of an image, and of a block. */
  readonly tileRows: number;
  readonly blockRows: number;
}

/**
 * A convolution that is computed this way: 3 × 3, stride 1, float32, with so many channels that the transforms pay. The
 * number of images and the vector width play no part in the choice: they change no bit.
 */
export function isWinograd(kernel: ContractKernel): boolean {
  const { combine, dtype, batch, m, n, k, a, b } = kernel;
  const [ky, kx] = k.slice(-2);
  const [height = 0, width = 0] = n.slice(-2);
  if (combine !== 'multiply-add' || dtype !== 'float32' || k.length < 3 || n.length < 2 || ky !== 3 || kx !== 3) return false;
  if (kernel.epilogue.some((instruction) => instruction.dtype === 'float64')) return false;
  const [endN, endK] = [batch.length + m.length + n.length, batch.length + m.length + n.length + k.length];
  const stride = (loop: number): number => b.index.strides[loop] ?? 0;
  const row = stride(endN - 2);
  if (stride(endN - 1) !== 1 || stride(endK - 1) !== 1 || stride(endK - 2) !== row || row < width + 2 || height < 4 || width < 4) return false;
  const [tapRow = 0, tap = 0] = a.index.strides.slice(-2);
  if (Math.abs(tap) !== 1 || tapRow !== 3 * tap) return false;
  const [outputs, channels] = [loopCount(m), loopCount(k.slice(0, -2))];
  if (outputs < 8 || channels < 8) return false;
  // Vector operations for a vector of tiles: products, transforms of inputs and outputs; against its outputs the plain way.
  const waste = (Math.ceil(height / side) * Math.ceil(width / side) * side ** 2) / (height * width);
  return (positions * channels * outputs + 300 * channels + 200 * outputs) * waste < 140 * channels * outputs;
}

function planOf(kernel: ContractKernel, target: Target): Plan {
  const { batch, m, n, k, b } = kernel;
  const lanes = target.vectorBytes / 4;
  const [height = 0, width = 0] = n.slice(-2);
  const [outputs, channels, images] = [loopCount(m), loopCount(k.slice(0, -2)), loopCount(n.slice(0, -2))];
  const pieceTiles = lanes === 4 ? 1 : 2;
  const piecesWide = Math.ceil(width / side / pieceTiles);
  const tilesWide = piecesWide * pieceTiles;
  const rows = images * Math.ceil(height / side);
  const panelVectors = rows * tilesWide > lanes ? 2 : 1;
  const panel = panelVectors * lanes;
  const mostRows = Math.min(rows, Math.max(panel, Math.min(mostTiles, blockBytes / (positions * 4 * (channels + outputs)))) / tilesWide);
  // Blocks that fill their panels best; of those the largest.
  const filled = (count: number): number => (count * tilesWide) / (Math.ceil((count * tilesWide) / panel) * panel);
  const heights = Array.from({ length: Math.max(1, Math.floor(mostRows)) }, (_, i) => i + 1);
  const blockRows = heights.reduce((best, count) => (filled(count) >= filled(best) ? count : best));
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
    panelVectors,
    pieceTiles,
    piecesWide,
    tileRows: Math.ceil(height / side),
    blockRows,
  };
}

export function winogradSource(kernel: ContractKernel, target: Target): Source {
  return new WinogradWriter(kernel, planOf(kernel, target)).write();
}

class WinogradWriter {
  readonly #kernel: ContractKernel;
  readonly #plan: Plan;
  readonly #tile: Tile;
  /** Pieces of a vector; vectors and panels of a block. */
  readonly #pieces: number;
  readonly #vectors: number;
  readonly #panels: number;
  readonly #outputTiles: number;
  readonly #blocks: number;
  /** Elements between channels of transformed inputs, and between positions of weights, inputs and products. */
  readonly #pitch: number;
  readonly #weightStep: number;
  readonly #inputStep: number;
  readonly #productStep: number;
  /** Elements of a row of outputs. */
  readonly #outputRow: number;
  /** Rows of outputs follow each other without a gap, those of images too. */
  readonly #tight: boolean;

  constructor(kernel: ContractKernel, plan: Plan) {
    const { lanes, outputs, channels, images, height, width, tall, panelVectors, pieceTiles, piecesWide, tileRows, blockRows } = plan;
    this.#kernel = kernel;
    this.#plan = plan;
    this.#tile = { height: tall, width: panelVectors, combine: 'multiply-add', register: 'f32', element: 'float', lanes, columns: 'strided', rows: 'packed', rowPattern: [] };
    this.#pieces = lanes / pieceTiles;
    this.#vectors = Math.ceil((blockRows * piecesWide) / this.#pieces);
    this.#panels = Math.ceil(this.#vectors / panelVectors);
    this.#outputTiles = Math.ceil(outputs / tall);
    this.#blocks = Math.ceil((images * tileRows) / blockRows);
    // Odd numbers of cache lines keep planes off each other's cache sets.
    const odd = (elements: number): number => (Math.ceil(elements / 32) * 2 + 1) * 16;
    this.#pitch = odd(this.#panels * panelVectors * lanes);
    this.#weightStep = odd(this.#outputTiles * channels * tall);
    this.#inputStep = channels * this.#pitch + 16;
    this.#productStep = odd(this.#panels * this.#outputTiles * tall * panelVectors * lanes);
    this.#outputRow = piecesWide * pieceTiles * side;
    this.#tight = this.#outputRow === width && height % side === 0;
  }

  write(): Source {
    const { weights, inputs, lanes, images, height, width } = this.#plan;
    const { batch, m, k, n } = this.#kernel;
    const axis = (operand: 'a' | 'b', loops: readonly number[], first: number): Axis =>
      mergeAxis({ loops, strides: this.#kernel[operand].index.strides.slice(first, first + loops.length) });
    const [startN, startK] = [batch.length + m.length, batch.length + m.length + n.length];
    const epilogue = new EpilogueWriter(this.#kernel, { lanes, stretch: this.#tight ? images * height * width : width, register: 'f32', rows: weights });
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
    return { text: text.join(''), phases: this.#phases(), lanes: [lanes], helpers: [{ name: tileName(this.#tile), text: tileFunction(this.#tile) }] };
  }

  #phases(): Phase[] {
    const { batches, outputs, channels, images, height, width } = this.#plan;
    const products = batches * images * height * width * outputs * channels;
    const weights = batches * outputs * channels;
    return [
      { name: 'pack', units: batches * this.#outputTiles, scratch: 0, shared: batches * positions * this.#weightStep * 4 + slack, nanoseconds: weights * 15 },
      { name: 'run', units: batches * this.#blocks, scratch: this.#places.total * 4 + slack, shared: 0, nanoseconds: (products * 9) / 100 },
    ];
  }

  /** Where transformed inputs, products and the outputs of one channel lie in scratch, in elements. */
  get #places(): { inputs: number; products: number; outputs: number; total: number } {
    const products = positions * this.#inputStep + slack / 4;
    const outputs = products + positions * this.#productStep + slack / 4;
    // Behind them is room for what pieces that do not exist leave.
    return { inputs: 0, products, outputs, total: outputs + this.#plan.blockRows * side * this.#outputRow + side * this.#outputRow + slack };
  }

  /** G g Gᵀ of all kernels: [position][tile of outputs][channel][output]. */
  #packBody(): string {
    const { weights, channels, outputs, tall, lanes } = this.#plan;
    const { strides } = this.#kernel.a.index;
    const flipped = strides.at(-1) === -1;
    const places = Math.ceil(tall / lanes) * lanes;
    return `for (int64_t unit = first; unit < end; unit++) {
const int64_t tile = unit % ${this.#outputTiles}, batch = unit / ${this.#outputTiles};
float *const to = (float *)shared + batch * ${positions * this.#weightStep} + tile * ${channels * tall};
const float *const from = b${weights.buffer} + ${weights.offset - (flipped ? 8 : 0)} + KERNEL(weight_batch)(batch);
int64_t places[${places}];
for (int64_t i = 0; i < ${places}; i++) places[i] = KERNEL(output_offset)(tile * ${tall} + i < ${outputs} ? tile * ${tall} + i : ${outputs - 1});
for (int64_t channel = 0; channel < ${channels}; channel++)
${call('winograd_weight', lanes, 'from + KERNEL(weight_channel)(channel)', 'places', String(tall), flipped ? '1' : '0', `to + channel * ${tall}`, `(${channels} - channel) * ${tall}`, String(this.#weightStep), `from + KERNEL(weight_channel)(channel + ${channelsAhead} < ${channels} ? channel + ${channelsAhead} : channel)`)};
}`;
  }

  #runBody(): string {
    const { inputs, lanes, batches, outputs, channels, images, height, width, inputRow, tall, panelVectors, pieceTiles, piecesWide, tileRows, blockRows } = this.#plan;
    const { products, outputs: outputPlace } = this.#places;
    const panel = panelVectors * lanes;
    const pieces = this.#vectors * this.#pieces;
    const perRow = Math.ceil(width / lanes);
    // The first column of a last tile that lies beyond the image.
    const right = width % side === 0 ? size : (width % side) + 2;
    const finish = this.#tight
      ? `KERNEL(epilogue)(arguments, batch, output, 1, begin * ${(side * width) / lanes}, (count * ${side * width} + ${lanes - 1}) / ${lanes}, 0, outputs, flags);`
      : `for (int64_t i = 0; i < count; i++) {
const int64_t image = (begin + i) / ${tileRows}, top = (begin + i) % ${tileRows} * ${side};
for (int64_t y = 0; y < ${side} && top + y < ${height}; y++)
KERNEL(epilogue)(arguments, batch, output, 1, (image * ${height} + top + y) * ${perRow}, ${perRow}, 0, outputs + (${side} * i + y) * ${this.#outputRow}, flags);
}`;
    return `float *const inputs = (float *)scratch, *const products = inputs + ${products}, *const outputs = inputs + ${outputPlace};
const int64_t offsets[] = {${Array.from({ length: panelVectors }, (_, i) => i * lanes).join(', ')}};
int64_t places[${pieces}], ends[${pieces}], results[${pieces}];
int32_t inside[${this.#vectors * lanes}];
for (int64_t unit = first; unit < end; unit++) {
const int64_t block = unit % ${this.#blocks}, batch = unit / ${this.#blocks};
const int64_t begin = block * ${blockRows}, count = ${images * tileRows} - begin < ${blockRows} ? ${images * tileRows} - begin : ${blockRows};
const float *const from = b${inputs.buffer} + ${inputs.offset}${batches === 1 ? '' : ' + KERNEL(input_batch)(batch)'};
const float *const weights = (const float *)shared + batch * ${positions * this.#weightStep};
const int64_t vectors = (count * ${piecesWide} + ${this.#pieces - 1}) / ${this.#pieces}, panels = (vectors + ${panelVectors - 1}) / ${panelVectors};
for (int64_t piece = 0; piece < vectors * ${this.#pieces}; piece++) {
const int exists = piece < count * ${piecesWide};
const int64_t i = exists ? piece / ${piecesWide} : count - 1, x = exists ? piece % ${piecesWide} : 0;
const int64_t top = (begin + i) % ${tileRows} * ${side}, left = ${height + 1} - top;
places[piece] = KERNEL(input_image)((begin + i) / ${tileRows}) + top * ${inputRow} + x * ${side * pieceTiles};
ends[piece] = (left < ${size - 1} ? left : ${size - 1}) * ${inputRow};
results[piece] = exists ? i * ${side * this.#outputRow} + x * ${side * pieceTiles} : ${blockRows * side * this.#outputRow};
for (int64_t tile = 0; tile < ${pieceTiles}; tile++)
inside[piece / ${this.#pieces} * ${lanes} + (piece % ${this.#pieces} / 4 * ${pieceTiles} + tile) * 4 + piece % 4] = x * ${pieceTiles} + tile == ${Math.ceil(width / side) - 1} ? 0 : -1;
}
for (int64_t channel = 0; channel < ${channels}; channel++)
for (int64_t vector = 0; vector < vectors; vector++)
${call('winograd_input', lanes, 'from + KERNEL(input_channel)(channel)', `places + vector * ${this.#pieces}`, `ends + vector * ${this.#pieces}`, String(inputRow), String(right), `inside + vector * ${lanes}`, `inputs + channel * ${this.#pitch} + vector * ${lanes}`, String(this.#inputStep), `from + KERNEL(input_channel)(channel + ${channelsAhead} < ${channels} ? channel + ${channelsAhead} : channel)`)};
for (int64_t position = 0; position < ${positions}; position++)
for (int64_t panel = 0; panel < panels; panel++)
for (int64_t tile = 0; tile < ${this.#outputTiles}; tile++) {
const float *const packed = weights + position * ${this.#weightStep} + tile * ${channels * tall};
float *const sums = products + position * ${this.#productStep} + (panel * ${this.#outputTiles} + tile) * ${tall * panel};
for (int64_t k = 0; k < ${channels}; k += ${chunk})
${tileName(this.#tile)}(packed + k * ${tall}, 0, NULL, inputs + position * ${this.#inputStep} + panel * ${panel}, offsets, ${this.#pitch}, NULL, k, k + ${chunk} < ${channels} ? k + ${chunk} : ${channels}, sums);
}
for (int64_t output = 0; output < ${outputs}; output++) {
for (int64_t vector = 0; vector < vectors; vector++) {
const float *const sums = products + (vector / ${panelVectors} * ${this.#outputTiles * tall} + output) * ${panel} + vector % ${panelVectors} * ${lanes};
${call('winograd_output', lanes, 'sums', String(this.#productStep), 'outputs', `results + vector * ${this.#pieces}`, String(this.#outputRow))};
}
${finish}
}
}`;
  }
}
