// Contractions as loop kernels: each lane sums its own output, in order over k. For the dtypes and shapes that have no
// tiled form.
import type { ContractKernel, Instruction, LoopKernel, Value } from '@athanor/core/backend';
import { at } from '../at.ts';

export function plainContraction(kernel: ContractKernel): LoopKernel {
  const { batch, m, n, k, a, b, dtype, accumulator, combine } = kernel;
  const outer = batch.length + m.length + n.length;
  const widen = dtype !== accumulator;
  const inner: Instruction[] = [
    { op: 'load', buffer: a.buffer, index: a.index, guards: [], fill: 0, dtype },
    { op: 'load', buffer: b.buffer, index: b.index, guards: [], fill: 0, dtype },
  ];
  const add = (instruction: Instruction): Value => inner.push(instruction) - 1;
  const [x, y] = widen ? [0, 1].map((input) => add({ op: 'cast', inputs: [input], dtype: accumulator })) : [0, 1];
  const pair = [x ?? 0, y ?? 1];
  let term: Value;
  if (combine === 'multiply-add') term = add({ op: 'elementwise', name: 'mul', inputs: pair, dtype: accumulator });
  else {
    const differing = add({ op: 'elementwise', name: 'xor', inputs: pair, dtype: accumulator });
    term = add({ op: 'elementwise', name: 'popcount', inputs: [differing], dtype: accumulator });
  }
  const sum = add({ op: 'reduce', combine: 'sum', input: term, dtype: accumulator });
  // Values of the epilogue come after the inner ones; its accumulator is the sum.
  const places: Value[] = [];
  const epilogue: Instruction[] = [];
  for (const instruction of kernel.epilogue) {
    if (instruction.op === 'accumulator') {
      places.push(sum);
      continue;
    }
    places.push(inner.length + epilogue.length);
    epilogue.push(renumber(instruction, (value) => at(places, value)));
  }
  return {
    kind: 'loop',
    name: kernel.name,
    loops: [...batch, ...m, ...n, ...k],
    outer,
    vector: k.length === 0 || outer > 0 ? outer - 1 : outer,
    buffers: kernel.buffers,
    instructions: [...inner, ...epilogue],
    stages: [...inner.map(() => 1), ...epilogue.map(() => 2)],
    rows: [],
    scatters: false,
  };
}

/** The instruction with its operands at other places. */
export function renumber(instruction: Instruction, map: (value: Value) => Value): Instruction {
  switch (instruction.op) {
    case 'elementwise':
      return { ...instruction, inputs: instruction.inputs.map(map) };
    case 'where': {
      const [x, y, z] = instruction.inputs;
      return { ...instruction, inputs: [map(x), map(y), map(z)] };
    }
    case 'cast':
    case 'bitcast':
      return { ...instruction, inputs: [map(instruction.inputs[0])] };
    case 'threefry': {
      const [x, y, z, w] = instruction.inputs;
      return { ...instruction, inputs: [map(x), map(y), map(z), map(w)] };
    }
    case 'gather':
      return { ...instruction, at: map(instruction.at) };
    case 'scatter':
      return { ...instruction, at: map(instruction.at), input: map(instruction.input) };
    case 'store':
    case 'reduce':
    case 'keep':
      return { ...instruction, input: map(instruction.input) };
    default:
      return instruction;
  }
}
