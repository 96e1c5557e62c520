// For tests: every method on a backend against the float64 interpreter, on each layout, compiled.
import { compile, currentBackend, grad, readAll, setBackend, type Tensor, type TypedArray } from '@athanor/core';
import type { Backend } from '@athanor/core/backend';
import { snapshot, type HostTensor } from '@athanor/core/nn';
import { layouts, layoutsOf, makeMethod, type LayoutName } from './methods.ts';
import { randomTensor } from './numbers.ts';

/** Values that are compared on one scale. */
type Together = readonly TypedArray[];

/** A training step with gradients, what it leaves in buffers, and an evaluation, of a method on a layout. */
async function run(name: string, layout: LayoutName, start: Record<string, HostTensor> | undefined, compiled: boolean): Promise<{ values: Together[]; start: Record<string, HostTensor> }> {
  const module = makeMethod(name, layout);
  if (start !== undefined) module.loadStateDict(start);
  const state = await snapshot(module.stateDict());
  const input = randomTensor(layouts[layout], 1, { dtype: 'float32', shift: 0.3 });
  const cotangent = randomTensor(layouts[layout], 2, { dtype: 'float32' });
  const train = (x: Tensor, dy: Tensor): Tensor[] => {
    const y = module.forward(x);
    return [y, ...grad(y, [x, ...module.parameters()], { cotangent: dy, allowUnused: true })];
  };
  const evaluate = (x: Tensor): Tensor => module.forward(x);
  const [trained, ...gradients] = await readAll((compiled ? compile(train) : train)(input, cotangent));
  const kept = await readAll(module.buffers().map((buffer) => buffer.value));
  module.eval();
  const evaluated = await (compiled ? compile(evaluate) : evaluate)(input).data();
  // Gradients that are zero by theory (of weights whose scale does not matter) are rounding: all have one scale.
  return { values: [trained === undefined ? [] : [trained], gradients, ...kept.map((values) => [values]), [evaluated]], start: state };
}

function errorOf(actual: Together, expected: Together): number {
  const largest = Math.max(1e-30, ...expected.map((values) => Math.max(...Array.from(values, Math.abs))));
  const differences = expected.map((values, i) => Math.max(...Array.from(values, (value, j) => Math.abs(value - (actual[i]?.[j] ?? NaN)))));
  const worst = Math.max(0, ...differences) / largest;
  return Number.isNaN(worst) ? Infinity : worst;
}

/** The largest relative difference of outputs, gradients, buffers and evaluations of a compiled method from the interpreter's. */
export async function backendError(name: string, backend: Backend, reference: Backend): Promise<number> {
  const before = currentBackend();
  let worst = 0;
  try {
    for (const layout of layoutsOf(name)) {
      setBackend(reference);
      const expected = await run(name, layout, undefined, false);
      setBackend(backend);
      const actual = await run(name, layout, expected.start, true);
      for (const [i, together] of expected.values.entries()) worst = Math.max(worst, errorOf(actual.values[i] ?? [], together));
    }
    return worst;
  } finally {
    setBackend(before);
  }
}
