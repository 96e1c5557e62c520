// The oracle as a backend passes its own suite: what is tested is the way in and out (memory, casts, Variables).
import { referenceBackend } from '@athanor/core/backend';
import { conformance } from './suite.ts';

conformance('reference', () => referenceBackend(), { fusion: [true] });
