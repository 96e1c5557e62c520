// The engine's state: the current backend, assignments that wait, the trace in progress, what has been computed.
import type { Backend } from '../backend/backend.ts';
import type { TypedArray } from '../dtype.ts';
import { nodeCount } from '../graph/create.ts';
import type { Node } from '../graph/node.ts';
import { referenceBackend } from '../reference/backend.ts';
import type { Storage } from './storage.ts';

/** A value that a storage will have after the next flush. */
export interface Assignment {
  readonly value: Node;
  /** Set where the value is known on the host: then it is copied instead of computed. */
  readonly host: TypedArray | undefined;
  readonly writer: string;
}

/** What a function does to the outside while `compile` or `trace` runs it. */
export interface Trace {
  readonly name: string;
  /** Whether Variables may be made: `trace` looks on while a model is built, `compile` does not. */
  readonly mayCreate: boolean;
  /** Nodes up to this number were made outside. */
  readonly start: number;
  readonly assignments: Map<Storage, Assignment>;
  readonly flags: Map<object, TrainingFlag>;
  /** Draws reserved from each random stream. */
  readonly draws: Map<DrawCounter, number>;
  /** A mistake whose own error may go unheard, such as a rejected promise. */
  mistake: Error | undefined;
}

/** The host's count of a random stream's draws. */
export interface DrawCounter {
  advance(draws: number): void;
}

/** A module's `training` flag as a trace saw it. */
export interface TrainingFlag {
  readonly current: () => boolean;
  readonly seen: boolean;
}

interface EngineState {
  backend: Backend;
  /** Assignments outside of traces. */
  readonly waiting: Map<Storage, Assignment>;
  trace: Trace | undefined;
  /** An optimiser stepped since the last flush: the next read of a Variable flushes. */
  stepped: boolean;
  /** Reads do not flush while an optimiser updates: its assignments belong to the same flush as those that wait. */
  holding: boolean;
  /** Nodes to compute with the next flush although nobody awaits them: losses of optimiser steps. */
  wanted: Node[];
  nodesAtFlush: number;
  warned: boolean;
  /** Storages that the innermost scope frees at its end. */
  scope: Set<Storage> | undefined;
}

export const engine: EngineState = {
  backend: referenceBackend(),
  waiting: new Map(),
  trace: undefined,
  stepped: false,
  holding: false,
  wanted: [],
  nodesAtFlush: 0,
  warned: false,
  scope: undefined,
};

/** Leaves (data or reads of storages) that hold the values of computed nodes. */
const computed = new WeakMap<Node, Node>();

/** From now on, graphs that need `node` use `leaf`. */
export function remember(node: Node, leaf: Node): void {
  computed.set(node, leaf);
}

/** The leaf with a node's value, if it has been computed. */
export function computedLeaf(node: Node): Node | undefined {
  return computed.get(node);
}

/** Storages that a node's value was written to by a flush, so that graphs made before it still know what they read. */
const written = new WeakMap<Node, Set<object>>();

/** From now on, `node` also stands for the storage: its value is what the storage held after a flush. */
export function rememberWrite(node: Node, storage: object): void {
  written.set(node, (written.get(node) ?? new Set()).add(storage));
}

/** The storages that a node's value was written to. */
export function writtenTo(node: Node): Iterable<object> {
  return written.get(node) ?? [];
}

/** Assignments of the trace in progress, else those that wait for a flush. */
export function openAssignments(): Map<Storage, Assignment> {
  return engine.trace?.assignments ?? engine.waiting;
}

/** Nodes made since the last flush. */
export function nodesWaiting(): number {
  return nodeCount() - engine.nodesAtFlush;
}

/** Runs an update whose reads see what waits, without flushing in between. */
export function holdFlushes(update: () => void): void {
  const outer = engine.holding;
  engine.holding = true;
  try {
    update();
  } finally {
    engine.holding = outer;
  }
}

/** An optimiser has assigned: the next read of a Variable flushes, and the loss is computed with it. */
export function noteStep(loss: Node | undefined): void {
  if (engine.trace !== undefined) return;
  engine.stepped = true;
  if (loss !== undefined) engine.wanted.push(loss);
}

/** Runs programs on this backend from now on. Variables move to it when they are next used. */
export function setBackend(backend: Backend): void {
  engine.backend = backend;
}

/** The backend that programs run on: the float64 reference until one is set. */
export function currentBackend(): Backend {
  return engine.backend;
}
