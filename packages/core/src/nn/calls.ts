// Which module's forward is running: what nodes record, and who listens.
import { buildContext, nodeCount } from '../graph/create.ts';

/** One call of a module's forward, as listeners see it when it is over. */
export interface ModuleCall {
  readonly module: object;
  readonly path: string;
  readonly inputs: readonly unknown[];
  readonly output: unknown;
  /** Calls around this one. */
  readonly depth: number;
  /** Nodes made by the call have numbers above `start`, up to `end`. */
  readonly start: number;
  readonly end: number;
}

interface CallState {
  /** The outermost module whose forward runs. */
  root: object | undefined;
  depth: number;
  listener: ((call: ModuleCall) => void) | undefined;
}

const state: CallState = { root: undefined, depth: 0, listener: undefined };

/** The outermost module whose forward runs now. */
export function rootModule(): object | undefined {
  return state.root;
}

/** Runs a module's forward with its path in everything that is made meanwhile. */
export function runInModule<T>(module: object, path: string, inputs: readonly unknown[], forward: () => T): T {
  const outerPath = buildContext.module;
  const outerRoot = state.root;
  state.root ??= module;
  state.depth += 1;
  buildContext.module = path;
  const start = nodeCount();
  try {
    const output = forward();
    state.listener?.({ module, path, inputs, output, depth: state.depth - 1, start, end: nodeCount() });
    return output;
  } finally {
    buildContext.module = outerPath;
    state.root = outerRoot;
    state.depth -= 1;
  }
}

/** Reports every module call that a function makes. */
export function listenToCalls<T>(listener: (call: ModuleCall) => void, fn: () => T): T {
  const outer = state.listener;
  state.listener = listener;
  try {
    return fn();
  } finally {
    state.listener = outer;
  }
}
