// What is known of a kernel body before code is made: which values differ along the vector loop, when each is used last,
// what each stage holds.
import { inputsOf, type Guard, type Lowered, type LoweredBody, type Value } from '@athanor/core/backend';
import { at } from './at.ts';
import type { Access, PointerTable } from './pointers.ts';

export interface BodyShape {
  /** The loop that groups run along. */
  readonly vector: number;
  /** Whether groups are positions of an outer loop (each reduces alone). */
  readonly vectorIsOuter: boolean;
  /** Bytes per step of each loop in a row of scratch. */
  readonly rowStrides: (row: number) => readonly number[];
}

/** Within a stage, what is kept is written after what is computed, and what is stored after that. */
export function emissionOf({ op }: Lowered): 0 | 1 | 2 {
  if (op === 'store') return 2;
  return op === 'keep' ? 1 : 0;
}

export class Analysis {
  /** Whether each value differs along the vector loop. */
  readonly varies: readonly boolean[];
  /** The last instruction that uses each value, in the order of `emissionOf`. */
  readonly lastUse: readonly number[];
  private readonly list: readonly Lowered[];
  private readonly stages: readonly number[];
  private readonly pointers: PointerTable;
  private readonly shape: BodyShape;

  constructor(body: LoweredBody, pointers: PointerTable, shape: BodyShape) {
    this.list = body.instructions;
    this.stages = body.stages;
    this.pointers = pointers;
    this.shape = shape;
    for (const instruction of this.list) pointers.of(instruction, shape.rowStrides);
    this.varies = this.findVarying();
    const lastUse = this.list.map((_, i) => i);
    this.list.forEach((instruction, i) => {
      for (const input of inputsOf(instruction)) {
        const before = at(lastUse, input);
        const isLater = before === input || this.stages[before] !== this.stages[i] || emissionOf(instruction) >= emissionOf(at(this.list, before));
        if (isLater) lastUse[input] = i;
      }
    });
    this.lastUse = lastUse;
  }

  get lastStage(): number {
    return this.stages.at(-1) ?? 0;
  }

  private findVarying(): boolean[] {
    const varies: boolean[] = [];
    const moves = (access: Access) => access.pointer.strides[this.shape.vector] !== 0;
    const guarded = (guards: readonly Guard[]) => guards.some((guard) => moves(this.pointers.affine(guard.index)));
    this.list.forEach((instruction) => {
      switch (instruction.op) {
        case 'load':
          varies.push(moves(this.pointers.buffer(instruction)) || guarded(instruction.guards));
          break;
        case 'gather':
          varies.push(moves(this.pointers.buffer(instruction)) || guarded(instruction.guards) || at(varies, instruction.at));
          break;
        case 'index':
          varies.push(moves(this.pointers.affine(instruction.index)));
          break;
        case 'inside':
          varies.push(guarded(instruction.guards));
          break;
        case 'reduce':
          varies.push(this.shape.vectorIsOuter);
          break;
        case 'keep':
        case 'recall':
        case 'store':
        case 'scatter':
        case 'accumulator':
          varies.push(true);
          break;
        default:
          varies.push(inputsOf(instruction).some((input) => at(varies, input)));
      }
    });
    return varies;
  }

  /** Positions in the list of the instructions of a stage that `wanted` accepts. */
  select(stage: number, wanted: (instruction: Lowered, index: number) => boolean): number[] {
    return this.list.flatMap((instruction, i) => (this.stages[i] === stage && wanted(instruction, i) ? [i] : []));
  }

  /** Instructions of a stage that are emitted once per group. */
  perGroup(stage: number): number[] {
    return this.select(stage, (instruction, i) => instruction.op !== 'constant' && (at(this.varies, i) || instruction.op === 'reduce'));
  }

  /** How many instructions a group of a stage takes: what unrolling is decided by. */
  cost(stage: number): number {
    return this.perGroup(stage).length;
  }

  reductions(stage: number): { value: Value; instruction: Extract<Lowered, { op: 'reduce' }> }[] {
    return this.select(stage, ({ op }) => op === 'reduce').flatMap((value) => {
      const instruction = at(this.list, value);
      return instruction.op === 'reduce' ? [{ value, instruction }] : [];
    });
  }

  allReductions(): ReturnType<Analysis['reductions']> {
    return Array.from({ length: this.lastStage + 1 }, (_, stage) => this.reductions(stage)).flat();
  }

  /** Whether a stage holds an instruction of one of the given kinds. */
  has(stage: number, ...ops: readonly Lowered['op'][]): boolean {
    return this.select(stage, ({ op }) => ops.includes(op)).length > 0;
  }

  /** Bytes between accesses of a stage at neighbouring positions of a loop: the largest. */
  largestStride(stage: number, loop: number): number {
    const strides = [...this.pointersOf(stage)].map((i) => {
      const pointer = at(this.pointers.pointers, i);
      return typeof pointer.source === 'number' ? Math.abs(pointer.strides[loop] ?? 0) : 0;
    });
    return Math.max(0, ...strides);
  }

  /** Pointers that the instructions of a stage use. */
  pointersOf(stage: number): Set<number> {
    const indices = this.select(stage, () => true).flatMap((i) => this.pointers.of(at(this.list, i), this.shape.rowStrides));
    return new Set(indices.map(({ index }) => index));
  }
}
