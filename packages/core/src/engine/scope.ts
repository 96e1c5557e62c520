// Scopes: device memory of realized tensors lives as long as the scope in which they were made.
import type { BackendMemory } from '../backend/backend.ts';
import { deviceStorage } from '../tensor/tensor.ts';
import { flush } from './flush.ts';
import { planCount } from './plans.ts';
import { settled } from './queue.ts';
import { tensorsIn } from './pytree.ts';
import { engine } from './state.ts';
import type { Storage } from './storage.ts';

/** Ends a scope: computes what waits, hands the result's memory to the scope around it, frees the rest. */
function close(own: Set<Storage>, outer: Set<Storage> | undefined, result: unknown): void {
  engine.scope = outer;
  flush();
  for (const tensor of tensorsIn(result)) {
    const storage = deviceStorage(tensor);
    if (storage !== undefined && own.delete(storage)) outer?.add(storage);
  }
  for (const storage of own) storage.dispose();
}

/**
 * Runs a function (which may be asynchronous), computes all waiting assignments, and frees the device memory of tensors
 * realized meanwhile, but for those in its result (tensors in arrays and plain objects). Scopes nest; two asynchronous
 * ones must not overlap otherwise.
 */
export function scope<T>(fn: () => T): T {
  const outer = engine.scope;
  const own = new Set<Storage>();
  engine.scope = own;
  let result: T;
  try {
    result = fn();
  } catch (error) {
    closeAfterError(own, outer);
    throw error;
  }
  if (result instanceof Promise) return closeLater(result, own, outer) as T;
  close(own, outer, result);
  return result;
}

async function closeLater<T>(result: Promise<T>, own: Set<Storage>, outer: Set<Storage> | undefined): Promise<T> {
  try {
    const value = await result;
    close(own, outer, value);
    await settled();
    return value;
  } catch (error) {
    closeAfterError(own, outer);
    throw error;
  }
}

function closeAfterError(own: Set<Storage>, outer: Set<Storage> | undefined): void {
  engine.scope = outer;
  for (const storage of own) storage.dispose();
}

export interface MemoryReport extends BackendMemory {
  readonly backend: string;
  /** Compiled graphs that are kept. */
  readonly plans: number;
  /** Assignments that wait for a flush. */
  readonly waiting: number;
}

/** What the current backend holds: its arena, and the memory of Variables, realized tensors and outputs. */
export function memory(): MemoryReport {
  const { backend } = engine;
  const { arena, owned, allocations } = backend.memory();
  return { backend: backend.name, arena, owned, allocations, plans: planCount(backend).kept, waiting: engine.waiting.size };
}
