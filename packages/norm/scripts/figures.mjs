#!/usr/bin/env node
// Prints what can be measured of every method: gradients' errors, independence of the batch, agreement with PyTorch, and
// the commands of a training step. Needs a build; `node packages/norm/scripts/figures.mjs [--json]`.
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { cpuBackend } from '@athanor/backend-cpu';
import { setBackend } from '@athanor/core';
import { methodTable } from '../dist/taxonomy.js';
import { doubleGradientError, evaluatesAlone, evaluatesAsTrained, singleGradientError, trainingSeesBatch } from '../dist/testing/checks.js';
import { methodNames } from '../dist/testing/methods.js';
import { stepCommands } from '../dist/testing/programs.js';
import { agreement } from '../dist/testing/torch.js';

const { json } = parseArgs({ options: { json: { type: 'boolean', default: false } } }).values;
setBackend(cpuBackend());

const methods = [];
for (const name of methodNames) {
  methods.push({
    name,
    source: methodTable.find((row) => row.name === name)?.source,
    float64: await doubleGradientError(name),
    float32: await singleGradientError(name),
    evaluationAlone: await evaluatesAlone(name),
    sameInEvaluation: await evaluatesAsTrained(name),
    trainingSeesBatch: await trainingSeesBatch(name),
  });
}

const torch = new Map();
for (const item of JSON.parse(readFileSync(new URL('../goldens/normalizations.json', import.meta.url), 'utf8'))) {
  for (const dtype of ['float64', 'float32']) {
    const key = `${item.method} ${dtype}`;
    const row = torch.get(key) ?? { method: item.method, dtype, cases: 0, outputs: 0, gradients: 0, kept: undefined };
    const found = await agreement(item, dtype);
    row.cases += 1;
    for (const part of ['outputs', 'gradients']) row[part] = Math.max(row[part], found[part]);
    if (Object.keys(item.kept).length > 0) row.kept = Math.max(row.kept ?? 0, found.kept);
    torch.set(key, row);
  }
}

const figures = { count: methods.length, methods, torch: [...torch.values()], commands: stepCommands() };

const number = (value) => (value === undefined ? '' : value.toExponential(1));
const yes = (value) => (value ? 'yes' : 'no');

/** Rows as text, columns as wide as they must be. */
function table(heading, rows) {
  const all = [heading, ...rows];
  const widths = heading.map((_, column) => Math.max(...all.map((row) => row[column].length)));
  return all.map((row) => row.map((cell, column) => cell.padEnd(widths[column])).join('  ').trimEnd()).join('\n');
}

if (json) console.log(JSON.stringify(figures, undefined, 2));
else {
  console.log(`${figures.count} methods\n`);
  console.log(table(
    ['method', 'statistics of', 'gradient, float64', 'float32 beside it', 'evaluates alone', 'evaluates as trained', 'training sees the batch'],
    methods.map((row) => [row.name, row.source, number(row.float64), number(row.float32), yes(row.evaluationAlone), yes(row.sameInEvaluation), yes(row.trainingSeesBatch)]),
  ));
  const worst = (key) => methods.reduce((most, row) => (row[key] > most[key] ? row : most));
  console.log(`\nworst gradient: float64 ${number(worst('float64').float64)} (${worst('float64').name}), float32 ${number(worst('float32').float32)} (${worst('float32').name})`);
  console.log(`evaluation with the same bits alone as in a batch: ${methods.filter((row) => row.evaluationAlone).length} of ${methods.length}\n`);
  console.log(table(
    ['beside PyTorch', 'dtype', 'cases', 'outputs', 'gradients', 'kept'],
    figures.torch.map((row) => [row.method, row.dtype, String(row.cases), number(row.outputs), number(row.gradients), number(row.kept)]),
  ));
  console.log(`\n${table(['training step', 'commands', 'more than without'], figures.commands.map((row) => [row.name, String(row.commands), String(row.more)]))}`);
}
