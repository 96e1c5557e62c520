// Reductions over far-apart rows: reads long stretches of each row, several rows at a time, with the partial results of a
// whole piece in scratch.
import type { Lowered, Value } from '@athanor/core/backend';
import type { Code, Local } from '../assembler/code.ts';
import { at } from './at.ts';
import { laneBytes, type Body, type Group } from './body.ts';
import { allocate, constantLanes, identityOf, mapParts, part, type Lanes } from './lanes.ts';
import type { Access, Frame, Pointer } from './pointers.ts';

/** One reduction of stage 1. */
export interface Panel {
  readonly value: Value;
  readonly instruction: Extract<Lowered, { op: 'reduce' }>;
  readonly access: Access;
  /** Bytes into scratch. */
  readonly start: number;
}

/** The loop nest that a panel is part of. */
export interface LoopNest {
  readonly code: Code;
  readonly body: Body;
  readonly loops: readonly number[];
  readonly outer: number;
  readonly pointers: readonly Pointer[];
  emitVector(frame: Frame, pieceIndex: Local | undefined, turn: (groups: Group[], frame: Frame) => void, stage?: number): void;
  emitNest(loops: readonly number[], stage: number, frame: Frame, emitInside: (frame: Frame) => void): void;
}

/** Rows whose reads from memory overlap. */
const rowsTogether = 4;

/**
 * The loops of a reduction exchanged: for each inner position, all groups of the piece. Every lane still reduces alone and
 * in order, so the bits are the same.
 */
export function emitPanel(nest: LoopNest, panel: readonly Panel[], frame: Frame, pieceIndex: Local | undefined): void {
  const { body, code } = nest;
  const partials = (groups: readonly Group[], current: Frame, use: (part: Panel, lanes: Lanes, address: (half: number) => number) => void) => {
    for (const item of panel) {
      for (const group of groups) {
        const lanes = group.values.get(item.value) ?? allocate(code, item.instruction.dtype);
        group.values.set(item.value, lanes);
        const start = group.first * laneBytes(item.instruction.dtype);
        use(item, lanes, (half) => current.address(code, item.access, start + 16 * half));
      }
    }
  };
  const load = (_: Panel, lanes: Lanes, address: (half: number) => number) => mapParts(code, lanes, (half) => code.memory('v128.load', address(half)));
  const store = (_: Panel, lanes: Lanes, address: (half: number) => number) => {
    lanes.forEach((local, half) => {
      const offset = address(half);
      code.get(local).memory('v128.store', offset);
    });
  };
  const release = (groups: readonly Group[]) => {
    for (const group of groups) body.release(group);
  };
  nest.emitVector(frame, pieceIndex, (groups, current) => {
    partials(groups, current, ({ instruction }, lanes) => {
      const identity = constantLanes(code, identityOf(instruction.combine, instruction.dtype), instruction.dtype);
      mapParts(code, lanes, (half) => code.get(part(identity, half)));
    });
    partials(groups, current, store);
    release(groups);
  });
  const innermost = nest.loops.length - 1;
  const inner = nest.loops.map((_, loop) => loop).slice(nest.outer, innermost);
  // Several rows at a time: their reads from memory overlap.
  const together = (inside: Frame, rows: number) => {
    const steps = Array.from({ length: rows }, (_, row) => {
      body.emitShared(1, inside.fix(innermost, row));
      return body.takeShared(1);
    });
    nest.emitVector(inside, pieceIndex, (groups, current) => {
      body.emitGroups(0, current, groups);
      partials(groups, current, load);
      steps.forEach((shared, row) => {
        for (const group of groups) for (const [value, lanes] of shared) group.values.set(value, lanes);
        body.emitGroups(1, current.fix(innermost, row), groups);
        for (const group of groups) for (const value of shared.keys()) group.values.delete(value);
      });
      partials(groups, current, store);
      release(groups);
    });
    for (const shared of steps) for (const lanes of shared.values()) body.releaseLanes(lanes);
  };
  nest.emitNest(inner, 1, frame, (inside) => emitStrided(nest, innermost, inside, together));
  nest.emitVector(frame, pieceIndex, (groups, current) => {
    body.emitGroups(0, current, groups);
    partials(groups, current, load);
    body.emitGroups(2, current, groups);
    release(groups);
  });
}

/** One inner loop by steps of several positions, and what is left of it. */
function emitStrided(nest: LoopNest, loop: number, frame: Frame, emitInside: (frame: Frame, positions: number) => void): void {
  const { code } = nest;
  const size = at(nest.loops, loop);
  const moving = nest.pointers.filter((pointer) => at(pointer.strides, loop) !== 0);
  const { frame: current, copies } = frame.copy(code, moving);
  const turns = Math.floor(size / rowsTogether);
  if (turns > 0) {
    const counter = code.local('i32');
    code.i32(turns).set(counter);
    const again = code.loop();
    emitInside(current, rowsTogether);
    for (const pointer of moving) {
      const local = copies.get(pointer.index);
      if (local !== undefined) code.advance(local, at(pointer.strides, loop) * rowsTogether);
    }
    code.advance(counter, -1).get(counter).brIf(again);
    code.end();
    code.release(counter);
  }
  if (size % rowsTogether > 0) emitInside(current, size % rowsTogether);
  for (const local of copies.values()) code.release(local);
}
