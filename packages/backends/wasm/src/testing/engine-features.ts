// ATHANOR_ENGINE_FEATURES=1: tests run once more on the code that the engine's experimental features give.
import { enableEngineFeatures } from '../runtime/features.ts';

if (process.env['ATHANOR_ENGINE_FEATURES'] === '1') enableEngineFeatures();
