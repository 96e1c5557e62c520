// Verdicts on claims as a table for the terminal.
import { shownEstimate } from '../claims/markdown.ts';
import type { RecordedClaim } from '../claims/record.ts';
import { formatTable } from './format.ts';

/** One line a claim: its verdict, what was estimated, what was expected. */
export function claimsTable(claims: readonly RecordedClaim[]): string {
  return formatTable(
    ['verdict', 'estimate (95 %)', 'expected', 'seeds', 'claim'],
    claims.map((claim) => [
      claim.verdict,
      shownEstimate(claim),
      claim.expected,
      claim.estimate === undefined ? '–' : String(claim.estimate.n),
      `${claim.says}${claim.finding ? ' (finding)' : ''}`,
    ]),
  );
}
