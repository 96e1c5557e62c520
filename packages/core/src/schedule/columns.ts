// Sums over the outer axes of a kernel (the gradients of a layer norm's parameters, or of a bias): where they become a
// by-product of its pass over memory, and how one over all these axes is cut into parts that threads share.
import { derive } from '../graph/create.ts';
import type { Node } from '../graph/node.ts';
import { elementCount } from '../shape.ts';
import type { Space } from './space.ts';
import { operand } from './view.ts';

/** Partial sums stay in caches. */
const largestSum = 16384;
const fewestParts = 8;
/** … and rows of one part: below, the partial sums would cost more than what they save. */
const fewestRows = 8;
const wantedParts = 64;
/** Elements that are worth a kernel for the sum of the parts. */
const bigSum = 2 ** 18;

interface Loops {
  /** Whether the sum runs over each loop of a space, and whether its result moves along it. */
  readonly reduced: readonly boolean[];
  readonly kept: readonly boolean[];
}

/**
 * The number of leading loops that tell the parts of a sum over the outer loops behind them, if a kernel of this space can
 * sum them up on its way; else undefined. All inner loops are kept; without inner loops, the last outer ones.
 */
export function partLoops({ loops, classes, axes }: Space, { reduced, kept }: Loops): number | undefined {
  const leading = reduced.indexOf(true);
  const behind = reduced.lastIndexOf(true) + 1;
  const inner = classes.indexOf('inner');
  const middle = reduced.slice(leading, behind);
  const fits = loops.every((_, loop) => reduced[loop] !== kept[loop]) && leading >= 0 && !middle.includes(false) && (inner < 0 ? behind < loops.length : behind === inner);
  if (!fits || elementCount(loops.slice(behind)) > largestSum || elementCount(loops.slice(0, leading)) < fewestParts) return undefined;
  // Rows must lie along memory.
  const last = classes.length - 1;
  return axes.findLast(({ size }) => size !== 1)?.class === classes[last] ? leading : undefined;
}

/** Whether a node is a big sum over its operand's first axes. */
export function isColumnSum(node: Node): boolean {
  return partsOf(node) > 0;
}

/** A sum over the first axes as sums of parts, and their total: the same elements as the node's. */
export function splitColumns(node: Node): { readonly partial: Node; readonly total: Node } | undefined {
  const parts = partsOf(node);
  if (parts === 0) return undefined;
  const count = elementCount(node.shape);
  const rows = elementCount(operand(node).shape) / count / parts;
  const cut = derive(node, 'reshape', [operand(node)], { shape: [parts, rows, count] }, [parts, rows, count], node.dtype);
  const partial = derive(node, 'sum', [cut], { axes: [1] }, [parts, 1, count], node.dtype);
  return { partial, total: derive(node, 'sum', [partial], { axes: [0] }, [1, 1, count], node.dtype) };
}

/** Into how many parts the rows of a sum over the first axes are cut, by shape alone: whole positions of some axes, and a divisor of the next; 0 if not. */
function partsOf(node: Node): number {
  // Only over the first axis: where that counts samples, how one is summed must not depend on their number.
  if (node.op !== 'sum' || !node.attributes.axes.includes(0)) return 0;
  const { axes } = node.attributes;
  const { shape } = operand(node);
  const long = shape.flatMap((size, axis) => (size === 1 ? [] : [{ size, reduced: axes.includes(axis) }]));
  const kept = long.filter(({ reduced }) => !reduced);
  const rows = long.slice(0, long.length - kept.length);
  const count = elementCount(node.shape);
  const length = elementCount(rows.map(({ size }) => size));
  if (kept.length === 0 || rows.some(({ reduced }) => !reduced) || count > largestSum || length * count < bigSum) return 0;
  let lead = 1;
  let best = 0;
  const distance = (parts: number): number => Math.abs(Math.log2(parts / wantedParts));
  for (const { size } of rows) {
    for (let divisor = 1; divisor <= Math.min(size, 2 * wantedParts); divisor++) {
      const parts = lead * divisor;
      const fits = size % divisor === 0 && parts >= fewestParts && length / parts >= fewestRows;
      if (fits && (best === 0 || distance(parts) < distance(best))) best = parts;
    }
    lead *= size;
  }
  return best;
}
