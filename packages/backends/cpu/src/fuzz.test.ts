// Random graphs against the reference.
import { fuzz } from '@athanor/backend-conformance';
import { cpuBackend } from './backend.ts';

fuzz('cpu, fused', ({ fuse, poison }) => cpuBackend({ poison, schedule: { fuse } }), { seconds: 5 });
fuzz('cpu, each operation by itself', ({ fuse, poison }) => cpuBackend({ poison, schedule: { fuse } }), {
  seconds: 2,
  seed: 50_000,
  fuse: false,
});
