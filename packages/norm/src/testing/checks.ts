// What is measured of every method: errors of its gradients, and whether a sample's result depends on its neighbours.
import { cat, grad, readAll, type Tensor, type TypedArray } from '@athanor/core';
import { snapshot, type TensorModule } from '@athanor/core/nn';
import { copyAs, disturb, inDouble, layouts, layoutsOf, makeMethod, type LayoutName } from './methods.ts';
import { moduleDerivativeError, randomTensor } from './numbers.ts';

/**
 * What a method treats as constant is held constant: the corrections r and d of batch renormalization (its gradient is
 * compared with the closed form elsewhere), the vectors of spectral normalization (evaluation leaves them as they are).
 */
const held: Readonly<Record<string, { readonly config?: object; readonly evaluate?: boolean }>> = {
  'batch-renorm': { config: { rMax: 1, dMax: 0 } },
  spectral: { evaluate: true },
};

function input(layout: LayoutName, dtype: 'float32' | 'float64' = 'float64'): Tensor {
  return randomTensor(layouts[layout], 7, { shift: 0.3, dtype });
}

/** The largest difference of gradients in float64 from finite differences, relative to their length, over a method's layouts. */
export async function doubleGradientError(name: string): Promise<number> {
  let worst = 0;
  for (const layout of layoutsOf(name)) {
    const module = await inDouble(makeMethod(name, layout, held[name]?.config));
    if (held[name]?.evaluate === true) module.eval();
    worst = Math.max(worst, await moduleDerivativeError(module, input(layout)));
  }
  return worst;
}

async function gradients(module: TensorModule, x: Tensor, dy: Tensor): Promise<TypedArray[]> {
  return await readAll(grad(module.forward(x), [x, ...module.parameters()], { cotangent: dy, allowUnused: true }));
}

/** The largest difference of gradients in float32 from those in float64, relative to the largest gradient. */
export async function singleGradientError(name: string): Promise<number> {
  let worst = 0;
  for (const layout of layoutsOf(name)) {
    const single = makeMethod(name, layout, held[name]?.config);
    await disturb(single);
    const double = await inDouble(makeMethod(name, layout, held[name]?.config));
    const target = double.stateDict();
    for (const [path, host] of Object.entries(await snapshot(single.stateDict()))) target[path]?.assign(host.dtype === 'float32' ? Float64Array.from(host.data) : host.data);
    const x = input(layout, 'float32');
    const dy = randomTensor(x.shape, 8, { dtype: 'float32' });
    const actual = await gradients(single, x, dy);
    const expected = await gradients(double, await copyAs(x, 'float64'), await copyAs(dy, 'float64'));
    const largest = Math.max(...expected.map((values) => Math.max(...Array.from(values, Math.abs))));
    for (const [i, values] of actual.entries()) {
      for (const [j, value] of values.entries()) worst = Math.max(worst, Math.abs(value - (expected[i]?.[j] ?? NaN)) / largest);
    }
  }
  return worst;
}

function firstSample(values: TypedArray, samples: number): TypedArray {
  return values.slice(0, values.length / samples);
}

/** Whether evaluation gives the first sample the same bits in a batch as alone, on all layouts of a method. */
export async function evaluatesAlone(name: string): Promise<boolean> {
  for (const layout of layoutsOf(name)) {
    const module = makeMethod(name, layout);
    await disturb(module);
    const x = input(layout, 'float32');
    for (let i = 0; i < 3; i++) await module.forward(randomTensor(x.shape, 20 + i, { dtype: 'float32', shift: 0.5, scale: 2 })).data();
    module.eval();
    const inBatch = firstSample(await module.forward(x).data(), x.shape[0] ?? 1);
    const alone = await module.forward(x.narrow(0, 0, 1)).data();
    if (!inBatch.every((value, i) => Object.is(value, alone[i]))) return false;
  }
  return true;
}

/** Whether training gives the last sample another result when the other samples of its batch change. */
export async function trainingSeesBatch(name: string): Promise<boolean> {
  const [layout = 'images'] = layoutsOf(name);
  const module = makeMethod(name, layout);
  const state = await snapshot(module.stateDict());
  const x = input(layout, 'float32');
  const [samples = 1] = x.shape;
  const others = randomTensor(layouts[layout], 9, { dtype: 'float32', shift: -1 }).narrow(0, 0, samples - 1);
  const last = async (batch: Tensor): Promise<TypedArray> => {
    module.loadStateDict(state);
    const y = module.forward(batch);
    return await y.narrow(0, samples - 1, 1).data();
  };
  const [one, two] = [await last(x), await last(cat([others, x.narrow(0, samples - 1, 1)]))];
  return !one.every((value, i) => Object.is(value, two[i]));
}

/** Whether evaluation before any training gives the bits that training gave, from the same state, on all layouts. */
export async function evaluatesAsTrained(name: string): Promise<boolean> {
  for (const layout of layoutsOf(name)) {
    const module = makeMethod(name, layout);
    const state = await snapshot(module.stateDict());
    const x = input(layout, 'float32');
    const trained = await module.forward(x).data();
    module.loadStateDict(state);
    const evaluated = await module.eval().forward(x).data();
    if (!trained.every((value, i) => Object.is(value, evaluated[i]))) return false;
  }
  return true;
}
