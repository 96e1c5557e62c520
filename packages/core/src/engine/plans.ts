// Compiled graphs by structure: the same computation is compiled once per backend.
import type { Backend, CanonicalGraph, Executable, Graph } from '../backend/backend.ts';
import { canonicalize } from '../graph/canonical.ts';

/** Executables kept per backend; the least recently used one goes first. */
export const planLimit = 256;

interface Plans {
  readonly byHash: Map<string, Executable>;
  compiled: number;
}

const plansOf = new WeakMap<Backend, Plans>();

function plans(backend: Backend): Plans {
  let own = plansOf.get(backend);
  if (own === undefined) {
    own = { byHash: new Map(), compiled: 0 };
    plansOf.set(backend, own);
  }
  return own;
}

/** How many graphs a backend has compiled, and how many of them are kept. */
export function planCount(backend: Backend): { readonly compiled: number; readonly kept: number } {
  const { compiled, byHash } = plans(backend);
  return { compiled, kept: byHash.size };
}

/** The executable of a canonical graph. */
export function executableOf(backend: Backend, graph: CanonicalGraph): Executable {
  const own = plans(backend);
  const { hash } = graph;
  let executable = own.byHash.get(hash);
  if (executable === undefined) {
    executable = backend.compile(graph);
    own.compiled += 1;
  } else {
    own.byHash.delete(hash);
  }
  own.byHash.set(hash, executable);
  if (own.byHash.size > planLimit) {
    const [oldest] = own.byHash.keys();
    if (oldest !== undefined) own.byHash.delete(oldest);
  }
  return executable;
}

/** The executable of a graph, and the graph with its leaves in the order of the executable's binding. */
export function planFor(backend: Backend, graph: Graph): { readonly canonical: CanonicalGraph; readonly executable: Executable } {
  const canonical = canonicalize(graph);
  return { canonical, executable: executableOf(backend, canonical) };
}
