// The plugins that every experiment has without naming them.
import type { Plugin } from '@athanor/core/plugin';
import data from '@athanor/data';
import lab from '../plugin.ts';

/** Plugins that every experiment has without naming them. */
export const builtinPlugins: readonly Plugin[] = [lab, data];
