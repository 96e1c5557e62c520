// The lab's own components: the stage `train`, the reference backend, the probe `histograms`, losses, optimisers and schedules.
import { definePlugin } from '@athanor/core/plugin';
import { referenceComponent } from './stages/backends.ts';
import { histogramsProbe } from './stages/histograms.ts';
import { losses } from './stages/losses.ts';
import { optimizers } from './stages/optimizers.ts';
import { schedules } from './stages/schedules.ts';
import { trainStage } from './stages/train.ts';

/** The plugin: the stage `train`, the reference backend, the probe `histograms`, losses, optimisers and schedules. */
export default definePlugin({ name: '@athanor/lab', components: [trainStage, referenceComponent, histogramsProbe, ...losses, ...optimizers, ...schedules] });
