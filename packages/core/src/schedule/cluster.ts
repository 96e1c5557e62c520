// Groups roots into kernels: each root joins the latest kernel that can compute it in the same loop nest.
import type { BackendLimits } from '../backend/backend.ts';
import { UserError } from '../errors.ts';
import type { Node } from '../graph/node.ts';
import type { Affine } from '../kernel/ir.ts';
import { elementCount } from '../shape.ts';
import { Refine, Unfusable } from './affine.ts';
import { isColumnSum, splitColumns } from './columns.ts';
import { contractSpace, contractionOf, inputOf, operandPosition, operandSides, type Contraction } from './contract.ts';
import { Emitter } from './emit.ts';
import { computedOf, isLeaf, kindOf, viewBase, type Root } from './roots.ts';
import { cutsVectors, hasShortRuns, makeAxis, makeSpace, withRefinement, type Axis, type Space } from './space.ts';
import { operand } from './view.ts';

export type GroupKind = 'loop' | 'contract' | 'scatter' | 'routine';

/** Roots that one kernel computes, and the instructions that do. */
export interface Group {
  readonly id: number;
  readonly kind: GroupKind;
  readonly roots: Root[];
  emitter: Emitter;
  /** Positions of the operands of a contraction. */
  operands: { readonly a: Operand; readonly b: Operand } | undefined;
  /** Groups that must run before this one. */
  readonly before: Set<Group>;
  /** … and those that must run before them, as bits by id; grows. */
  after: Uint32Array<ArrayBuffer>;
}

export interface Operand {
  readonly base: Node;
  readonly position: Affine;
}

/** A root whose expression does not fit one kernel; `culprit` must be materialised first. */
export class Unschedulable extends Error {
  readonly culprit: Node;

  constructor(culprit: Node) {
    super(`${culprit.op} must be materialised`);
    this.culprit = culprit;
  }
}

const maximumInstructions = 256;
const maximumRoots = 24;
const candidatesTried = 8;
/** A kernel with fewer outer positions than this does not take on big elementwise work that many threads could share. */
const fewPositions = 4;
const bigWork = 65536;

export interface ClusterOptions {
  readonly limits: BackendLimits;
  readonly fuse: boolean;
}

/** Groups all roots, and adds to `roots` those that turn out to be needed. */
export function cluster(roots: Map<Node, Root>, options: ClusterOptions): Group[] {
  const clustering = new Clustering(roots, options);
  // Sums over the first axes join the kernel that reads the same rows for another reason, wherever in the graph it stands.
  const late = new Map<Node, Root>();
  for (const root of Array.from(roots.values())) {
    const waits = options.fuse && (isColumnSum(root.node) || (late.size > 0 && [...readsOf(root, roots)].some((node) => late.has(node))));
    if (waits) late.set(root.node, root);
    else clustering.place(root);
  }
  for (const root of late.values()) clustering.place(root);
  return clustering.groups;
}

class Clustering {
  readonly groups: Group[] = [];
  private readonly roots: Map<Node, Root>;
  private readonly options: ClusterOptions;
  private readonly groupOf = new Map<Node, Group>();
  private readonly readers = new Map<Node, Group[]>();

  constructor(roots: Map<Node, Root>, options: ClusterOptions) {
    this.roots = roots;
    this.options = options;
  }

  /** Finds a kernel for a root. What does not fit one kernel is materialised first: one more view or operand becomes a root. */
  place(root: Root): void {
    const waiting = [root];
    for (let next = waiting.at(-1); next !== undefined; next = waiting.at(-1)) {
      try {
        if (!this.groupOf.has(next.node)) this.placeAlone(next);
        waiting.pop();
      } catch (error) {
        if (!(error instanceof Unschedulable)) throw error;
        const extra: Root = { node: error.culprit, kind: kindOf(error.culprit) };
        this.roots.set(extra.node, extra);
        waiting.push(extra);
      }
    }
  }

  private placeAlone(root: Root): void {
    const reads = readsOf(root, this.roots);
    const needed = [...reads].flatMap((node) => this.groupOf.get(node) ?? []);
    const split = this.options.fuse && root.computed === undefined ? splitColumns(root.node) : undefined;
    const partial: Root | undefined = split && { node: split.partial, kind: 'reduce', beside: true };
    const partialHost = partial && this.hostOf(partial, reads, needed, (group) => this.hasAtHand(group, partial, reads));
    if (split !== undefined && partial !== undefined && partialHost !== undefined) {
      this.roots.set(partial.node, partial);
      this.enter(partial, partialHost, { reads, needed });
      const total: Root = { ...root, computed: split.total };
      this.roots.set(root.node, total);
      this.placeAlone(total);
      return;
    }
    this.enter(root, this.hostOf(root, reads, needed) ?? this.newGroup(root), { reads, needed });
  }

  private hostOf(root: Root, reads: ReadonlySet<Node>, needed: readonly Group[], accepts: HostContext['accepts'] = () => true): Group | undefined {
    const { roots, readers, groupOf } = this;
    const { limits, fuse } = this.options;
    return fuse ? findHost(root, reads, needed, { roots, readers, limits, groupOf, accepts }) : undefined;
  }

  /** Whether a kernel reads or makes everything big that a root needs. */
  private hasAtHand(group: Group, root: Root, reads: ReadonlySet<Node>): boolean {
    return [...reads].every((node) => elementCount(node.shape) * 2 < workOf(root) || group.emitter.reads.has(node) || this.groupOf.get(node) === group);
  }

  private newGroup(root: Root): Group {
    const { groups, roots } = this;
    const group = {
      id: groups.length,
      kind: groupKind(root),
      roots: [root],
      ...build([root], roots, this.options.limits),
      before: new Set<Group>(),
      after: new Uint32Array((groups.length >>> 5) + 1),
    };
    groups.push(group);
    return group;
  }

  /** Notes that a group computes a root. */
  private enter(root: Root, group: Group, { reads, needed }: { reads: ReadonlySet<Node>; needed: readonly Group[] }): void {
    this.groupOf.set(root.node, group);
    // A kernel that was built anew may read what has been materialised since. Nothing depends on one that has just begun.
    addDependencies(group, [...needed, ...groupsRead(group.emitter, this.groupOf)], group.roots.length === 1 ? [group] : this.groups);
    for (const node of reads) {
      const list = this.readers.get(node) ?? [];
      if (list.at(-1) !== group) list.push(group);
      this.readers.set(node, list);
    }
  }
}

/** The groups that compute what a kernel reads. */
function groupsRead(emitter: Emitter, groupOf: ReadonlyMap<Node, Group>): Group[] {
  return [...emitter.reads].flatMap((node) => groupOf.get(node) ?? []);
}

/** The memory that a root's expression reads. */
function readsOf(root: Root, roots: ReadonlyMap<Node, Root>): Set<Node> {
  const reads = new Set<Node>();
  const seen = new Set<Node>();
  const stack = [...computedOf(root).inputs];
  for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
    if (seen.has(node)) continue;
    seen.add(node);
    if (isLeaf(node) || roots.has(node)) reads.add(node);
    else stack.push(...node.inputs);
  }
  return reads;
}

function groupKind(root: Root): GroupKind {
  return root.kind === 'contract' || root.kind === 'scatter' || root.kind === 'routine' ? root.kind : 'loop';
}

export function dependsOn(group: Group, other: Group): boolean {
  return ((group.after[other.id >>> 5] ?? 0) & (1 << (other.id & 31))) !== 0;
}

/** Makes `group`, and all of `groups` that are behind it, run after `needed`. */
export function addDependencies(group: Group, needed: readonly Group[], groups: readonly Group[]): void {
  let fresh = new Uint32Array(1);
  let changes = false;
  for (const before of needed) {
    if (before === group) continue;
    group.before.add(before);
    if (dependsOn(group, before)) continue;
    changes = true;
    fresh = union(fresh, before.after, before.id);
  }
  if (!changes) return;
  const [word, bit] = [group.id >>> 5, 1 << (group.id & 31)];
  for (let i = 0; i < groups.length; i++) {
    const other = groups[i] as Group;
    if (other === group || ((other.after[word] ?? 0) & bit) !== 0) other.after = union(other.after, fresh);
  }
}

/** The bits of both, and one more; in place where it fits. */
function union(bits: Uint32Array<ArrayBuffer>, more: Uint32Array<ArrayBuffer>, extra?: number): Uint32Array<ArrayBuffer> {
  const words = Math.max(bits.length, more.length, extra === undefined ? 0 : (extra >>> 5) + 1);
  const out = words > bits.length ? new Uint32Array(words) : bits;
  if (out !== bits) out.set(bits);
  for (let i = 0; i < more.length; i++) out[i] = (out[i] ?? 0) | (more[i] ?? 0);
  if (extra !== undefined) out[extra >>> 5] = (out[extra >>> 5] ?? 0) | (1 << (extra & 31));
  return out;
}

interface HostContext {
  readonly roots: ReadonlyMap<Node, Root>;
  readonly readers: ReadonlyMap<Node, readonly Group[]>;
  readonly limits: BackendLimits;
  readonly groupOf: ReadonlyMap<Node, Group>;
  readonly accepts: (group: Group) => boolean;
}

/** An existing kernel that can also compute `root`, with the root added to it; undefined if there is none. */
function findHost(root: Root, reads: ReadonlySet<Node>, needed: readonly Group[], context: HostContext): Group | undefined {
  if (root.kind !== 'elementwise' && root.kind !== 'reduce') return undefined;
  const producers = [...new Set(needed)].sort((x, y) => y.id - x.id);
  const siblings = [...reads].flatMap((node) => (elementCount(node.shape) * 2 >= workOf(root) ? (context.readers.get(node) ?? []).slice(-4) : []));
  const candidates = [...new Set([...producers, ...siblings])].slice(0, candidatesTried);
  for (const group of candidates) {
    if (!mayHost(group, root, producers.includes(group)) || !context.accepts(group) || needed.some((before) => before !== group && dependsOn(before, group))) continue;
    if (extend(group, root, context)) return group;
  }
  return undefined;
}

/** Adds a root to a group's kernel as it stands, or builds the kernel anew where its loops must change. */
function extend(group: Group, root: Root, context: HostContext): boolean {
  const members = [...group.roots, root];
  const newDomain = setsLoops(root) && !group.roots.some(setsLoops);
  const rebuild = (): boolean => {
    const built = build(members, context.roots, context.limits);
    // What was materialised after a member used it would now be read before this kernel computes it.
    if (members.some(({ node }) => built.emitter.reads.has(node))) return false;
    if (groupsRead(built.emitter, context.groupOf).some((other) => other !== group && dependsOn(other, group))) return false;
    Object.assign(group, built);
    return true;
  };
  try {
    if (!newDomain) group.emitter.add(root, (emitter) => checkLimits(emitter, members.length, context.limits));
    else if (attempt(rebuild) !== true) return false;
  } catch (error) {
    if (error instanceof Unfusable) return false;
    if (!(error instanceof Refine)) throw error;
    if (attempt(rebuild) !== true) return false;
  }
  group.roots.push(root);
  return true;
}

/** Whether a root says along which loops its kernel reduces. */
function setsLoops(root: Root): boolean {
  return root.kind === 'reduce' && root.beside === undefined;
}

/** Elements that a root's expression runs over. */
function workOf(root: Root): number {
  return elementCount(root.kind === 'reduce' ? operand(computedOf(root)).shape : root.node.shape);
}

function mayHost(group: Group, root: Root, producer: boolean): boolean {
  if (group.roots.length >= maximumRoots || hasShortRuns(group.emitter.space)) return false;
  const work = workOf(root);
  const { space } = group.emitter;
  const domain = elementCount(space.axes.filter((axis) => axis.class !== 'k').map((axis) => axis.size));
  if (group.kind === 'contract') return producer && root.kind === 'elementwise' && work === domain;
  if (group.kind !== 'loop') return false;
  const outer = elementCount(space.axes.filter((axis) => axis.class === 'outer').map((axis) => axis.size));
  if (root.kind === 'elementwise' && work === domain) return outer >= fewPositions || work < bigWork;
  if (root.kind === 'elementwise') return work === outer;
  return work === domain;
}

function attempt<T>(action: () => T): T | undefined {
  try {
    return action();
  } catch (error) {
    if (error instanceof Unfusable || error instanceof Refine || error instanceof Unschedulable) return undefined;
    throw error;
  }
}

interface Built {
  readonly emitter: Emitter;
  readonly operands: Group['operands'];
}

/** The instructions of a kernel that computes these roots. Throws Unschedulable if a root alone does not fit. */
function build(members: readonly Root[], roots: ReadonlyMap<Node, Root>, limits: BackendLimits): Built {
  const [first] = members;
  if (first === undefined) throw new Error('a kernel needs a root');
  try {
    return withRefinement(spaceOf(members), (space) => attemptIn(space, members, { roots, limits }));
  } catch (error) {
    if (!(error instanceof Unfusable || error instanceof Refine) || members.length > 1) throw error;
    throw new Unschedulable(culpritOf(error.culprit, first.node, roots));
  }
}

type BuildContext = Pick<HostContext, 'roots' | 'limits'>;

/** One try at a space. A split that would spoil the vector loop for a view's sake makes that view a kernel of its own. */
function attemptIn(space: Space, members: readonly Root[], context: BuildContext): Built {
  try {
    return emitAll(space, members, context);
  } catch (error) {
    if (error instanceof Refine && error.culprit !== undefined && cutsVectors(space, error) && !(members.length === 1 && error.culprit === members[0]?.node)) {
      throw new Unschedulable(error.culprit);
    }
    throw error;
  }
}

function emitAll(space: Space, members: readonly Root[], { roots, limits }: BuildContext): Built {
  const [first] = members;
  if (first === undefined) throw new Error('a kernel needs a root');
  const contraction = first.kind === 'contract' ? contractionOf(first.node) : undefined;
  const emitter = new Emitter(space, roots, contraction === undefined ? undefined : first.node);
  const operands = contraction === undefined ? undefined : operandsOf(contraction, space, roots);
  if (operands !== undefined) {
    emitter.reads.add(operands.a.base);
    emitter.reads.add(operands.b.base);
  }
  if (first.kind === 'scatter' || first.kind === 'routine') for (const node of readsOf(first, roots)) emitter.reads.add(node);
  if (first.kind === 'scatter' && first.node.op === 'scatterAdd') emitter.addScatter(first.node);
  if (first.kind !== 'scatter' && first.kind !== 'routine') for (const root of members) emitter.add(root, (grown) => checkLimits(grown, members.length, limits));
  return { emitter, operands };
}

function culpritOf(named: Node | undefined, root: Node, roots: ReadonlyMap<Node, Root>): Node {
  const culprit = named ?? root;
  if (culprit !== root && !roots.has(culprit)) return culprit;
  const inlined = [...culprit.inputs, ...root.inputs].find((input) => !roots.has(input) && input.inputs.length > 0);
  if (inlined === undefined) throw new UserError(`this backend cannot run ${root.op} on shape [${root.shape.join(', ')}]`, { place: root.module });
  return inlined;
}

function operandsOf(contraction: Contraction, space: Space, roots: ReadonlyMap<Node, Root>): { a: Operand; b: Operand } {
  const { node } = contraction;
  const sides = operandSides(node);
  const side = (i: number): Operand => {
    const base = viewBase(inputOf(node, i), roots);
    return { base, position: operandPosition(contraction, i, base, space) };
  };
  return { a: side(sides.a), b: side(sides.b) };
}

function spaceOf(members: readonly Root[]): Space {
  const [first] = members;
  const contraction = first?.kind === 'contract' ? contractionOf(first.node) : undefined;
  if (contraction !== undefined) return contractSpace(contraction);
  const scatter = members.find((root) => root.kind === 'scatter');
  if (scatter !== undefined && scatter.node.op === 'scatterAdd') {
    const { axis } = scatter.node.attributes;
    return makeSpace(inputOf(scatter.node, 2).shape.map((size, i) => makeAxis(size, i === axis ? 'inner' : 'outer')));
  }
  const reduction = members.find(setsLoops);
  const reduced = reduction && computedOf(reduction);
  if (reduced !== undefined && 'axes' in reduced.attributes) {
    const { axes } = reduced.attributes;
    return makeSpace(operand(reduced).shape.map((size, i): Axis => makeAxis(size, axes.includes(i) ? 'inner' : 'outer')));
  }
  return makeSpace((first?.node.shape ?? []).map((size) => makeAxis(size, 'outer')));
}

/** Buffers, stores and instructions stay below the limits; a root alone that reads too much is cut at an operand. */
function checkLimits(emitter: Emitter, stores: number, limits: BackendLimits): void {
  const buffers = emitter.reads.size + stores;
  if (buffers > limits.buffersPerKernel || stores > limits.storesPerKernel || emitter.drafts.length > maximumInstructions + 2) {
    if (stores > 1 || buffers > limits.buffersPerKernel) throw new Unfusable('too many buffers or instructions');
  }
}
