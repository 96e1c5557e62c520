// The suite that every backend must pass, on generated C.
import { conformance } from '@athanor/backend-conformance';
import { nativeBackend } from './backend.ts';

conformance('native', (settings) => nativeBackend(settings));
