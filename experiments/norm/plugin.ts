// What the experiments on normalization need beside the packages: models, probes, stages.
import { definePlugin } from '@athanor/core/plugin';
import { costStage } from './parts/cost-stage.ts';
import { evaluateStage } from './parts/evaluate-stage.ts';
import { invarianceStage } from './parts/invariance-stage.ts';
import { models } from './parts/models.ts';
import { probes } from './parts/probes.ts';
import { styleStage } from './parts/style-stage.ts';
import { windowError } from './parts/window-probe.ts';

/** The plugin of this folder's experiments. */
export default definePlugin({ name: 'experiments/norm', components: [...models, ...probes, windowError, invarianceStage, evaluateStage, costStage, styleStage] });
