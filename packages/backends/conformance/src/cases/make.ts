// Shorthands for the two usual cases: some values, and a value with its gradients.
import type { Node } from '@athanor/core/backend';
import { withGradients } from '../compose.ts';
import type { Case } from '../problem.ts';

type About = Pick<Case, 'op' | 'dtype' | 'shape' | 'tolerance'>;

export function forward(about: About, outputs: () => readonly Node[]): Case {
  return { ...about, direction: 'forward', build: () => ({ outputs: outputs() }) };
}

/** The first node is the value, the others are what it is differentiated by. */
export function backward(about: About, graph: () => readonly [value: Node, ...targets: Node[]]): Case {
  const build = () => {
    const [value, ...targets] = graph();
    return withGradients(value, targets);
  };
  return { ...about, direction: 'backward', build };
}
