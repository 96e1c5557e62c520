// Recorded results as pages to read: one for an experiment, one for a folder of them.
import { formatDuration, formatNumber } from '../terminal/format.ts';
import type { RecordedClaim, RecordedEnvironment, RecordedEstimate, RecordedVariant, ResultsRecord } from './record.ts';

/** Metrics of a table; more are in the JSON only. */
const mostMetrics = 7;
/** Rows of a table that stand open. */
const mostRows = 30;

/** `results.md`: verdicts, numbers, pictures, and what it was made with. */
export function resultsPage(record: ResultsRecord): string {
  const { experiment, question, claims, variants, pictures } = record;
  return paragraphs([
    `# ${experiment}: recorded results`,
    question ?? undefined,
    claims.length === 0 ? undefined : `## Claims\n\n${claimTable(claims)}\n\n${tally(claims)} An interval is of 95 %; a claim holds if the whole of it lies where the claim says, fails if none of it does, and is undecided else.`,
    `## Numbers\n\n${numbers(variants, claims)}`,
    pictures.length === 0 ? undefined : `## Pictures\n\n${pictures.map(({ file, caption }) => `![${caption}](${file})\n\n${caption}`).join('\n\n')}`,
    `## Made with\n\n${madeWith(record)}`,
    'All of it, with every seed’s value: [results.json](results.json).',
  ]);
}

/** One record of a folder, with the path of its folder from the page. */
export interface IndexEntry {
  readonly path: string;
  readonly record: ResultsRecord;
  /** The experiment file is not the one that was run. */
  readonly changed: boolean;
}

/** The first line of a page that may be written again. */
export const indexMark = '<!-- Written by `athanor reproduce`. -->';

/** `RESULTS.md`: every claim of every recorded experiment under a folder. */
export function indexPage(entries: readonly IndexEntry[]): string {
  const all = entries.flatMap(({ record }) => record.claims);
  const rows = entries.flatMap(({ path, record }) =>
    record.claims.map((claim) => [claim.finding ? `${claim.verdict} (finding)` : claim.verdict, claim.says, shownEstimate(claim), claim.expected, count(claim), `[${path}](${path}/results.md)`]),
  );
  const runs = entries.map(({ path, record, changed }) => {
    const [environment] = record.environments;
    const variants = record.variants.length;
    return [
      `[${path}](${path}/results.md)${changed ? ' (the file has changed since)' : ''}`,
      record.question ?? '',
      `${variants} × ${record.seeds.length}`,
      formatDuration(record.seconds),
      record.recorded.slice(0, 10),
      environment === undefined ? '' : machine(environment),
    ];
  });
  return paragraphs([
    indexMark,
    '# Recorded results',
    all.length === 0 ? undefined : `${tally(all)}\n\n${table(['verdict', 'claim', 'estimate (95 %)', 'expected', 'seeds', 'experiment'], rows)}`,
    `## Experiments\n\n${table(['experiment', 'question', 'variants × seeds', 'time', 'recorded', 'on'], runs)}`,
    'A finding is recorded and judged, but nothing depends on it.',
  ]);
}

/** `7 of 9 claims hold, 1 fails, 1 is undecided; 2 findings.` */
export function tally(claims: readonly Pick<RecordedClaim, 'verdict' | 'finding'>[]): string {
  const counted = claims.filter(({ finding }) => !finding);
  const of = (verdict: RecordedClaim['verdict']) => counted.filter((claim) => claim.verdict === verdict).length;
  const [holds, fails, undecided] = [of('holds'), of('fails'), of('undecided')];
  const findings = claims.length - counted.length;
  const parts = [
    `${holds} of ${counted.length} ${counted.length === 1 ? 'claim' : 'claims'} ${holds === 1 ? 'holds' : 'hold'}`,
    ...(fails > 0 ? [`${fails} ${fails === 1 ? 'fails' : 'fail'}`] : []),
    ...(undecided > 0 ? [`${undecided} ${undecided === 1 ? 'is' : 'are'} undecided`] : []),
  ];
  return `${parts.join(', ')}${findings > 0 ? `; ${findings} ${findings === 1 ? 'finding' : 'findings'}` : ''}.`;
}

/** `0.034 (0.021 – 0.047)`, `0.01 (-0.02 … 0.04)`, or why there is none. */
export function shownEstimate({ estimate, reason }: Pick<RecordedClaim, 'estimate' | 'reason'>): string {
  if (estimate === undefined) return reason ?? '–';
  // Of a metric without chance there is a range over seeds, if they differ at all.
  if (estimate.method === 'exact' && estimate.interval?.[0] === estimate.interval?.[1]) return formatStored(estimate.mean);
  return reason === undefined ? withInterval(estimate, formatStored) : `${formatStored(estimate.mean)} (${reason})`;
}

function claimTable(claims: readonly RecordedClaim[]): string {
  const rows = claims.map((claim) => [
    claim.finding ? `${claim.verdict} (finding)` : `**${claim.verdict}**`,
    `${claim.says}${claim.paper === undefined ? '' : ` (${claim.paper})`}`,
    claim.quantity,
    shownEstimate(claim),
    claim.expected,
    count(claim),
    claim.estimate?.method ?? '',
  ]);
  return table(['verdict', 'claim', 'quantity', 'estimate (95 %)', 'expected', 'seeds', 'by'], rows);
}

function count({ estimate }: RecordedClaim): string {
  return estimate === undefined ? '–' : String(estimate.n);
}

function numbers(variants: readonly RecordedVariant[], claims: readonly RecordedClaim[]): string {
  const known = [...new Set(variants.flatMap(({ metrics }) => Object.keys(metrics)))];
  const claimed = known.filter((metric) => claims.some(({ expect }) => expect.metric === metric));
  const shown = [...new Set([...claimed, ...known.filter((metric) => /(^|\.)accuracy$/.test(metric)), ...known])].slice(0, Math.max(mostMetrics, claimed.length));
  const rows = variants.map(({ name, seeds, metrics, seconds }) => [
    name,
    seeds.join(', '),
    ...shown.map((metric) => {
      const estimate = metrics[metric];
      return estimate === undefined ? '–' : withInterval(estimate, shareOr(metric));
    }),
    formatDuration(seconds),
  ]);
  const text = table(['variant', 'seeds', ...shown.map((metric) => (isShare(metric) ? `${metric} (%)` : metric)), 'time'], rows);
  const left = known.length - shown.length;
  const shares = variants.some(({ metrics }) => shown.some((metric) => metrics[metric]?.method === 'wilson'));
  const note = shares ? 'Brackets: 95 % Wilson intervals over the test samples; one seed each, so how much the seed matters cannot be seen.' : 'Brackets: 95 % intervals for the mean over seeds (Student’s t).';
  const bracketed = variants.some(({ metrics }) => shown.some((metric) => (metrics[metric]?.interval ?? null) !== null));
  const more = left > 0 ? `\n\n${left} more ${left === 1 ? 'metric is' : 'metrics are'} in the JSON.` : '';
  const folded = rows.length <= mostRows ? text : `<details><summary>${rows.length} variants</summary>\n\n${text}\n\n</details>`;
  return `${folded}${bracketed ? `\n\n${note}` : ''}${more}`;
}

function madeWith({ command, config, seeds, recorded, seconds, environments }: ResultsRecord): string {
  const rows = [
    ['command', `\`${command}\``],
    ['config', `${config.file}, sha256 ${config.sha256.slice(0, 16)}…, resolved ${config.hash}`],
    ['seeds', seeds.join(', ')],
    ['last run begun', `${recorded.slice(0, 16).replace('T', ' ')} UTC`],
    ['time', `${formatDuration(seconds)} of work, all runs together`],
    ...environments.map((environment) => [
      environments.length === 1 ? 'environment' : `environment of ${environment.runs} ${environment.runs === 1 ? 'run' : 'runs'}`,
      [
        machine(environment),
        environment.memory,
        environment.system,
        `Node ${environment.node.replace(/^v/, '')}`,
        environment.numerics === undefined ? undefined : `numerics ${environment.numerics}`,
        environment.git === null ? undefined : `commit ${environment.git.commit.slice(0, 12)}${environment.git.dirty ? ' with changes that are not committed' : ''}`,
      ]
        .filter((part) => part !== undefined)
        .join('; '),
    ]),
  ];
  return table(['', ''], rows);
}

function machine({ backend, threads, cpu, cores }: RecordedEnvironment): string {
  const engine = backend === undefined ? '' : `${backend}, ${threads ?? 1} ${threads === 1 ? 'thread' : 'threads'}; `;
  return `${engine}${cpu}, ${cores} ${cores === 1 ? 'core' : 'cores'}`;
}

function isShare(metric: string): boolean {
  return metric.endsWith('accuracy');
}

/** Shares in percent, everything else with four digits. */
function shareOr(metric: string): (value: number | null) => string {
  return isShare(metric) ? (value) => (value === null ? formatStored(null) : (100 * value).toFixed(2)) : formatStored;
}

function withInterval({ mean, interval }: Pick<RecordedEstimate, 'mean' | 'interval'>, show: (value: number | null) => string): string {
  if (interval === null) return show(mean);
  const to = (interval[0] ?? 0) < 0 ? '…' : '–';
  return `${show(mean)} (${show(interval[0])} ${to} ${show(interval[1])})`;
}

function formatStored(value: number | null): string {
  return value === null ? 'not finite' : formatNumber(value);
}

function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|').replaceAll('\n', ' ')).join(' | ')} |`;
  return [line(header), `|${header.map(() => '---|').join('')}`, ...rows.map(line)].join('\n');
}

function paragraphs(parts: readonly (string | undefined)[]): string {
  return `${parts.filter((part) => part !== undefined).join('\n\n')}\n`;
}
