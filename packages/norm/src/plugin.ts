// What this package brings to experiments: normalizations, those inside recurrent networks, and reparametrizations by name.
import { definePlugin } from '@athanor/core/plugin';
import { batchComponents } from './components/batch.ts';
import { conditionalComponents } from './components/conditional.ts';
import { recurrentComponents } from './components/recurrent.ts';
import { sampleComponents } from './components/sample.ts';
import { weightComponents } from './components/weights.ts';

/** The plugin: normalizations as components of kind `norm`, and reparametrizations. */
export default definePlugin({ name: '@athanor/norm', components: [...sampleComponents, ...batchComponents, ...conditionalComponents, ...recurrentComponents, ...weightComponents] });
