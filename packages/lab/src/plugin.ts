// The lab's own components.
import { definePlugin } from '@athanor/core/plugin';

export default definePlugin({ name: '@athanor/lab', components: [] });
