// What the experiments on normalization need beside the packages: models, probes, stages.
import { definePlugin } from '@athanor/core/plugin';
import type {} from '@athanor/lab';
import { models } from './parts/models.ts';
import { probes } from './parts/probes.ts';

/** The plugin of this folder's experiments. */
export default definePlugin({ name: 'experiments/norm', components: [...models, ...probes] });
