// The loop that vectors run along: whole steps without masks, the rest with masks.
import type { Affine, Guard } from '@athanor/core/backend';
import type { Body, Form } from './body.ts';
import { at, call } from './text.ts';

export interface Range {
  /** C text of the first position and of the one behind the last. */
  readonly start: string;
  readonly stop: string;
  /** Positions of one turn: a multiple of the lanes. */
  readonly step: number;
  /** Guards that differ along the loop. */
  readonly guards: readonly Guard[];
}

export interface VectorLoopShape {
  readonly loops: readonly number[];
  readonly vector: number;
  readonly vectorIsOuter: boolean;
  readonly lanes: number;
}

export class VectorLoop {
  readonly #body: Body;
  readonly #loops: readonly number[];
  readonly #vector: number;
  readonly #vectorIsOuter: boolean;
  readonly #lanes: number;

  constructor(body: Body, { loops, vector, vectorIsOuter, lanes }: VectorLoopShape) {
    this.#body = body;
    this.#loops = loops;
    this.#vector = vector;
    this.#vectorIsOuter = vectorIsOuter;
    this.#lanes = lanes;
  }

  /** Runs `emit` for whole steps of the vector loop, and with masks for the rest. */
  run(range: Range, emit: (form: Form) => void): void {
    const { nest } = this.#body;
    const { start, stop, step, guards } = range;
    const name = nest.name('x');
    const outside = nest.depth;
    const size = at(this.#loops, this.#vector);
    const divides = size % step === 0;
    const full: Form = { groups: step / this.#lanes };
    const emitIn = (form: Form): void => {
      this.#body.bind(this.#vector, name);
      emit({ ...form, position: name });
      if (this.#vectorIsOuter) this.#body.endForm();
    };
    const careful = (groups: number): void => {
      const masks = Array.from({ length: groups }, (_, group) => {
        const mask = nest.name('m');
        nest.line(`const b_${this.#lanes} ${mask} = ${call('first', this.#lanes, `${stop} - ${name}${group === 0 ? '' : ` - ${group * this.#lanes}`}`)};`);
        return mask;
      });
      emitIn({ groups, masks });
    };
    // An inner vector loop must keep its positions in their logical lanes: steps are whole, but groups that lie behind the
    // end of the loop have nothing to do.
    const behind = (rest: number): number => Math.min(full.groups, Math.ceil(rest / this.#lanes));
    const carefulStep = this.#vectorIsOuter ? this.#lanes : step;
    if (guards.length > 0) {
      const bounds = this.#interior(guards);
      nest.line(`int64_t ${name} = ${start};`);
      nest.open(`while (${name} < ${stop})`);
      nest.line(`const int whole = ${name} >= ${bounds.low} && ${name} + ${step} <= ${bounds.high} && ${name} + ${step} <= ${stop};`);
      nest.open('if (whole)');
      emitIn(full);
      nest.line(`${name} += ${step};`);
      this.#body.close();
      nest.open('if (!whole)');
      careful(this.#vectorIsOuter ? 1 : behind(size));
      nest.line(`${name} += ${carefulStep};`);
      this.#body.close(outside);
      return;
    }
    if (size < step && !this.#vectorIsOuter) {
      nest.open('');
      nest.line(`const int64_t ${name} = ${start};`);
      careful(behind(size));
      this.#body.close();
      return;
    }
    nest.line(`int64_t ${name} = ${start};`);
    nest.open(`for (; ${name} + ${step} <= ${stop}; ${name} += ${step})`);
    emitIn(full);
    this.#body.close();
    if (divides) return;
    nest.open(`for (; ${name} < ${stop}; ${name} += ${carefulStep})`);
    careful(this.#vectorIsOuter ? 1 : behind(size % step));
    this.#body.close();
  }

  /** Positions of the vector loop between which all its guards hold, whatever inner loops do. */
  #interior(guards: readonly Guard[]): { low: string; high: string } {
    const { nest } = this.#body;
    const [low, high] = [nest.name('low'), nest.name('high')];
    nest.line(`int64_t ${low} = 0, ${high} = ${at(this.#loops, this.#vector)};`);
    for (const { index, size } of guards) {
      const stride = index.strides[this.#vector] ?? 0;
      const { text, least, most } = this.#open(index);
      // stride · i + base must lie in [0, size) for every base in [text + least, text + most].
      const [bottom, top] = stride > 0 ? [`-(${text} + ${least})`, `${size} - (${text} + ${most})`] : [`${text} + ${most} - ${size} + 1`, `${text} + ${least} + 1`];
      const distance = Math.abs(stride);
      nest.line(`{ const int64_t bottom = ceil_divide(${bottom}, ${distance}), top = ceil_divide(${top}, ${distance}); if (bottom > ${low}) ${low} = bottom; if (top < ${high}) ${high} = top; }`);
    }
    return { low, high };
  }

  /** An index at position 0 of the vector loop: the part that is known outside of it, and bounds of the rest. */
  #open(index: Affine): { text: string; least: number; most: number } {
    let [least, most] = [0, 0];
    const known = index.strides.map((stride, loop) => {
      if (loop === this.#vector) return 0;
      if (this.#body.variables[loop] !== undefined) return stride;
      const reach = stride * (at(this.#loops, loop) - 1);
      least += Math.min(0, reach);
      most += Math.max(0, reach);
      return 0;
    });
    return { text: this.#body.affine({ offset: index.offset, strides: known }, 'without vector').text, least, most };
  }
}
