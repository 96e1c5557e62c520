// The worker of the worker-backed loader: makes the batches that it is asked for. Runs in Node and in a page.
import { UserError } from '@athanor/core';
import { builtin } from '../platform.ts';
import { transformByName } from '../transforms/index.ts';
import { createAssembler } from './assemble.ts';
import type { Assemble } from './assemble.ts';
import type { Request, Response, Setup } from './protocol.ts';

let assemble: Assemble | undefined;

function receive(message: Setup | Request): { response: Response; transfer: ArrayBuffer[] } | undefined {
  if ('dataset' in message) {
    const transforms = message.transforms.map(({ name, config }) => transformByName(name, config));
    assemble = createAssembler(message.dataset, { ...message, transforms });
    return undefined;
  }
  const { id, plan } = message;
  try {
    if (assemble === undefined) throw new Error('a request came before the setup');
    const batch = assemble(plan);
    const arrays = [
      batch.inputs,
      batch.labels,
      ...(batch.mixed === undefined ? [] : [batch.mixed.labels, batch.mixed.weights]),
    ];
    return { response: { id, batch }, transfer: arrays.map((array) => array.buffer as ArrayBuffer) };
  } catch (error) {
    const described = {
      message: error instanceof Error ? error.message : String(error),
      user: error instanceof UserError,
    };
    return { response: { id, error: described }, transfer: [] };
  }
}

const parent = builtin('node:worker_threads')?.parentPort;
if (parent === undefined || parent === null) {
  globalThis.addEventListener('message', (event: MessageEvent<Setup | Request>) => {
    const answer = receive(event.data);
    if (answer !== undefined) globalThis.postMessage(answer.response, { transfer: answer.transfer });
  });
} else {
  parent.on('message', (message: Setup | Request) => {
    const answer = receive(message);
    if (answer !== undefined) parent.postMessage(answer.response, answer.transfer);
  });
}
