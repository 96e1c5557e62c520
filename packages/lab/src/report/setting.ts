// With what the results were made: configs, what differs between them, and the environment.
import { stringify } from 'yaml';
import { differences } from '../analysis/difference.ts';
import type { Variant } from '../analysis/summary.ts';
import type { Environment } from '../run/environment.ts';
import { html } from './html.ts';
import type { Html } from './html.ts';
import { mark } from './parts.ts';

const fewVariants = 6;

export function configSection(variants: readonly Variant[]): Html {
  const configs = variants.map(({ runs }) => runs[0]?.config ?? {});
  const changed = differences(configs);
  return html`<section><h2>Resolved config</h2>
${changed.length === 0 ? undefined : differenceTable(variants, changed)}
<details${changed.length === 0 ? ' open' : ''}><summary>${mark(0)}the whole of ${variants[0]?.name ?? 'the first'}, with every default; the first seed’s</summary><pre>${stringify(configs[0] ?? {})}</pre></details></section>`;
}

/** A column a variant, or a row each where there are many. */
function differenceTable(variants: readonly Variant[], changed: ReturnType<typeof differences>): Html {
  const names = variants.map(({ name }, index) => html`${mark(index)}${name}`);
  const few = variants.length <= fewVariants;
  const head = few ? names : changed.map(({ path }) => html`${path}`);
  const rows = few
    ? changed.map(({ path, values }) => html`<tr><th>${path}</th>${values.map((value) => html`<td>${cell(value)}</td>`)}</tr>`)
    : names.map((name, index) => html`<tr><td>${name}</td>${changed.map(({ values }) => html`<td>${cell(values[index])}</td>`)}</tr>`);
  return html`<p class="soft">All places in which the variants differ.</p>
<div class="scroll"><table class="differences"><thead><tr><th></th>${head.map((title) => html`<th>${title}</th>`)}</tr></thead><tbody>${rows}</tbody></table></div>`;
}

function cell(value: unknown): string {
  if (value === undefined) return '–';
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** What is known of where runs ran, as names and texts: the last attempt's. */
export function environmentRows(environments: readonly Environment[]): [name: string, text: string][] {
  const last = environments.at(-1);
  if (last === undefined) return [];
  const rows: [string, string][] = [
    ['command', last.command],
    ['commit', last.git === null ? 'no git repository' : `${last.git.commit}${last.git.dirty ? ', with changes that are not committed' : ''}`],
    ['backend', last.backend === undefined ? 'none' : `${last.backend}, ${last.threads ?? 1} ${last.threads === 1 ? 'thread' : 'threads'}`],
    ['numerics', last.numerics ?? ''],
    ['node', `${last.node}, V8 ${last.v8}`],
    ['machine', `${last.cpu}, ${last.cores} cores, ${last.memory}, ${last.system}`],
    ['packages', Object.entries(last.packages).map(([name, version]) => `${name} ${version}`).join(', ')],
    ['attempts', `${environments.length}, the last one begun ${last.started}`],
  ];
  return rows.filter(([, text]) => text !== '');
}

export function environmentSection(environments: readonly Environment[]): Html | undefined {
  const rows = environmentRows(environments);
  if (rows.length === 0) return undefined;
  return html`<section><h2>Environment</h2><table class="environment"><tbody>${rows.map(([name, text]) => html`<tr><th>${name}</th><td>${text}</td></tr>`)}</tbody></table></section>`;
}
