// The wasm backend passes the suite of all backends, on one thread and on several.
import { vi } from 'vitest';
import { conformance } from '@athanor/backend-conformance';
import { wasmBackend } from './backend.ts';
import './testing/engine-features.ts';

vi.setConfig({ testTimeout: 60_000 });

conformance('wasm', ({ fuse, poison, threads = 1, delays = false }) => wasmBackend({ threads, poison, delays, schedule: { fuse } }));
