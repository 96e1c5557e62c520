// Which method is invariant to what: the expected table, the layers that it speaks of, and the comparison of both.
// Rows of BN, LN and WN are those of Ba, Kiros & Hinton 2016 (arXiv 1607.06450), table 1.
import type { Dtype, Tensor } from '@athanor/core';
import { Identity, Module, type TensorModule } from '@athanor/core/nn';
import { BatchNorm } from '../batch/batch.ts';
import { CrossIterationBatchNorm, CrossMiniBatchNorm } from '../batch/cross-batch.ts';
import { InPlaceBatchNorm } from '../batch/in-place.ts';
import { EvoNormB0, ExtendedBatchNorm, GhostBatchNorm, MeanOnlyBatchNorm } from '../batch/relatives.ts';
import { BatchRenorm } from '../batch/renorm.ts';
import { SplitBatchNorm } from '../batch/split.ts';
import { SyncBatchNorm } from '../batch/synchronized.ts';
import { VirtualBatchNorm } from '../batch/virtual.ts';
import { DecorrelatedBatchNorm, IterNorm } from '../batch/whitening.ts';
import { AdaptiveInstanceNorm } from '../conditional/style.ts';
import { DivisiveNorm } from '../local/divisive.ts';
import { LocalResponseNorm } from '../local/local-response.ts';
import { EvalNorm } from '../mixture/eval.ts';
import { SwitchableNorm } from '../mixture/switchable.ts';
import { DynamicErf, DynamicTanh, LayerScale } from '../none/elementwise.ts';
import { FilterResponseNorm } from '../sample/filter-response.ts';
import { EvoNormS0, GlobalResponseNorm, PositionalNorm, SimpleNorm, UnitNorm } from '../sample/relatives.ts';
import { ChannelLayerNorm, ChannelRMSNorm, GroupNorm, InstanceNorm } from '../sample/sample.ts';
import { FrozenBatchNorm } from '../surgery/swap.ts';
import { CosineNorm } from '../weights/cosine.ts';
import type { Reparametrization } from '../weights/layer.ts';
import { PropagatedActivation, PropagatedLayer } from '../weights/propagation.ts';
import { SpectralNorm } from '../weights/spectral.ts';
import { ScaledWeightStandardization, WeightStandardization } from '../weights/standardization.ts';
import { WeightNorm } from '../weights/weight-norm.ts';
import { changeNames, forwardChanges, gradientLaw, makeSubject, normGrowth, normalTensor, sampleChecks, subjectSizes, type Change, type GradientLaw, type SampleChecks, type Subject } from './invariance.ts';

/** A method as the table has it. */
export interface TableRow {
  readonly name: string;
  readonly input: 'dense' | 'image';
  /** y or n for each change, in the order of `changeNames`. */
  readonly expected: string;
  /** Whether a sample's output in training is the same whatever else is in the batch. */
  readonly alone: boolean;
  /** Whether training and evaluation compute the same from the start; undefined where it depends on how far an iteration has come. */
  readonly modeless: boolean | undefined;
  /** The normalization of units, or the reparametrization of weights, that the row is about. */
  readonly make: (dtype: Dtype) => { readonly norm?: (units: number) => TensorModule; readonly weighted?: Reparametrization };
}

const plain: Reparametrization = (layer) => layer;
const identity = (): TensorModule => new Identity();
const eps = 0;

function row(name: string, input: TableRow['input'], expected: string, about: { readonly alone: boolean; readonly modeless?: boolean | undefined }, make: TableRow['make']): TableRow {
  return { name, input, expected: expected.replaceAll(' ', ''), alone: about.alone, modeless: 'modeless' in about ? about.modeless : about.alone, make };
}

const alone = { alone: true };
const together = { alone: false };

/** Adaptive instance normalization towards pictures that stay the same. */
class Styled extends Module {
  readonly norm = new AdaptiveInstanceNorm({ eps });
  readonly style: Tensor;

  constructor(style: Tensor) {
    super();
    this.style = style;
  }

  override forward(x: Tensor): Tensor {
    return this.norm.forward(x, this.style);
  }
}

/** The table. All statistics are taken with ε = 0, where the statements are exact. */
export const truthTable: readonly TableRow[] = [
  row('none', 'dense', 'nnnn nnnn', alone, () => ({})),
  // Statistics of the batch
  row('batch', 'dense', 'yynn ynyn', together, (dtype) => ({ norm: (units) => new BatchNorm(units, { eps, dtype }) })),
  row('batch, images', 'image', 'yynn ynyn', together, (dtype) => ({ norm: (units) => new BatchNorm(units, { eps, dtype }) })),
  row('ghost batch', 'dense', 'yynn ynyn', together, (dtype) => ({ norm: (units) => new GhostBatchNorm(units, { eps, dtype, samples: subjectSizes.samples / 2 }) })),
  row('synchronized, two replicas', 'dense', 'yynn ynyn', together, (dtype) => ({ norm: (units) => new SyncBatchNorm(units, { eps, dtype, replicas: 2 }) })),
  row('split batch', 'dense', 'yynn ynyn', together, (dtype) => ({ norm: (units) => new SplitBatchNorm(units, { eps, dtype }) })),
  row('in-place batch', 'dense', 'yynn ynyn', together, (dtype) => ({ norm: (units) => new InPlaceBatchNorm(units, { eps, dtype }) })),
  row('virtual batch', 'dense', 'yynn ynyn', together, (dtype) => ({ norm: (units) => new VirtualBatchNorm(units, { eps, dtype, reference: 4 }) })),
  row('frozen batch', 'dense', 'nnnn nnnn', alone, (dtype) => ({ norm: (units) => new FrozenBatchNorm(units, { eps, dtype }) })),
  row('cross mini-batch, first', 'dense', 'yynn ynyn', together, () => ({ norm: (units) => new CrossMiniBatchNorm(units, { eps, dtype: 'float64' }) })),
  row('eval, in training', 'dense', 'yynn ynyn', together, (dtype) => ({ norm: (units) => new EvalNorm(units, { eps, dtype, samples: 2 }) })),
  row('extended batch', 'dense', 'ynnn ynyn', together, (dtype) => ({ norm: (units) => new ExtendedBatchNorm(units, { eps, dtype }) })),
  row('mean-only batch', 'dense', 'nnnn nnyn', together, (dtype) => ({ norm: (units) => new MeanOnlyBatchNorm(units, { dtype }) })),
  row('batch renorm, closed', 'dense', 'yynn ynyn', together, (dtype) => ({ norm: (units) => new BatchRenorm(units, { eps, dtype, rMax: 1, dMax: 0 }) })),
  row('batch renorm, open', 'dense', 'nnnn nnnn', { alone: true, modeless: true }, (dtype) => ({ norm: (units) => new BatchRenorm(units, { eps, dtype, rMax: 1e30, dMax: 1e30 }) })),
  row('decorrelated (ZCA)', 'dense', 'ynnn ynyn', together, (dtype) => ({ norm: (units) => new DecorrelatedBatchNorm(units, { eps, dtype }) })),
  row('iterative', 'dense', 'ynnn ynyn', together, (dtype) => ({ norm: (units) => new IterNorm(units, { eps, dtype }) })),
  row('switchable', 'image', 'ynnn ynnn', together, (dtype) => ({ norm: (units) => new SwitchableNorm(units, { eps, dtype }) })),
  row('EvoNorm-B0', 'image', 'yynn ynnn', together, (dtype) => ({ norm: (units) => new EvoNormB0(units, { eps, dtype }) })),
  row('cross-iteration, first', 'dense', 'yynn ynyn', together, (dtype) => ({ weighted: (layer) => new CrossIterationBatchNorm(layer, { eps, dtype }) })),
  // Statistics of each sample
  row('layer', 'dense', 'ynyn yynn', alone, (dtype) => ({ norm: (units) => new ChannelLayerNorm(units, { eps, dtype }) })),
  row('layer, images', 'image', 'ynnn yynn', alone, (dtype) => ({ norm: (units) => new ChannelLayerNorm(units, { eps, dtype }) })),
  row('group', 'image', 'ynnn yynn', alone, (dtype) => ({ norm: (units) => new GroupNorm(2, units, { eps, dtype }) })),
  row('instance', 'image', 'yynn yyyy', alone, (dtype) => ({ norm: (units) => new InstanceNorm(units, { eps, dtype }) })),
  row('RMS', 'dense', 'ynnn yynn', alone, (dtype) => ({ norm: (units) => new ChannelRMSNorm(units, { eps, dtype }) })),
  row('filter response', 'image', 'yynn yynn', alone, (dtype) => ({ norm: (units) => new FilterResponseNorm(units, { eps, dtype, threshold: false }) })),
  row('pixel', 'image', 'ynnn yynn', alone, (dtype) => ({ norm: (units) => new ChannelRMSNorm(units, { eps, dtype, affine: false }) })),
  row('adaptive instance, one style', 'image', 'yynn yyyy', alone, (dtype) => ({
    norm: (units) => new Styled(normalTensor([subjectSizes.samples, units, subjectSizes.side, subjectSizes.side], 9, dtype).mul(2)),
  })),
  row('positional', 'dense', 'ynyn yynn', alone, () => ({ norm: () => new PositionalNorm({ eps }) })),
  row('simple', 'dense', 'ynnn yynn', alone, (dtype) => ({ norm: (units) => new SimpleNorm(units, { eps, dtype }) })),
  row('unit', 'dense', 'ynnn yynn', alone, () => ({ norm: () => new UnitNorm({ eps }) })),
  row('global response', 'image', 'nnnn nnnn', alone, (dtype) => ({
    norm(units) {
      const norm = new GlobalResponseNorm(units, { eps, dtype });
      norm.weight.assign(0.5);
      return norm;
    },
  })),
  row('EvoNorm-S0', 'image', 'nnnn nnnn', alone, (dtype) => ({ norm: (units) => new EvoNormS0(units, { eps, dtype, groups: 2 }) })),
  row('local response', 'dense', 'nnnn nnnn', alone, () => ({ norm: () => new LocalResponseNorm({ alpha: 1 }) })),
  row('divisive', 'dense', 'nnnn nnnn', alone, (dtype) => ({ norm: (units) => new DivisiveNorm(units, { window: 3, sigma: 0.5, dtype }) })),
  // No statistics
  row('dynamic tanh', 'dense', 'nnnn nnnn', alone, (dtype) => ({ norm: (units) => new DynamicTanh(units, { dtype }) })),
  row('dynamic erf', 'dense', 'nnnn nnnn', alone, (dtype) => ({ norm: (units) => new DynamicErf(units, { dtype }) })),
  row('layer scale', 'dense', 'nnnn nnnn', alone, (dtype) => ({ norm: (units) => new LayerScale(units, { dtype }) })),
  // Statistics of the weights
  row('weight norm', 'dense', 'yynn nnnn', alone, () => ({ weighted: (layer) => new WeightNorm(layer, { init: 'unit' }) })),
  row('weight norm, mean-only batch', 'dense', 'yynn nnyn', together, (dtype) => ({
    weighted: (layer) => new WeightNorm(layer, { init: 'unit' }),
    norm: (units) => new MeanOnlyBatchNorm(units, { dtype }),
  })),
  row('weight standardization', 'dense', 'yyny nnny', alone, () => ({ weighted: (layer) => new WeightStandardization(layer, { eps }) })),
  row('scaled weight standardization', 'dense', 'yyny nnny', alone, () => ({ weighted: (layer) => new ScaledWeightStandardization(layer, { eps }) })),
  row('spectral', 'dense', 'ynnn nnnn', { alone: true, modeless: undefined }, () => ({ weighted: (layer) => new SpectralNorm(layer, { eps }) })),
  row('cosine', 'dense', 'yynn yynn', alone, () => ({ weighted: (layer) => new CosineNorm(layer, { eps: 1e-12 }) })),
  row('centred cosine', 'dense', 'yyny yyny', alone, () => ({ weighted: (layer) => new CosineNorm(layer, { eps: 1e-12, centered: true }) })),
  row('normalization propagation', 'dense', 'yynn nnnn', alone, () => ({ weighted: (layer) => new PropagatedLayer(layer), norm: () => new PropagatedActivation('relu') })),
];

/** The layer of a row. */
export function subjectOf({ make, input }: TableRow, dtype: Dtype = 'float64'): Subject {
  const { norm = identity, weighted = plain } = make(dtype);
  return makeSubject(norm, weighted, { input, dtype });
}

/** Below this a change of the output is rounding, in float64; above the second it is real. In between nothing is said. */
export const thresholds = { equal: 1e-9, different: 1e-2 } as const;

/** A row as measured. */
export interface MeasuredRow {
  readonly name: string;
  readonly expected: string;
  /** y, n, or ? for a change between the thresholds. */
  readonly measured: string;
  readonly errors: Readonly<Record<Change, number>>;
  readonly samples: SampleChecks;
  /** Only where the scale of the whole weight does not matter. */
  readonly law: (GradientLaw & { readonly growth: number }) | undefined;
  /** What differs from the expectation, in words; none if all is as expected. */
  readonly mistakes: readonly string[];
}

function verdict(error: number): string {
  if (error < thresholds.equal) return 'y';
  return error > thresholds.different || Number.isNaN(error) ? 'n' : '?';
}

/** Limits of the gradient's law, in float64. */
export const lawLimits = { scaling: 1e-10, euler: 1e-8, growth: 1e-6 } as const;

/** Measures a row of the table and compares it with what is expected. */
export async function measureRow(expectation: TableRow): Promise<MeasuredRow> {
  const { name, expected, alone: byItself, modeless } = expectation;
  const subject = subjectOf(expectation);
  const errors = await forwardChanges(subject);
  const samples = await sampleChecks(subject);
  const measured = changeNames.map((change) => verdict(errors[change])).join('');
  const scaleFree = expected.startsWith('y');
  const law = scaleFree ? { ...(await gradientLaw(subject)), growth: await normGrowth(subject) } : undefined;
  const mistakes = changeNames.flatMap((change, i) =>
    expected[i] === measured[i] ? [] : [`${change}: expected ${expected[i] ?? '?'}, y changes by ${errors[change].toExponential(1)}`],
  );
  const say = (holds: boolean, text: string): void => void (holds || mistakes.push(text));
  say(samples.others < thresholds.equal === byItself, `other samples change it by ${samples.others.toExponential(1)}`);
  if (modeless !== undefined) say(samples.modes < thresholds.equal === modeless, `evaluation differs by ${samples.modes.toExponential(1)}`);
  if (law !== undefined) {
    for (const part of ['scaling', 'euler', 'growth'] as const) say(law[part] < lawLimits[part], `${part} of the gradient is off by ${law[part].toExponential(1)}`);
  }
  return { name, expected, measured, errors, samples, law, mistakes };
}

/** The measured table as text, a line a method; wrong entries are in capitals. */
export function formatTable(rows: readonly MeasuredRow[]): string {
  const width = Math.max(...rows.map(({ name }) => name.length));
  const small = (value: number | undefined): string => (value === undefined ? '-' : value.toExponential(0)).padStart(7);
  const lines = rows.map(({ name, expected, measured, law, samples, mistakes }) => {
    const marks = changeNames.map((_, i) => (measured[i] === expected[i] ? (measured[i] ?? '?') : (measured[i] ?? '?').toUpperCase()).padStart(3)).join('');
    const single = samples.others < thresholds.equal ? 'y' : 'n';
    const modes = samples.modes < thresholds.equal ? 'y' : 'n';
    return `${name.padEnd(width)} ${marks}  ${single.padStart(5)} ${modes.padStart(5)}  ${small(law?.scaling)} ${small(law?.euler)} ${small(law?.growth)}${mistakes.length === 0 ? '' : `  ${mistakes.join('; ')}`}`;
  });
  const head = `${''.padEnd(width)} ${changeNames.map((name) => name.padStart(3)).join('')}  alone modes  scaling   euler  growth`;
  return [head, ...lines].join('\n');
}
