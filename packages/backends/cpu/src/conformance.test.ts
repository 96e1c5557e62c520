// The suite of all backends.
import { conformance } from '@athanor/backend-conformance';
import { cpuBackend } from './backend.ts';

conformance('cpu', ({ fuse, poison }) => cpuBackend({ poison, schedule: { fuse } }));
