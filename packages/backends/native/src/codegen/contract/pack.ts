// C functions that copy a panel of an operand to [depth][width], whatever its strides: vector copies where the panel's
// elements are neighbours in memory, transposed squares where neighbours lie along depth, element by element elsewhere.
import { call, type Register } from '../text.ts';
import { lastLoop, type Depth, type Operand } from './operand.ts';

export interface Panel {
  readonly operand: Operand;
  readonly depth: Depth;
  readonly register: Register;
  /** Type of packed elements. */
  readonly element: string;
  readonly lanes: number;
  /** Elements of a row of the panel. */
  readonly width: number;
}

/** Shorter runs of neighbours are not worth vectors. */
const shortRun = 4;

/**
 * `KERNEL(pack_<operand>)(to, from, offsets, start, end)`: depth positions start … end − 1 of the elements at `offsets`
 * go to `to[(position − start) · width]`. `offsets` has one entry for every lane of whole vectors.
 */
export function packFunction(panel: Panel): string {
  const { operand, element, lanes, width } = panel;
  const count = Math.ceil(width / lanes);
  const last = width % lanes;
  const store = (at: string, value: string): string =>
    last === 0 ? `${call(`store_${panel.register}`, lanes, at, value)};` : `if (vector < ${count - 1}) ${call(`store_${panel.register}`, lanes, at, value)}; else ${call(`store_masked_${panel.register}`, lanes, at, value, 'tail')};`;
  return `static void KERNEL(pack_${operand.name})(${element} *to, const ${operand.element} *from, const int64_t *offsets, int64_t start, int64_t end) {
${last === 0 ? '' : `const b_${lanes} tail = ${call('first', lanes, String(last))};`}
for (int64_t vector = 0; vector < ${count}; vector++, offsets += ${lanes}, to += ${lanes}) {
${body(panel, store)}
}
}
`;
}

function body(panel: Panel, store: (at: string, value: string) => string): string {
  const { operand, depth } = panel;
  const { size, stride } = lastLoop(operand.own);
  const along = stride === 1 ? size : 1;
  if (along >= shortRun && along >= Math.min(depth.run, panel.lanes)) return neighbours(panel, store);
  return depth.run >= shortRun ? squares(panel, store) : singles(panel, store);
}

/** The panel's elements are neighbours, in stretches: one load each, put together under masks. */
function neighbours({ operand, depth, register, lanes, width }: Panel, store: (at: string, value: string) => string): string {
  const { element, suffix } = operand;
  const vector = `${register}_${lanes}`;
  return `const ${element} *pieces[${lanes}];
b_${lanes} masks[${lanes}];
int count = 0;
for (int lane = 0, begin = 0; lane < ${lanes}; lane++) {
  if (lane + 1 < ${lanes} && offsets[lane + 1] == offsets[lane] + 1) continue;
  pieces[count] = from + offsets[begin] - begin;
  masks[count++] = ${call('first', lanes, 'lane + 1')} & ~${call('first', lanes, 'begin')};
  begin = lane + 1;
}
if (count == 1) {
  for (int64_t k = start; k < end; k++) { const ${vector} x = ${call(`load_${suffix}`, lanes, `pieces[0] + ${depth.offset('k')}`)}; ${store(`to + (k - start) * ${width}`, 'x')} }
  continue;
}
for (int64_t k = start; k < end; k++) {
  const int64_t offset = ${depth.offset('k')};
  ${vector} x = ${call(`load_${suffix}`, lanes, 'pieces[0] + offset')};
  for (int piece = 1; piece < count; piece++) x = ${call(`masked_${suffix}`, lanes, 'pieces[piece] + offset', 'masks[piece]', 'x')};
  ${store(`to + (k - start) * ${width}`, 'x')}
}`;
}

/** Neighbours lie along depth: squares are loaded and turned around. */
function squares({ operand, depth, register, lanes, width }: Panel, store: (at: string, value: string) => string): string {
  const { suffix } = operand;
  return `for (int64_t k = start; k < end;) {
  const int64_t run = ${depth.run} - k % ${depth.run};
  const int64_t left = end - k < run ? end - k : run, count = left < ${lanes} ? left : ${lanes};
  const int64_t offset = ${depth.offset('k')};
  ${register}_${lanes} square[${lanes}];
  _Pragma("GCC unroll 16") for (int lane = 0; lane < ${lanes}; lane++) square[lane] = ${call(`load_${suffix}`, lanes, 'from + offsets[lane] + offset')};
  ${call(`transpose_${register}`, lanes, 'square')};
  if (count == ${lanes}) {
    _Pragma("GCC unroll 16") for (int i = 0; i < ${lanes}; i++) { ${store(`to + (k - start + i) * ${width}`, 'square[i]')} }
  } else {
    for (int i = 0; i < count; i++) { ${store(`to + (k - start + i) * ${width}`, 'square[i]')} }
  }
  k += count;
}`;
}

function singles({ operand, depth, register, lanes, width }: Panel, store: (at: string, value: string) => string): string {
  const vector = `${register}_${lanes}`;
  return `for (int64_t k = start; k < end; k++) {
  const ${operand.element} *source = from + ${depth.offset('k')};
  ${vector} x;
  _Pragma("GCC unroll 16") for (int lane = 0; lane < ${lanes}; lane++) x[lane] = ${call(`load_${operand.suffix}`, 1, 'source + offsets[lane]')};
  ${store(`to + (k - start) * ${width}`, 'x')}
}`;
}
