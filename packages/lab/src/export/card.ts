// The card of an exported model: what is known about it, and nothing else.
import { createHash } from 'node:crypto';
import { readSafetensors } from '@athanor/data';
import { stringify } from 'yaml';
import type { Variant } from '../analysis/summary.ts';
import type { Judgement } from '../claims/evaluate.ts';
import { estimateText } from '../report/claims.ts';
import { environmentRows } from '../report/setting.ts';
import type { StageFolder } from '../report/curves.ts';
import { readEnvironments, readResult } from '../run/results.ts';
import type { Run, StudyRecord } from '../run/study.ts';
import { formatEstimate } from '../terminal/summary.ts';

export interface CardInput {
  readonly record: StudyRecord;
  readonly run: Run;
  /** The run's variant, with estimates over its seeds. */
  readonly variant: Variant;
  readonly judgements: readonly Judgement[];
  readonly stages: readonly StageFolder[];
  /** File name → content. */
  readonly models: ReadonlyMap<string, Uint8Array>;
}

/** The card as Markdown. */
export function modelCard(input: CardInput): string {
  const { record, run, stages } = input;
  const sections = [
    `# ${record.name}: ${run.name}`,
    record.question ?? undefined,
    'Exported by `athanor export`. Everything below was read from the run’s folder.',
    tensorSection(input.models),
    `## Config\n\nSeed ${run.config.seed}${run.config.backend === undefined ? '' : `, backend \`${JSON.stringify(run.config.backend)}\``}. Data, model and training, with every default:\n\n\`\`\`yaml\n${stringify(run.config.stages.length === 1 ? run.config.stages[0] : run.config.stages)}\`\`\``,
    resultSection(stages),
    seedSection(input.variant),
    claimSection(input.judgements),
    environmentSection(run),
  ];
  return `${sections.filter((section) => section !== undefined).join('\n\n')}\n`;
}

function tensorSection(models: CardInput['models']): string {
  const parts = [...models].map(([file, bytes]) => {
    const tensors = [...readSafetensors(bytes, file).tensors];
    const values = tensors.reduce((sum, [, { shape }]) => sum + shape.reduce((product, extent) => product * extent, 1), 0);
    const rows = tensors.map(([name, { dtype, shape }]) => [name, dtype, `[${shape.join(', ')}]`]);
    const sum = createHash('sha256').update(bytes).digest('hex');
    return `\`${file}\`: ${tensors.length} tensors (parameters and buffers, named by their modules), ${values.toLocaleString('en-US')} values, ${bytes.length.toLocaleString('en-US')} bytes, sha256 \`${sum}\`.\n\n${table(['tensor', 'dtype', 'shape'], rows)}`;
  });
  return `## Weights\n\n${parts.join('\n\n')}`;
}

function resultSection(stages: readonly StageFolder[]): string | undefined {
  const rows = stages.flatMap(({ name, folder }) => {
    const record = readResult(folder);
    return Object.entries((record?.summary ?? {}) as Record<string, number | null>).map(([metric, value]) => [name, metric, String(value ?? NaN)]);
  });
  return rows.length === 0 ? undefined : `## Results of this run\n\n${table(['stage', 'metric', 'value'], rows)}`;
}

function seedSection({ name, runs, estimates }: Variant): string | undefined {
  const rows = [...estimates].filter(([, { values }]) => values.length > 1).map(([metric, estimate]) => [metric, formatEstimate(metric, estimate), String(estimate.values.length)]);
  if (rows.length === 0) return undefined;
  return `## Over seeds\n\nMeans of ${name} over seeds ${runs.map(({ config }) => config.seed).join(', ')}, with 95 % intervals.\n\n${table(['metric', 'mean', 'runs'], rows)}`;
}

function claimSection(judgements: readonly Judgement[]): string | undefined {
  if (judgements.length === 0) return undefined;
  const rows = judgements.map((judgement) => {
    const { verdict, claim, quantity, expected } = judgement;
    return [verdict, `${claim.says}${claim.finding ? ' (finding)' : ''}${claim.paper === undefined ? '' : ` (${claim.paper})`}`, quantity, estimateText(judgement), expected];
  });
  return `## Claims of the experiment\n\n${table(['verdict', 'claim', 'quantity', 'estimate (95 %)', 'expected'], rows)}`;
}

function environmentSection(run: Run): string | undefined {
  const rows = environmentRows(readEnvironments(run));
  return rows.length === 0 ? undefined : `## Environment\n\n${table(['what', 'found'], rows)}`;
}

/** A Markdown table; what would end a cell is escaped. */
function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll('\\', '\\\\').replaceAll('|', '\\|').replaceAll(/\r?\n/g, ' ')).join(' | ')} |`;
  return [line(header), `|${header.map(() => '---|').join('')}`, ...rows.map(line)].join('\n');
}
