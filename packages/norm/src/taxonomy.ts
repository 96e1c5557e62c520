// The master table: every method as a choice of statistics (whose, over which axes, centred or not, what is divided by),
// of what is learned and of what is kept. Tests hold each row to the code; the README's table is made of it.

/** Whose statistics a method takes in training. */
export type Source =
  /** Each sample's own. */
  | 'sample'
  /** A window of each sample around the value. */
  | 'window'
  /** The batch's. */
  | 'batch'
  /** Several batches'. */
  | 'batches'
  /** A learned or fixed mixture of the batch's and the sample's. */
  | 'mixture'
  /** None that move: those that a finished training left. */
  | 'running'
  /** The weights'. */
  | 'weights'
  /** None. */
  | 'none';

/** One row. Axes are those of images [N, C, H, W]; of weights [out, in, kh, kw] where the source is the weights. */
export interface MethodRow {
  /** Name of the component. */
  readonly name: string;
  /** Name of the class. */
  readonly layer: string;
  readonly source: Source;
  /** What shares one statistic. */
  readonly over: string;
  readonly centred: boolean;
  /** What is divided by. */
  readonly divisor: string;
  /** Names of what is learned, besides those of a wrapped layer. */
  readonly learns: readonly string[];
  /** Names of what is kept. */
  readonly keeps: readonly string[];
  /** What evaluation takes instead: nothing else (`same`), running statistics, … */
  readonly evaluation: 'same' | 'running' | 'running, sample' | 'reference';
  /** Authors and year. */
  readonly paper: string;
}

const affine = ['bias', 'weight'];
const running = ['runningMean', 'runningVar'];
const std = 'standard deviation';
const rms = 'root mean square';

/** All methods of kind `norm`. */
export const methodTable: readonly MethodRow[] = [
  { name: 'layer', layer: 'ChannelLayerNorm', source: 'sample', over: 'C, H, W (or C)', centred: true, divisor: std, learns: affine, keeps: [], evaluation: 'same', paper: 'Ba, Kiros & Hinton 2016' },
  { name: 'group', layer: 'GroupNorm', source: 'sample', over: 'C / groups, H, W', centred: true, divisor: std, learns: affine, keeps: [], evaluation: 'same', paper: 'Wu & He 2018' },
  { name: 'instance', layer: 'InstanceNorm', source: 'sample', over: 'H, W', centred: true, divisor: std, learns: [], keeps: [], evaluation: 'same', paper: 'Ulyanov, Vedaldi & Lempitsky 2016' },
  { name: 'rms', layer: 'ChannelRMSNorm', source: 'sample', over: 'C (or C, H, W)', centred: false, divisor: rms, learns: ['weight'], keeps: [], evaluation: 'same', paper: 'Zhang & Sennrich 2019' },
  { name: 'pixel', layer: 'ChannelRMSNorm', source: 'sample', over: 'C', centred: false, divisor: rms, learns: [], keeps: [], evaluation: 'same', paper: 'Karras et al. 2018' },
  { name: 'positional', layer: 'PositionalNorm', source: 'sample', over: 'C', centred: true, divisor: std, learns: [], keeps: [], evaluation: 'same', paper: 'Li et al. 2019' },
  { name: 'simple', layer: 'SimpleNorm', source: 'sample', over: 'C', centred: false, divisor: std, learns: ['weight'], keeps: [], evaluation: 'same', paper: 'timm' },
  { name: 'unit', layer: 'UnitNorm', source: 'sample', over: 'C', centred: false, divisor: 'length', learns: [], keeps: [], evaluation: 'same', paper: 'Keras' },
  { name: 'filter-response', layer: 'FilterResponseNorm', source: 'sample', over: 'H, W', centred: false, divisor: rms, learns: [...affine, 'threshold'].toSorted(), keeps: [], evaluation: 'same', paper: 'Singh & Krishnan 2019' },
  { name: 'global-response', layer: 'GlobalResponseNorm', source: 'sample', over: 'H, W, relative to C', centred: false, divisor: 'mean length', learns: affine, keeps: [], evaluation: 'same', paper: 'Woo et al. 2023' },
  { name: 'evo-s0', layer: 'EvoNormS0', source: 'sample', over: 'C / groups, H, W', centred: false, divisor: std, learns: ['bias', 'gate', 'weight'], keeps: [], evaluation: 'same', paper: 'Liu et al. 2020' },
  { name: 'conditional-instance', layer: 'ConditionalInstanceNorm', source: 'sample', over: 'H, W', centred: true, divisor: std, learns: ['scale.weight', 'shift.weight'], keeps: [], evaluation: 'same', paper: 'Dumoulin, Shlens & Kudlur 2017' },
  { name: 'adaptive-instance', layer: 'AdaptiveInstanceNorm', source: 'sample', over: 'H, W', centred: true, divisor: std, learns: [], keeps: [], evaluation: 'same', paper: 'Huang & Belongie 2017' },
  { name: 'film-group', layer: 'FilmGroupNorm', source: 'sample', over: 'C / groups, H, W', centred: true, divisor: std, learns: ['condition.bias', 'condition.weight', 'norm.bias', 'norm.weight'], keeps: [], evaluation: 'same', paper: 'Perez et al. 2017; Dhariwal & Nichol 2021' },
  { name: 'adaptive-layer', layer: 'AdaptiveLayerNorm', source: 'sample', over: 'C, H, W', centred: true, divisor: std, learns: ['condition.bias', 'condition.weight'], keeps: [], evaluation: 'same', paper: 'Peebles & Xie 2022' },
  { name: 'local-response', layer: 'LocalResponseNorm', source: 'window', over: 'n of C (or n × n of H, W)', centred: false, divisor: '(k + α Σ x²)^β', learns: [], keeps: [], evaluation: 'same', paper: 'Krizhevsky, Sutskever & Hinton 2012' },
  { name: 'divisive', layer: 'DivisiveNorm', source: 'window', over: 'C, n × n of H, W', centred: true, divisor: '√(σ² + variance)', learns: [], keeps: [], evaluation: 'same', paper: 'Ren et al. 2017' },
  { name: 'batch', layer: 'BatchNorm', source: 'batch', over: 'N, H, W', centred: true, divisor: std, learns: affine, keeps: running, evaluation: 'running', paper: 'Ioffe & Szegedy 2015' },
  { name: 'synchronized-batch', layer: 'SyncBatchNorm', source: 'batch', over: 'N of all replicas, H, W', centred: true, divisor: std, learns: affine, keeps: running, evaluation: 'running', paper: 'Peng et al. 2018' },
  { name: 'ghost-batch', layer: 'GhostBatchNorm', source: 'batch', over: 'N / parts, H, W', centred: true, divisor: std, learns: affine, keeps: running, evaluation: 'running', paper: 'Hoffer, Hubara & Soudry 2017' },
  { name: 'split-batch', layer: 'SplitBatchNorm', source: 'batch', over: 'N / parts, H, W', centred: true, divisor: std, learns: [0, 1].flatMap((i) => affine.map((name) => `norms.${i}.${name}`)), keeps: [0, 1].flatMap((i) => running.map((name) => `norms.${i}.${name}`)), evaluation: 'running', paper: 'Xie et al. 2020' },
  { name: 'in-place-batch', layer: 'InPlaceBatchNorm', source: 'batch', over: 'N, H, W', centred: true, divisor: std, learns: affine, keeps: running, evaluation: 'running', paper: 'Rota Bulò, Porzi & Kontschieder 2018' },
  { name: 'extended-batch', layer: 'ExtendedBatchNorm', source: 'batch', over: 'N, H, W; scale: N, C, H, W', centred: true, divisor: std, learns: affine, keeps: running, evaluation: 'running', paper: 'Luo et al. 2020' },
  { name: 'mean-only-batch', layer: 'MeanOnlyBatchNorm', source: 'batch', over: 'N, H, W', centred: true, divisor: 'nothing', learns: ['bias'], keeps: ['runningMean'], evaluation: 'running', paper: 'Salimans & Kingma 2016' },
  { name: 'batch-renorm', layer: 'BatchRenorm', source: 'batch', over: 'N, H, W, corrected to running', centred: true, divisor: std, learns: affine, keeps: ['runningMean', 'runningStd', 'steps'], evaluation: 'running', paper: 'Ioffe 2017' },
  { name: 'recurrent-batch', layer: 'RecurrentBatchNorm', source: 'batch', over: 'N, at each step', centred: true, divisor: std, learns: affine, keeps: ['longest', ...running], evaluation: 'running', paper: 'Cooijmans et al. 2016' },
  { name: 'decorrelated', layer: 'DecorrelatedBatchNorm', source: 'batch', over: 'N, H, W, jointly over C', centred: true, divisor: 'matrix: covariance^½', learns: affine, keeps: ['runningCovariance', 'runningMean'], evaluation: 'running', paper: 'Huang et al. 2018' },
  { name: 'iterative', layer: 'IterNorm', source: 'batch', over: 'N, H, W, jointly over C', centred: true, divisor: 'matrix: near covariance^½', learns: affine, keeps: ['runningCovariance', 'runningMean'], evaluation: 'running', paper: 'Huang et al. 2019' },
  { name: 'evo-b0', layer: 'EvoNormB0', source: 'batch', over: 'N, H, W and H, W', centred: false, divisor: std, learns: ['bias', 'gate', 'weight'], keeps: running, evaluation: 'running', paper: 'Liu et al. 2020' },
  { name: 'cross-mini-batch', layer: 'CrossMiniBatchNorm', source: 'batches', over: 'N of mini-batches 1 … i, H, W', centred: true, divisor: std, learns: affine, keeps: [...running, 'windowCount', 'windowMean', 'windowSquare'], evaluation: 'running', paper: 'Bochkovskiy, Wang & Liao 2020' },
  { name: 'cross-iteration', layer: 'CrossIterationBatchNorm', source: 'batches', over: 'N of the last k batches, H, W', centred: true, divisor: std, learns: affine, keeps: ['iterations', ...[0, 1, 2].flatMap((i) => ['mean', 'meanSlope', 'square', 'squareSlope', 'weight'].map((name) => `past.${i}.${name}`)), ...running], evaluation: 'running', paper: 'Yao et al. 2020' },
  { name: 'eval', layer: 'EvalNorm', source: 'batch', over: 'N, H, W', centred: true, divisor: std, learns: affine, keeps: running, evaluation: 'running, sample', paper: 'Singh & Shrivastava 2019' },
  { name: 'virtual-batch', layer: 'VirtualBatchNorm', source: 'mixture', over: 'a reference batch and H, W', centred: true, divisor: std, learns: affine, keeps: ['referenceMean', 'referenceVar'], evaluation: 'reference', paper: 'Salimans et al. 2016' },
  { name: 'switchable', layer: 'SwitchableNorm', source: 'mixture', over: 'H, W; C, H, W; N, H, W', centred: true, divisor: std, learns: ['bias', 'meanLogits', 'varianceLogits', 'weight'], keeps: running, evaluation: 'running, sample', paper: 'Luo et al. 2018' },
  { name: 'frozen-batch', layer: 'FrozenBatchNorm', source: 'running', over: '', centred: true, divisor: std, learns: [], keeps: ['frozenBias', 'frozenWeight', ...running], evaluation: 'same', paper: '' },
  { name: 'weight', layer: 'WeightNorm', source: 'weights', over: 'in, kh, kw', centred: false, divisor: 'length', learns: ['scale'], keeps: [], evaluation: 'same', paper: 'Salimans & Kingma 2016' },
  { name: 'standardization', layer: 'WeightStandardization', source: 'weights', over: 'in, kh, kw', centred: true, divisor: std, learns: [], keeps: [], evaluation: 'same', paper: 'Qiao et al. 2019' },
  { name: 'scaled-standardization', layer: 'ScaledWeightStandardization', source: 'weights', over: 'in, kh, kw', centred: true, divisor: `${std} · √fan-in`, learns: ['gain'], keeps: [], evaluation: 'same', paper: 'Brock, De & Smith 2021' },
  { name: 'spectral', layer: 'SpectralNorm', source: 'weights', over: 'all', centred: false, divisor: 'largest singular value', learns: [], keeps: ['u', 'v'], evaluation: 'running', paper: 'Miyato et al. 2018' },
  { name: 'cosine', layer: 'CosineNorm', source: 'weights', over: 'in, kh, kw; input: the same patch', centred: false, divisor: 'length · length', learns: [], keeps: [], evaluation: 'same', paper: 'Luo et al. 2017' },
  { name: 'propagation', layer: 'PropagatedLayer', source: 'weights', over: 'in, kh, kw', centred: false, divisor: 'length', learns: ['scale'], keeps: [], evaluation: 'same', paper: 'Arpit et al. 2016' },
  { name: 'dynamic-tanh', layer: 'DynamicTanh', source: 'none', over: '', centred: false, divisor: 'nothing: tanh(α x)', learns: ['alpha', ...affine], keeps: [], evaluation: 'same', paper: 'Zhu et al. 2025' },
  { name: 'dynamic-erf', layer: 'DynamicErf', source: 'none', over: '', centred: false, divisor: 'nothing: erf(α x + s)', learns: ['alpha', 'bias', 'offset', 'weight'], keeps: [], evaluation: 'same', paper: 'Chen et al. 2025' },
  { name: 'layer-scale', layer: 'LayerScale', source: 'none', over: '', centred: false, divisor: 'nothing', learns: ['weight'], keeps: [], evaluation: 'same', paper: 'Touvron et al. 2021' },
];
