// Weight gradients of 3 × 3 convolutions by minimal filtering F(3 × 3, 4 × 4): tiles of 4 × 4 incoming gradients slide over
// tiles of 6 × 6 inputs. Σ over tiles of (G g Gᵀ) ⊙ (Bᵀ d B) is 36 matrix products; one Aᵀ m A at the end gives the 3 × 3 taps.
import { loopCount, type ContractKernel } from '@athanor/core/backend';
import { functionText, type Phase, type Source, type Target } from '../source.ts';
import { call } from '../text.ts';
import { EpilogueWriter } from './epilogue.ts';
import { mergeAxis, offsetFunction, operandOf, type Axis, type Operand } from './operand.ts';
import { registersOf } from './plan.ts';
import { tileFunction, tileName, type Tile } from './tile.ts';

/** Gradients of a tile in one direction, its inputs, and positions of a transformed tile. */
const side = 4;
const size = 6;
const positions = size ** 2;
const taps = 9;
/** Bytes of transformed tiles that a block may take: they should stay in the second-level cache. */
const blockBytes = 400 * 1024;
/** Bytes of the sums of a unit of work: reading them for each block costs less than transforming gradients for more units. */
const sumBytes = 1280 * 1024;
const mostTiles = 192;
/** Bytes of one row of tiles: wider images are cut the plain way. */
const widestRow = 1024 * 1024;
/** Channels of a unit of work are a multiple of this. */
const channelStep = 32;
/** Parts of the tiles that are summed apart, and tiles of a part that are worth it. */
const mostParts = 8;
const partTiles = 96;
/** Vectors of a panel of channels. */
const panelVectors = 2;
/** Rows of tiles that images are asked for ahead. */
const rowsAhead = 2;
const slack = 256;

/** How the work is cut: by shape alone, for it decides the order of sums. */
interface Cut {
  readonly outputs: number;
  readonly channels: number;
  /** Channels of a unit of work. */
  readonly unitChannels: number;
  readonly images: number;
  readonly height: number;
  readonly width: number;
  /** Tiles of a tile row; tile rows of an image, a block, a part, and all of them. */
  readonly tilesWide: number;
  readonly tileRows: number;
  readonly blockRows: number;
  readonly partRows: number;
  readonly totalRows: number;
}

/**
 * How a weight gradient is computed this way: 3 × 3, stride 1, float32, with so many channels that the transforms pay;
 * undefined for other contractions.
 */
export function gradientCut(kernel: ContractKernel): Cut | undefined {
  const { combine, dtype, batch, m, n, k, a, b } = kernel;
  const [ky, kx] = n.slice(-2);
  const [height = 0, width = 0] = k.slice(-2);
  if (combine !== 'multiply-add' || dtype !== 'float32' || n.length < 3 || k.length < 2 || ky !== 3 || kx !== 3) return undefined;
  if (kernel.epilogue.some((instruction) => instruction.dtype === 'float64')) return undefined;
  const [endN, endK] = [batch.length + m.length + n.length, batch.length + m.length + n.length + k.length];
  const strideA = (loop: number): number => a.index.strides[loop] ?? 0;
  const strideB = (loop: number): number => b.index.strides[loop] ?? 0;
  const plain = strideA(endK - 1) === 1 && strideB(endK - 1) === 1 && strideB(endN - 1) === 1 && strideB(endN - 2) === strideB(endK - 2);
  if (!plain || height < 4 || width < 4) return undefined;
  const [outputs, channels, images] = [loopCount(m), loopCount(n.slice(0, -2)), loopCount(k.slice(0, -2))];
  const [tilesWide, tileRows] = [Math.ceil(width / side), Math.ceil(height / side)];
  // Vector operations for a vector of tiles: products, transforms of inputs and of gradients; against the plain way.
  const waste = (tilesWide * tileRows * side ** 2) / (height * width);
  if (outputs < 8 || channels < 8 || (positions * channels * outputs + 300 * channels + 250 * outputs) * waste >= 132 * channels * outputs) return undefined;

  const fitting = Math.floor(sumBytes / (positions * 4 * outputs) / channelStep) * channelStep;
  const unitChannels = Math.min(channels, Math.max(channelStep, fitting));
  const tileBytes = positions * 4 * (outputs + unitChannels);
  if (tilesWide * tileBytes > widestRow) return undefined;
  const totalRows = images * tileRows;
  const parts = Math.max(1, Math.min(mostParts, Math.floor((totalRows * tilesWide) / partTiles)));
  const partRows = Math.ceil(totalRows / parts);
  const blockRows = Math.max(1, Math.min(partRows, Math.floor(Math.min(mostTiles, blockBytes / tileBytes) / tilesWide)));
  return { outputs, channels, unitChannels, images, height, width, tilesWide, tileRows, blockRows, partRows, totalRows };
}

export function winogradGradientSource(kernel: ContractKernel, cut: Cut, target: Target): Source {
  return new GradientWriter(kernel, cut, target).write();
}

/** Odd numbers of cache lines keep rows and planes off each other's cache sets. */
const odd = (elements: number): number => (Math.ceil(elements / 32) * 2 + 1) * 16;

class GradientWriter {
  readonly #kernel: ContractKernel;
  readonly #cut: Cut;
  readonly #lanes: number;
  readonly #gradients: Operand;
  readonly #inputs: Operand;
  readonly #batches: number;
  readonly #parts: number;
  /** Pieces of the channels, one a unit. */
  readonly #slices: number;
  /** Vectors of channels of a unit, and panels of them. */
  readonly #vectors: number;
  readonly #panels: number;
  /** Outputs of a register tile, and tiles. */
  readonly #tall: number;
  readonly #outputTiles: number;
  readonly #tile: Tile;
  /** Elements between tiles, and between positions, of transformed gradients and inputs. */
  readonly #gradientPitch: number;
  readonly #inputPitch: number;
  readonly #gradientStep: number;
  readonly #inputStep: number;
  /** Elements of sums of a register tile, a position and a unit. */
  readonly #tileStep: number;
  readonly #sumStep: number;
  readonly #unitStep: number;

  constructor(kernel: ContractKernel, cut: Cut, target: Target) {
    const { outputs, channels, unitChannels, tilesWide, blockRows, partRows, totalRows } = cut;
    const lanes = target.vectorBytes / 4;
    this.#kernel = kernel;
    this.#cut = cut;
    this.#lanes = lanes;
    this.#gradients = operandOf(kernel, 'a', 'rows');
    this.#inputs = operandOf(kernel, 'b', 'columns');
    this.#batches = loopCount(kernel.batch);
    this.#parts = Math.ceil(totalRows / partRows);
    this.#slices = Math.ceil(channels / unitChannels);
    this.#vectors = Math.ceil(unitChannels / lanes);
    this.#panels = Math.ceil(this.#vectors / panelVectors);
    const width = Math.min(panelVectors, this.#vectors);
    const tallest = Math.min(Math.floor(registersOf(target) / width), outputs);
    this.#outputTiles = Math.ceil(outputs / tallest);
    this.#tall = Math.ceil(outputs / this.#outputTiles);
    const rowPattern = Array.from({ length: this.#tall }, (_, i) => i);
    this.#tile = { height: this.#tall, width, combine: 'multiply-add', register: 'f32', element: 'float', lanes, columns: 'strided', rows: 'strided', rowPattern };
    const tiles = blockRows * tilesWide;
    this.#gradientPitch = odd(Math.max(this.#outputTiles * this.#tall, Math.ceil(outputs / lanes) * lanes));
    this.#inputPitch = odd(this.#panels * width * lanes);
    this.#gradientStep = odd(tiles * this.#gradientPitch);
    this.#inputStep = odd(tiles * this.#inputPitch);
    this.#tileStep = this.#tall * width * lanes;
    this.#sumStep = odd(this.#panels * this.#outputTiles * this.#tileStep);
    this.#unitStep = positions * this.#sumStep;
  }

  write(): Source {
    const { batch, m, n, k, a, b } = this.#kernel;
    const startK = batch.length + m.length + n.length;
    const axis = ({ index }: typeof a, loops: readonly number[], first: number): Axis => mergeAxis({ loops, strides: index.strides.slice(first, first + loops.length) });
    const epilogue = new EpilogueWriter(this.#kernel, { lanes: this.#lanes, stretch: this.#cut.channels * taps, register: 'f32', rows: this.#gradients });
    const text = [
      offsetFunction('output_offset', this.#gradients.own),
      offsetFunction('gradient_batch', this.#gradients.batch),
      offsetFunction('gradient_image', axis(a, k.slice(0, -2), startK)),
      offsetFunction('channel_offset', axis(b, n.slice(0, -2), batch.length + m.length)),
      offsetFunction('input_batch', this.#inputs.batch),
      offsetFunction('input_image', axis(b, k.slice(0, -2), startK)),
      epilogue.write('epilogue'),
      functionText('sum', this.#kernel.buffers, this.#sumBody()),
      functionText('run', this.#kernel.buffers, this.#tapBody()),
    ];
    const tiles = this.#vectors % this.#tile.width === 0 ? [this.#tile] : [this.#tile, this.#narrow];
    return { text: text.join(''), phases: this.#phases(), lanes: [this.#lanes], helpers: tiles.map((tile) => ({ name: tileName(tile), text: tileFunction(tile) })) };
  }

  /** The tile of a last panel of one vector. */
  get #narrow(): Tile {
    return { ...this.#tile, width: 1 };
  }

  get #units(): number {
    return this.#batches * this.#slices * this.#parts;
  }

  /** Elements of a row of taps: those of all channels, whole vectors. */
  get #tapRow(): number {
    return ((this.#slices - 1) * this.#cut.unitChannels + this.#vectors * this.#lanes) * taps;
  }

  #phases(): Phase[] {
    const { outputs, channels, totalRows, tilesWide } = this.#cut;
    const sums = this.#batches * outputs * channels;
    return [
      { name: 'sum', units: this.#units, scratch: this.#places.total * 4 + slack, shared: this.#units * this.#unitStep * 4 + slack, nanoseconds: (sums * totalRows * tilesWide * 8) / 5 },
      { name: 'run', units: this.#batches * this.#outputTiles, scratch: this.#tall * this.#tapRow * 4 + slack, shared: 0, nanoseconds: sums * (this.#parts + taps) },
    ];
  }

  /** Where transformed tiles and image rows whose lanes are channels lie in scratch, in elements. A tile's room stands first. */
  get #places(): { gradients: number; inputs: number; rows: number; row: number; total: number } {
    const gradients = this.#gradientPitch;
    const inputs = gradients + positions * this.#gradientStep + this.#inputPitch;
    const rows = inputs + positions * this.#inputStep;
    const row = (side * this.#cut.tilesWide + 2) * this.#lanes;
    return { gradients, inputs, rows, row, total: rows + (size + 1) * row };
  }

  #sumBody(): string {
    const { unitChannels, channels, blockRows, partRows, totalRows, tilesWide } = this.#cut;
    const { gradients, inputs, rows, row } = this.#places;
    const { width } = this.#tile;
    const shift = `(begin == from ? 0 : 1)`;
    const product = (tile: Tile): string =>
      `${tileName(tile)}(rows + tile * ${this.#tall}, ${this.#gradientPitch}, NULL, columns + panel * ${width * this.#lanes}, offsets, ${this.#inputPitch}, NULL, old, old + count * ${tilesWide}, sums + position * ${this.#sumStep} + (panel * ${this.#outputTiles} + tile) * ${this.#tileStep});`;
    const narrow = this.#vectors % width === 0 ? '' : `if (panel == ${this.#panels - 1}) ${product(this.#narrow)} else `;
    return `float *const gradients = (float *)scratch + ${gradients}, *const inputs = (float *)scratch + ${inputs}, *const turned = (float *)scratch + ${rows};
float *const nothing = turned + ${size * row};
const int64_t offsets[] = {${Array.from({ length: width }, (_, i) => i * this.#lanes).join(', ')}};
memset(nothing, 0, ${row} * sizeof *nothing);
for (int64_t unit = first; unit < end; unit++) {
const int64_t part = unit % ${this.#parts}, slice = unit / ${this.#parts} % ${this.#slices}, batch = unit / ${this.#parts * this.#slices};
const int64_t from = part * ${partRows}, to = from + ${partRows} < ${totalRows} ? from + ${partRows} : ${totalRows};
const int64_t channel = slice * ${unitChannels}, channels = ${channels} - channel < ${unitChannels} ? ${channels} - channel : ${unitChannels};
const float *const gradient = b${this.#gradients.buffer} + ${this.#gradients.offset} + KERNEL(gradient_batch)(batch);
const float *const input = b${this.#inputs.buffer} + ${this.#inputs.offset} + KERNEL(input_batch)(batch);
float *const sums = (float *)shared + unit * ${this.#unitStep};
for (int64_t begin = from; begin < to; begin += ${blockRows}) {
const int64_t count = to - begin < ${blockRows} ? to - begin : ${blockRows};
${this.#gradientText()}
${this.#inputText()}
const int64_t old = ${shift};
for (int64_t position = 0; position < ${positions}; position++) {
const float *const rows = gradients + position * ${this.#gradientStep} - old * ${this.#gradientPitch};
const float *const columns = inputs + position * ${this.#inputStep} - old * ${this.#inputPitch};
for (int64_t panel = 0; panel < ${this.#panels}; panel++)
for (int64_t tile = 0; tile < ${this.#outputTiles}; tile++)
${narrow}${product(this.#tile)}
}
}
}`;
  }

  /** Elements of neighbouring rows of an image. */
  #rowStride({ side }: Operand): number {
    const { batch, m, n, k } = this.#kernel;
    return this.#kernel[side].index.strides[batch.length + m.length + n.length + k.length - 2] ?? 0;
  }

  /** Declares `ahead`: the first row of the tiles that come some rows of tiles later. */
  #aheadText(operand: 'gradient' | 'input', row: number): string {
    const { tileRows, totalRows } = this.#cut;
    return `const int64_t later = begin + i + ${rowsAhead} < ${totalRows} ? begin + i + ${rowsAhead} : ${totalRows - 1};
const float *const ahead = ${operand} + KERNEL(${operand}_image)(later / ${tileRows}) + later % ${tileRows} * ${side * row};`;
  }

  /** G g Gᵀ of a block; lanes are outputs. */
  #gradientText(): string {
    const { outputs, height, width, tilesWide, tileRows } = this.#cut;
    const row = this.#rowStride(this.#gradients);
    const lanes = this.#lanes;
    return `for (int64_t output = 0; output < ${outputs}; output += ${lanes}) {
int64_t places[${lanes}];
for (int64_t i = 0; i < ${lanes}; i++) places[i] = KERNEL(output_offset)(output + i < ${outputs} ? output + i : ${outputs - 1});
for (int64_t i = 0; i < count; i++) {
const int64_t top = (begin + i) % ${tileRows} * ${side};
const float *const line = gradient + KERNEL(gradient_image)((begin + i) / ${tileRows}) + top * ${row};
const float *lines[${side}];
${this.#aheadText('gradient', row)}
for (int64_t y = 0; y < ${side}; y++) {
float *const own = turned + y * ${this.#places.row};
lines[y] = top + y < ${height} ? own : nothing;
if (top + y < ${height}) ${call('winograd_turn', lanes, `line + y * ${row}`, 'places', String(width), String(side * tilesWide), 'own', `ahead + y * ${row}`)};
}
${call('winograd_gradient', lanes, 'lines', String(tilesWide), `gradients + i * ${tilesWide * this.#gradientPitch} + output`, String(this.#gradientPitch), String(this.#gradientStep))};
}
}`;
  }

  /** Bᵀ d B of a block; lanes are channels. Rows of tiles share two rows of the image. */
  #inputText(): string {
    const { height, width, tilesWide, tileRows } = this.#cut;
    const row = this.#rowStride(this.#inputs);
    const { row: turnedRow } = this.#places;
    const lanes = this.#lanes;
    return `for (int64_t lane = 0; lane < channels; lane += ${lanes}) {
int64_t places[${lanes}];
for (int64_t i = 0; i < ${lanes}; i++) places[i] = KERNEL(channel_offset)(channel + (lane + i < channels ? lane + i : channels - 1));
for (int64_t i = 0; i < count; i++) {
const int64_t top = (begin + i) % ${tileRows} * ${side};
const float *const image = input + KERNEL(input_image)((begin + i) / ${tileRows});
const float *lines[${size}];
${this.#aheadText('input', row)}
for (int64_t y = top; y < top + ${size}; y++) {
float *const own = turned + y % ${size} * ${turnedRow};
lines[y - top] = y < ${height + 2} ? own : nothing;
if (y < ${height + 2} && (i == 0 || top == 0 || y > top + 1)) ${call('winograd_turn', lanes, `image + y * ${row}`, 'places', String(width + 2), String(side * tilesWide + 2), 'own', `ahead + y % ${side} * ${row}`)};
}
${call('winograd_columns', lanes, 'lines', String(tilesWide), `inputs + i * ${tilesWide * this.#inputPitch} + lane`, String(this.#inputPitch), String(this.#inputStep))};
}
}`;
  }

  /** Aᵀ m A of the sums of all parts, and what follows. */
  #tapBody(): string {
    const { outputs, channels, unitChannels } = this.#cut;
    const { width } = this.#tile;
    const lanes = this.#lanes;
    const tall = this.#tall;
    const rowWidth = `(panel == ${this.#panels - 1} ? ${(this.#vectors - (this.#panels - 1) * width) * lanes} : ${width * lanes})`;
    return `float *const taps = (float *)scratch;
for (int64_t unit = first; unit < end; unit++) {
const int64_t tile = unit % ${this.#outputTiles}, batch = unit / ${this.#outputTiles};
const int64_t output = tile * ${tall}, rows = ${outputs} - output < ${tall} ? ${outputs} - output : ${tall};
for (int64_t row = 0; row < rows; row++)
for (int64_t slice = 0; slice < ${this.#slices}; slice++)
for (int64_t vector = 0; vector < ${this.#vectors}; vector++) {
const int64_t panel = vector / ${width};
const float *const sums = (const float *)shared + (batch * ${this.#slices} + slice) * ${this.#parts * this.#unitStep} + (panel * ${this.#outputTiles} + tile) * ${this.#tileStep} + row * ${rowWidth} + vector % ${width} * ${lanes};
if (slice * ${unitChannels} + vector * ${lanes} < ${channels})
${call('winograd_taps', lanes, 'sums', String(this.#unitStep), String(this.#parts), String(this.#sumStep), `taps + row * ${this.#tapRow} + (slice * ${unitChannels} + vector * ${lanes}) * ${taps}`)};
}
KERNEL(epilogue)(arguments, batch, output, rows, 0, ${Math.ceil((channels * taps) / lanes)}, ${this.#tapRow / lanes}, taps, flags);
}`;
  }
}
