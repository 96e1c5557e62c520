// The wasm backend passes the suite of all backends, on one thread and on several.
import { conformance } from '@athanor/backend-conformance';
import { wasmBackend } from './backend.ts';

conformance('wasm', ({ fuse, poison, threads = 1, delays = false }) => wasmBackend({ threads, poison, delays, schedule: { fuse } }));
