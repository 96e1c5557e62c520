// The other side of the protocol for peers that run in Node: answers questions until the input ends.
import { createInterface } from 'node:readline';
import type { Contestant } from '../contestant.ts';
import type { Answer, Question } from './protocol.ts';

async function answerTo(question: Question, contestant: Contestant): Promise<Answer> {
  switch (question.ask) {
    case 'prepare':
      return { values: await contestant.prepare(question.problem, question.steps) };
    case 'warm':
      return { milliseconds: await contestant.warm(question.seconds) };
    case 'sample':
      return { samples: await contestant.sample(question.seconds) };
    default:
      return question satisfies never;
  }
}

/** Serves a contestant on a pair of streams. */
export async function serve(contestant: Contestant, input: NodeJS.ReadableStream, output: NodeJS.WritableStream): Promise<void> {
  for await (const line of createInterface({ input })) {
    const answer = await answerTo(JSON.parse(line) as Question, contestant).catch((error: unknown) => ({
      failed: error instanceof Error ? error.message : String(error),
    }));
    output.write(`${JSON.stringify(answer)}\n`);
  }
  await contestant.close();
}
