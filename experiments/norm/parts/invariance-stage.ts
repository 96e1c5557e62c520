// The stage `invariance`: measures the truth table, prints it, and fails where it is not as expected.
import { UserError, setBackend } from '@athanor/core';
import { component } from '@athanor/core/plugin';
import { figureArtifact } from '@athanor/lab';
import type { Figure, Json } from '@athanor/lab';
import { changeNames, formatTable, lawLimits, measureRow, thresholds, truthTable } from '@athanor/norm/analysis';
import type { MeasuredRow } from '@athanor/norm/analysis';
import * as z from 'zod';

/** The table as a picture: the size of each change, by powers of ten. */
function tableFigure(rows: readonly MeasuredRow[]): Figure {
  const cells = rows.flatMap(({ name, errors, measured }) =>
    changeNames.map((change, i) => ({ x: change, y: name, value: Math.max(-16, Math.min(3, Math.log10(errors[change]))), text: measured[i] === 'y' ? '=' : '' })),
  );
  return {
    caption: 'What changes a normalized layer’s output: the largest relative change (powers of ten; = none but rounding) under each change of weights (W) and inputs (X)',
    heat: { cells, x: 'change', y: 'method', value: { label: 'log₁₀ of the change' } },
  };
}

function markdown(rows: readonly MeasuredRow[]): string {
  const entry = (own: boolean): string => (own ? 'yes' : '');
  const small = (value: number | undefined): string => (value === undefined ? '' : value.toExponential(0));
  const lines = rows.map(({ name, measured, samples, law }) => {
    const marks = changeNames.map((_, i) => entry(measured[i] === 'y'));
    const checks = [entry(samples.others < thresholds.equal), entry(samples.othersInEvaluation < thresholds.equal), entry(samples.modes < thresholds.equal)];
    return `| ${[name, ...marks, ...checks, small(law?.scaling), small(law?.euler), small(law?.growth)].join(' | ')} |`;
  });
  const head = ['method', ...changeNames, 'alone in training', 'alone in evaluation', 'training = evaluation', '‖a dL/d(aW) − dL/dW‖', '⟨W, dL/dW⟩', 'growth of ‖W‖²'];
  return `${[`| ${head.join(' | ')} |`, `|${head.map(() => '---|').join('')}`, ...lines].join('\n')}\n`;
}

/** The stage: one step for each row of the table. */
export const invarianceStage = component({
  kind: 'stage',
  name: 'invariance',
  summary: 'Measures which method is invariant to what, and the law of gradients that follows; anything unexpected is an error',
  schema: z.strictObject({ methods: z.array(z.string()).optional().meta({ description: 'rows by their names; all unless given' }) }),
  create({ methods: named }, { backend, notify }) {
    if (backend !== undefined) setBackend(backend);
    const unknown = named?.filter((name) => !truthTable.some((row) => row.name === name)) ?? [];
    if (unknown.length > 0) throw new UserError(`the truth table has no row ${unknown.join(', ')}`, { remedy: `it has ${truthTable.map(({ name }) => name).join(', ')}` });
    const table = truthTable.filter(({ name }) => named === undefined || named.includes(name));
    let rows: MeasuredRow[] = [];
    return Promise.resolve({
      steps: table.length,
      checkpointEvery: table.length,
      async step(step) {
        const row = table[step];
        if (row !== undefined) rows.push(await measureRow(row));
        return { show: { mistakes: rows.reduce((sum, { mistakes }) => sum + mistakes.length, 0) } };
      },
      state: () => Promise.resolve({ tensors: new Map(), values: rows as unknown as Json }),
      restore({ values }) {
        rows = values as unknown as MeasuredRow[];
        return Promise.resolve();
      },
      finish() {
        notify(`\n${formatTable(rows)}\n${changeNames.length} changes of ${rows.length} methods`);
        const wrong = rows.flatMap(({ name, mistakes }) => mistakes.map((mistake) => `${name}: ${mistake}`));
        if (wrong.length > 0) throw new UserError(`the truth table does not hold:\n  ${wrong.join('\n  ')}`);
        const worst = (pick: (row: MeasuredRow) => number | undefined): number => Math.max(...rows.flatMap((row) => pick(row) ?? []));
        const equal = rows.flatMap(({ errors, measured }) => changeNames.flatMap((change, i) => (measured[i] === 'y' ? [errors[change]] : [])));
        return Promise.resolve({
          summary: {
            methods: rows.length,
            'entries.wrong': wrong.length,
            'change.equal': Math.max(0, ...equal),
            'law.scaling': worst(({ law }) => law?.scaling),
            'law.euler': worst(({ law }) => law?.euler),
            'law.growth': worst(({ law }) => law?.growth),
            'limit.scaling': lawLimits.scaling,
          },
          artifacts: new Map<string, string>([figureArtifact('truth-table', tableFigure(rows)), ['truth-table.md', markdown(rows)]]),
        });
      },
      dispose() {},
    });
  },
});
