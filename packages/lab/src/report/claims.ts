// The report's verdicts: each claim with what was estimated and where it must lie.
import type { Judgement } from '../claims/evaluate.ts';
import { formatNumber } from '../terminal/format.ts';
import { html } from './html.ts';
import type { Html } from './html.ts';

/** `0.012 (0.004 – 0.02)`; `–` where nothing could be estimated. */
export function estimateText({ estimate }: Judgement): string {
  if (estimate === undefined) return '–';
  const { mean, interval } = estimate;
  return interval === undefined ? formatNumber(mean) : `${formatNumber(mean)} (${formatNumber(interval.low)} – ${formatNumber(interval.high)})`;
}

export function claimSection(judgements: readonly Judgement[]): Html | undefined {
  if (judgements.length === 0) return undefined;
  const rows = judgements.map((judgement) => {
    const { claim, verdict, quantity, expected, estimate, reason } = judgement;
    return html`<tr><td><b class="verdict ${verdict}">${verdict}</b></td>
<td>${claim.says}${claim.finding ? html` <span class="soft">(finding)</span>` : undefined}${claim.paper === undefined ? undefined : html`<br><span class="soft">${claim.paper}</span>`}${reason === undefined ? undefined : html`<br><span class="soft">${reason}</span>`}</td>
<td>${quantity}</td><td class="number">${estimateText(judgement)}</td><td class="number">${expected}</td><td class="number">${estimate?.n ?? '–'}</td></tr>`;
  });
  return html`<section><h2>Claims</h2>
<div class="scroll"><table><thead><tr><th>verdict</th><th>claim</th><th>quantity</th><th class="number">estimate</th><th class="number">expected</th><th class="number">seeds</th></tr></thead><tbody>${rows}</tbody></table></div>
<p class="soft">A claim holds if the whole 95 % interval lies where it says, fails if none of it does, and is undecided else.</p></section>`;
}
