// The order in which groups run: operands first, readers of a Variable before the group that overwrites it.
import type { Node, VariableSlot } from '../graph/node.ts';
import { addDependencies, dependsOn, type Group } from './cluster.ts';

interface Assignment {
  readonly variable: VariableSlot;
  readonly value: Node;
}

/** Groups that read a Variable's old value, by the Variable's id. */
export function readersOf(groups: readonly Group[]): Map<number, Group[]> {
  const readers = new Map<number, Group[]>();
  for (const group of groups) {
    for (const node of group.emitter.reads) {
      if (node.op !== 'read') continue;
      const list = readers.get(node.attributes.variable.id) ?? [];
      list.push(group);
      readers.set(node.attributes.variable.id, list);
    }
  }
  return readers;
}

export function orderGroups(groups: readonly Group[], assignments: readonly Assignment[], nodes: readonly Node[]): Group[] {
  const readers = readersOf(groups);
  const writer = new Map<Node, Group>();
  for (const group of groups) for (const root of group.roots) writer.set(root.node, group);
  for (const { variable, value } of assignments) {
    const group = writer.get(value);
    if (group === undefined) continue;
    // A wish, not a need: where it would make a cycle, the new value is computed beside the old and copied at the end.
    for (const reader of readers.get(variable.id) ?? []) {
      if (reader !== group && !dependsOn(reader, group)) addDependencies(group, [reader], groups);
    }
  }
  const position = new Map(nodes.map((node, i) => [node, i]));
  const latest = new Map(groups.map((group) => [group, Math.max(...group.roots.map((root) => position.get(root.node) ?? 0))]));
  return bySchedule([...groups], latest);
}

/** Repeatedly takes the earliest group of which all predecessors have run. */
function bySchedule(groups: Group[], latest: ReadonlyMap<Group, number>): Group[] {
  const users: number[][] = groups.map(() => []);
  const missing = groups.map((group) => {
    for (const before of group.before) users[before.id]?.push(group.id);
    return group.before.size;
  });
  const keys = groups.map((group) => latest.get(group) ?? 0);
  const ready = new Heap((id: number) => keys[id] ?? 0);
  missing.forEach((count, id) => count === 0 && ready.push(id));
  const order: Group[] = [];
  for (let id = ready.pop(); id !== undefined; id = ready.pop()) {
    const group = groups[id];
    if (group !== undefined) order.push(group);
    for (const user of users[id] ?? []) {
      missing[user] = (missing[user] ?? 0) - 1;
      if (missing[user] === 0) ready.push(user);
    }
  }
  if (order.length !== groups.length) throw new Error('groups depend on each other in a circle');
  return order;
}

/** A binary heap of numbers ordered by a key. */
class Heap {
  private readonly items: number[] = [];
  private readonly key: (item: number) => number;

  constructor(key: (item: number) => number) {
    this.key = key;
  }

  push(item: number): void {
    this.items.push(item);
    let i = this.items.length - 1;
    while (i > 0) {
      const parent = (i - 1) >> 1;
      if (this.at(parent) <= this.at(i)) break;
      this.swap(i, parent);
      i = parent;
    }
  }

  pop(): number | undefined {
    const [top] = this.items;
    const last = this.items.pop();
    if (top === undefined || last === undefined || this.items.length === 0) return top;
    this.items[0] = last;
    for (let i = 0; ; ) {
      const left = 2 * i + 1;
      let least = i;
      if (left < this.items.length && this.at(left) < this.at(least)) least = left;
      if (left + 1 < this.items.length && this.at(left + 1) < this.at(least)) least = left + 1;
      if (least === i) return top;
      this.swap(i, least);
      i = least;
    }
  }

  private at(i: number): number {
    return this.key(this.items[i] ?? 0);
  }

  private swap(i: number, j: number): void {
    const [x, y] = [this.items[i] ?? 0, this.items[j] ?? 0];
    this.items[i] = y;
    this.items[j] = x;
  }
}
