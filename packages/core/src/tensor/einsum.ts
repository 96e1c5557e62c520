// einsum: sums of products written with one letter per axis. Operands are combined two at a time, from the left.
import { ShapeError, UserError, formatShape } from '../errors.ts';
import { describe } from '../graph/create.ts';
import { reduce } from '../graph/build.ts';
import { dot } from '../graph/combine.ts';
import { permute, reshape, slice } from '../graph/move.ts';
import type { Node } from '../graph/node.ts';
import { contractionOperands } from './contraction.ts';
import type { Tensor } from './tensor.ts';

/** An operand with the label of each axis. Axes of an ellipsis have the labels 0, 1, … from the right. */
interface Labelled {
  readonly node: Node;
  readonly labels: readonly string[];
}

function ellipsisLabels(count: number): string[] {
  return Array.from({ length: count }, (_, i) => String(count - 1 - i));
}

/** "a...b" for a rank, as labels. */
function parseTerm(term: string, rank: number, equation: string): string[] {
  const [head = '', tail, ...more] = term.split('...');
  const named = head.length + (tail?.length ?? 0);
  if (more.length > 0 || !/^[A-Za-z]*$/.test(head + (tail ?? ''))) {
    throw new UserError(`${describe('einsum')}: cannot read "${term}" in "${equation}"`, { remedy: 'axes are letters, one "..." stands for the rest' });
  }
  if (tail === undefined ? named !== rank : named > rank) {
    throw new ShapeError(`${describe('einsum')}: "${term}" in "${equation}" names ${named} axes, the operand has ${rank}`);
  }
  return [...head, ...(tail === undefined ? [] : ellipsisLabels(rank - named)), ...(tail ?? '')];
}

/** A repeated label keeps the diagonal of its two axes. */
function takeDiagonals({ node, labels }: Labelled): Labelled {
  const repeated = labels.find((label, i) => labels.indexOf(label, i + 1) >= 0);
  if (repeated === undefined) return { node, labels };
  const first = labels.indexOf(repeated);
  const second = labels.indexOf(repeated, first + 1);
  const others = labels.map((_, i) => i).filter((i) => i !== first && i !== second);
  const moved = permute(node, [...others, first, second]);
  const outer = moved.shape.slice(0, -2);
  const size = moved.shape.at(-1) ?? 0;
  const flat = reshape(moved, [...outer, size * size]);
  const zeros = outer.map(() => 0);
  const diagonal = slice(flat, [...zeros, 0], [...outer, size * size], [...outer.map(() => 1), size + 1]);
  return takeDiagonals({ node: diagonal, labels: [...others.map((i) => labels[i] ?? ''), repeated] });
}

/** Sums over the labels that nobody needs any more. */
function sumUnneeded({ node, labels }: Labelled, needed: ReadonlySet<string>): Labelled {
  const axes = labels.map((_, i) => i).filter((i) => !needed.has(labels[i] ?? ''));
  if (axes.length === 0) return { node, labels };
  const kept = reduce('sum', node, axes);
  return {
    node: reshape(kept, kept.shape.filter((_, i) => !axes.includes(i))),
    labels: labels.filter((label) => needed.has(label)),
  };
}

/** A labelled operand without its axes of size 1 where another operand is longer: they broadcast. */
function dropSingletons({ node, labels }: Labelled, sizes: ReadonlyMap<string, number>): Labelled {
  const stays = labels.map((label, i) => node.shape[i] === sizes.get(label));
  return { node: reshape(node, node.shape.filter((_, i) => stays[i])), labels: labels.filter((_, i) => stays[i]) };
}

function combinePair(a: Labelled, b: Labelled, needed: ReadonlySet<string>): Labelled {
  const shared = a.labels.filter((label) => b.labels.includes(label));
  const batch = shared.filter((label) => needed.has(label));
  const contracted = shared.filter((label) => !needed.has(label));
  const pair = (label: string): readonly [number, number] => [a.labels.indexOf(label), b.labels.indexOf(label)];
  const node = dot(a.node, b.node, { batch: batch.map(pair), contract: contracted.map(pair), combine: 'multiply-add' });
  const free = [...a.labels, ...b.labels].filter((label) => !shared.includes(label));
  return { node, labels: [...batch, ...free] };
}

function sizesOfLabels(operands: readonly Labelled[], equation: string): Map<string, number> {
  const sizes = new Map<string, number>();
  for (const { node, labels } of operands) {
    for (const [i, label] of labels.entries()) {
      const size = node.shape[i] ?? 0;
      const known = sizes.get(label) ?? 1;
      if (size !== known && size !== 1 && known !== 1) {
        const shapes = operands.map((operand) => formatShape(operand.node.shape)).join(', ');
        throw new ShapeError(`${describe('einsum')}: axis "${label}" of "${equation}" has sizes ${known} and ${size} in ${shapes}`);
      }
      sizes.set(label, Math.max(size === 0 ? 0 : known, known === 0 ? 0 : size));
    }
  }
  return sizes;
}

/** Labels that occur once, in alphabetical order, after those of the ellipsis. */
function implicitOutput(operands: readonly Labelled[]): string[] {
  const all = operands.flatMap(({ labels }) => labels);
  const ellipsis = Math.max(0, ...all.filter((label) => /\d/.test(label)).map((label) => Number(label) + 1));
  const once = all.filter((label) => /[A-Za-z]/.test(label) && all.indexOf(label) === all.lastIndexOf(label));
  return [...ellipsisLabels(ellipsis), ...once.sort()];
}

function outputLabels(right: string | undefined, operands: readonly Labelled[], equation: string): string[] {
  if (right === undefined) return implicitOutput(operands);
  const ellipsis = Math.max(0, ...operands.flatMap(({ labels }) => labels.filter((label) => /\d/.test(label)).map((label) => Number(label) + 1)));
  const named = right.replace('...', '').length;
  const labels = parseTerm(right, right.includes('...') ? named + ellipsis : named, equation);
  const unknown = labels.find((label) => !operands.some((operand) => operand.labels.includes(label)));
  if (unknown !== undefined || new Set(labels).size !== labels.length) {
    throw new UserError(`${describe('einsum')}: the output of "${equation}" ${unknown === undefined ? 'repeats an axis' : `has an axis "${unknown}" of no operand`}`);
  }
  return labels;
}

/** The labels that are still needed after operand `done`: of the output and of later operands. */
function neededAfter(done: number, operands: readonly Labelled[], output: readonly string[]): Set<string> {
  return new Set([...output, ...operands.slice(done + 1).flatMap(({ labels }) => labels)]);
}

/**
 * Sums of products, one letter per axis: `einsum('bij,bjk->bik', a, b)`. Repeated letters in a term take the diagonal,
 * '...' stands for axes that broadcast, and without '->' the letters that occur once make the output, sorted.
 */
export function einsum(equation: string, ...tensors: readonly Tensor[]): Tensor {
  const [left = '', right, ...more] = equation.replaceAll(' ', '').split('->');
  const terms = left.split(',');
  const [first] = tensors;
  if (more.length > 0 || terms.length !== tensors.length || first === undefined) {
    throw new UserError(`${describe('einsum')}: "${equation}" has ${terms.length} terms for ${tensors.length} tensors`);
  }
  const parsed = tensors.map((tensor, i) => ({ node: tensor.node, labels: parseTerm(terms[i] ?? '', tensor.ndim, equation) }));
  const sizes = sizesOfLabels(parsed, equation);
  const output = outputLabels(right, parsed, equation);
  const operands = parsed.map((operand) => dropSingletons(takeDiagonals(operand), sizes));
  let result = sumUnneeded(operands[0] as Labelled, neededAfter(0, operands, output));
  for (const [i, operand] of operands.entries()) {
    if (i === 0) continue;
    const needed = neededAfter(i, operands, output);
    const own = sumUnneeded(operand, new Set([...needed, ...result.labels]));
    const [a, b] = contractionOperands(result.node, own.node, 'einsum');
    result = sumUnneeded(combinePair({ ...result, node: a }, { ...own, node: b }, needed), needed);
  }
  return first.wrap(permute(result.node, output.map((label) => result.labels.indexOf(label))));
}
