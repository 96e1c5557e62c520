// Which nodes become values of a kernel (roots), and which are computed where they are used (inlined).
import { elementwise, isElementwiseOp } from '../graph/elementwise.ts';
import type { Node } from '../graph/node.ts';
import { elementCount } from '../shape.ts';
import { contractionFits, contractionOf, viewsOf } from './contract.ts';
import type { PreparedGraph } from './prepare.ts';
import { isMovement, operand } from './view.ts';

export type RootKind = 'elementwise' | 'reduce' | 'contract' | 'scatter' | 'routine';

export interface Root {
  readonly node: Node;
  readonly kind: RootKind;
  /** A node of the same elements, computed in its place. */
  readonly computed?: Node;
  /** A sum over outer loops of the kernel that it joins: it does not say along which loops that kernel reduces. */
  readonly beside?: true;
}

/** The node whose operation and operands say how a root is computed. */
export function computedOf({ node, computed }: Root): Node {
  return computed ?? node;
}

/** Computations whose expression is bigger than this are cut (views at twice the size). */
const maximumExpression = 64;
/** An expression that costs no more may be computed again in each consumer. */
const cheapCost = 8;
/** … and behind a broadcast, where it is computed again for every copy. */
const cheapBroadcastCost = 3;

interface Expression {
  readonly cost: number;
  readonly size: number;
  /** Big buffers read, at most a few. */
  readonly reads: ReadonlySet<Node>;
}

export function isLeaf(node: Node): boolean {
  return node.op === 'data' || node.op === 'read';
}

export function kindOf(node: Node): RootKind {
  switch (node.op) {
    case 'sum':
    case 'prod':
    case 'maxReduce':
    case 'minReduce':
      return 'reduce';
    case 'dot':
    case 'conv':
      return 'contract';
    case 'scatterAdd':
      return 'scatter';
    case 'sort':
    case 'cumulative':
    case 'eigh':
    case 'cholesky':
    case 'triangularSolve':
    case 'allReduce':
      return 'routine';
    default:
      return 'elementwise';
  }
}

/** Decides, in order of the graph; `fuse: false` makes every computation a root. */
export function findRoots(graph: PreparedGraph, options: { fuse: boolean }): Map<Node, Root> {
  const forced = new Set<Node>([...graph.outputs, ...graph.assignments.map(({ value }) => value)]);
  for (const node of graph.nodes) forceOperands(node, forced);
  const users = countUsers(graph.nodes, forced);
  const permuted = options.fuse ? permutedContractions(graph.nodes, forced) : new Set<Node>();

  const roots = new Map<Node, Root>();
  const expressions = new Map<Node, Expression>();
  const leafExpression = (node: Node): Expression => ({ cost: 0, size: 1, reads: new Set([node]) });
  for (const node of graph.nodes) {
    const kind = kindOf(node);
    if (isLeaf(node)) {
      expressions.set(node, leafExpression(node));
      continue;
    }
    const own = expressionOf(node, expressions);
    if (permuted.has(node)) {
      // The permutation is the root: the contraction stores in its order.
      if (node.op === 'permute') roots.set(node, { node, kind: 'contract' });
      expressions.set(node, leafExpression(node));
      continue;
    }
    const computes = !isMovement(node) && node.op !== 'constant' && node.op !== 'iota';
    const isRoot =
      kind !== 'elementwise' ||
      forced.has(node) ||
      own.size > 2 * maximumExpression ||
      (computes && (!options.fuse || own.size > maximumExpression || !mayInline(node, own, users.get(node))));
    if (isRoot) {
      roots.set(node, { node, kind });
      expressions.set(node, leafExpression(node));
    } else {
      expressions.set(node, own);
    }
  }
  return roots;
}

/** Contractions whose only user is a permutation (of parts of their axes), and these permutations: together one kernel. */
function permutedContractions(nodes: readonly Node[], forced: ReadonlySet<Node>): Set<Node> {
  const direct = new Map<Node, number>();
  for (const node of nodes) for (const input of node.inputs) direct.set(input, (direct.get(input) ?? 0) + 1);
  const found = new Set<Node>();
  for (const node of nodes) {
    if (node.op !== 'permute') continue;
    const contraction = contractionOf(node);
    const inner = viewsOf(node).slice(0, -1);
    if (contraction === undefined || inner.some((view) => direct.get(view) !== 1 || forced.has(view))) continue;
    for (const view of [node, ...inner]) found.add(view);
  }
  return found;
}

interface Users {
  count: number;
  broadcast: boolean;
}

/** Consumers that compute, looking through movement; `broadcast` when some see the node repeated. */
function countUsers(nodes: readonly Node[], forced: ReadonlySet<Node>): Map<Node, Users> {
  const users = new Map<Node, Users>();
  const usersOf = (node: Node): Users => {
    const known = users.get(node);
    if (known !== undefined) return known;
    const fresh = { count: 0, broadcast: false };
    users.set(node, fresh);
    return fresh;
  };
  for (let i = nodes.length - 1; i >= 0; i--) {
    const node = nodes[i];
    if (node === undefined) continue;
    const own = usersOf(node);
    for (const [place, input] of node.inputs.entries()) {
      if (node.inputs.indexOf(input) < place) continue;
      const target = usersOf(input);
      if (isMovement(node) && !forced.has(node)) {
        const repeats = node.op === 'window' || (node.op === 'expand' && elementCount(node.shape) > elementCount(input.shape));
        target.count += own.count;
        target.broadcast ||= own.broadcast || repeats;
      } else {
        target.count += 1;
      }
    }
  }
  return users;
}

function expressionOf(node: Node, expressions: Map<Node, Expression>): Expression {
  let cost = isElementwiseOp(node.op) ? elementwise[node.op].cost : node.op === 'randomBits' ? 100 : isMovement(node) ? 0 : 1;
  let size = 1;
  let reads: ReadonlySet<Node> = none;
  for (const input of node.inputs) {
    const part = expressions.get(input);
    if (part === undefined) continue;
    cost += part.cost;
    size += part.size;
    reads = reads.size === 0 ? part.reads : union(reads, part.reads);
  }
  return { cost, size, reads };
}

const none: ReadonlySet<Node> = new Set();

/** All of both; one of them where it holds the other. */
function union(a: ReadonlySet<Node>, b: ReadonlySet<Node>): ReadonlySet<Node> {
  let all: Set<Node> | undefined;
  if (b !== a) {
    for (const node of b) {
      if (!a.has(node)) (all ??= new Set(a)).add(node);
    }
  }
  return all ?? a;
}

function mayInline(node: Node, expression: Expression, users: Users | undefined): boolean {
  if (users === undefined) return true;
  if (users.broadcast && expression.cost > cheapBroadcastCost) return false;
  if (users.count <= 1) return true;
  const elements = elementCount(node.shape);
  let bigReads = 0;
  for (const leaf of expression.reads) if (elementCount(leaf.shape) * 4 > elements) bigReads++;
  return expression.cost <= cheapCost && bigReads <= 1;
}

/** Operands that must lie in memory: of contractions (unless they are plain views), routines, gathers. */
function forceOperands(node: Node, forced: Set<Node>): void {
  switch (node.op) {
    case 'dot':
    case 'conv':
      node.inputs.forEach((input, side) => {
        const chain = viewChain(input);
        const plain = contractionOf(node);
        const base = chain.reverse().find((candidate) => plain !== undefined && contractionFits(plain, side, candidate));
        force(base ?? input, forced);
      });
      return;
    case 'gather':
      force(operand(node), forced);
      return;
    case 'scatterAdd':
      if (!isUniform(operand(node))) force(operand(node), forced);
      return;
    case 'sort':
    case 'cumulative':
    case 'eigh':
    case 'cholesky':
    case 'triangularSolve':
    case 'allReduce':
      for (const input of node.inputs) force(input, forced);
      break;
    default:
  }
}

/** One number in every place: nothing to materialise. */
function isUniform(node: Node): boolean {
  let base = node;
  while (base.op === 'expand' || base.op === 'reshape') base = operand(base);
  return base.op === 'constant';
}

function force(node: Node, forced: Set<Node>): void {
  if (!isLeaf(node)) forced.add(node);
}

/** A node and the nodes that it is a plain view of, ending at the first that computes or pads. */
function viewChain(node: Node): Node[] {
  const chain = [node];
  let last = node;
  while (isMovement(last) && last.op !== 'pad') {
    last = operand(last);
    chain.push(last);
  }
  return chain;
}

/** The memory that an operand views. */
export function viewBase(node: Node, roots: ReadonlyMap<Node, Root>): Node {
  let base = node;
  while (isMovement(base) && !roots.has(base)) base = operand(base);
  return base;
}
