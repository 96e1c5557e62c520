// The wasm backend passes the suite of all backends, on one thread and on several.
import { vi } from 'vitest';
import { conformance } from '@athanor/backend-conformance';
import { wasmBackend } from './backend.ts';
import { enableEngineFeatures } from './runtime/features.ts';

// Run once more with ATHANOR_ENGINE_FEATURES=1 for the code that experimental flags give.
if (process.env['ATHANOR_ENGINE_FEATURES'] === '1') enableEngineFeatures();

vi.setConfig({ testTimeout: 60_000 });

conformance('wasm', ({ fuse, poison, threads = 1, delays = false }) => wasmBackend({ threads, poison, delays, schedule: { fuse } }));
