// The interpreter as a component: the other backends are packages of their own.
import { referenceBackend } from '@athanor/core/backend';
import { component } from '@athanor/core/plugin';
import * as z from 'zod';

export const referenceComponent = component({
  kind: 'backend',
  name: 'reference',
  summary: 'Interprets the graph in float64, the measure of the others: slow, and only here a resumed run may differ in last bits',
  schema: z.strictObject({}),
  create: () => referenceBackend(),
});
