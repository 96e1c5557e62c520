// Preloaded into a run by kill.mjs: ends the process before (or in the middle of) its n-th file operation on checkpoints.
import { appendFileSync } from 'node:fs';
import { watchFileOperations } from '../dist/run/files.js';

const at = Number(process.env.KILL_AT);
let count = 0;
watchFileOperations(({ kind, path, bytes }) => {
  if (!/checkpoints|step-\d/.test(path) || ++count < at) return;
  if (kind === 'write' && at % 2 === 0) appendFileSync(path, bytes.subarray(0, bytes.length >> 1));
  process.kill(process.pid, 'SIGKILL');
});
