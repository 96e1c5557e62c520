// The process of the peer `tfjs-wasm`: serves TensorFlow.js on standard input and output.
import { localContestant } from '../contestant.ts';
import { serve } from './serve.ts';
import { tfjsStep } from './tfjs.ts';

await serve(localContestant('tfjs-wasm', tfjsStep), process.stdin, process.stdout);
