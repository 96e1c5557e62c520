// A new process that takes one first step and prints a FirstStep as JSON.
import { measureFirstStep } from './measure.ts';
import type { FirstStepTask } from './protocol.ts';

const answer = await measureFirstStep(JSON.parse(process.argv[2] ?? '') as FirstStepTask);
process.stdout.write(JSON.stringify(answer), () => process.exit(0));
