// Whether a model takes a data set's samples and gives one logit a class: asked before anything is trained.
import { ShapeError, UserError, formatShape } from '@athanor/core';
import { trace } from '@athanor/core/nn';
import type { Module } from '@athanor/core/nn';
import { splitRef } from '@athanor/core/plugin';
import type { ComponentRef, DatasetPart } from '@athanor/core/plugin';

/** The model that `make` gives, checked on a batch of `batch` samples. Throws a UserError that names model and data. */
export function fittingModel<M extends Module>(ref: ComponentRef, data: DatasetPart, batch: number, make: () => M): M {
  const classes = data.classes.length;
  const place = `model ${splitRef(ref).name} on ${data.name} (samples ${formatShape(data.inputShape)}, ${classes} classes)`;
  const model = explained(place, make);
  const [output] = explained(place, () => trace(model, [batch, ...data.inputShape])).outputs;
  const shape = output?.shape ?? [];
  if (shape.length === 2 && shape[0] === batch && shape[1] === classes) return model;
  throw new ShapeError(`a batch of ${batch} gives ${formatShape(shape)}, not ${formatShape([batch, classes])}`, {
    place,
    remedy: 'a classifier gives one logit for each class',
  });
}

function explained<T>(place: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof UserError) throw new UserError(error.message, { place, cause: error });
    throw error;
  }
}
