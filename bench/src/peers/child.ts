// A contestant that lives in a process of its own, so that its flags, memory and threads disturb nobody.
import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { createInterface, type Interface } from 'node:readline';
import type { Contestant } from '../contestant.ts';
import { isModel, parametersOf } from '../models.ts';
import type { Problem } from '../problem.ts';
import type { Answer, Question } from './protocol.ts';

export interface ChildCommand {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly environment: NodeJS.ProcessEnv;
  readonly concerns?: (problem: Problem) => boolean;
}

/** Seconds that preparing may take, and what every other answer may take beyond the time asked for. */
const patience = { prepare: 300, answer: 120 } as const;

class Child {
  readonly #process: ChildProcessWithoutNullStreams;
  readonly #lines: Interface;
  readonly #name: string;
  #errors = '';
  #waiting: { resolve: (answer: Answer) => void; reject: (error: Error) => void } | undefined;
  #ended: string | undefined;

  constructor({ name, command, args, environment }: ChildCommand) {
    this.#name = name;
    this.#process = spawn(command, args, { env: environment, stdio: ['pipe', 'pipe', 'pipe'] });
    this.#lines = createInterface({ input: this.#process.stdout });
    this.#lines.on('line', (line) => {
      this.#hear(line);
    });
    this.#process.stderr.on('data', (chunk: Buffer) => {
      this.#errors = (this.#errors + chunk.toString()).slice(-2000);
    });
    this.#process.stdin.on('error', () => undefined);
    this.#process.on('error', (error) => {
      this.#end(error.message);
    });
    this.#process.on('close', (code, signal) => {
      this.#end(`its process ended (${signal ?? `code ${String(code)}`}) ${this.#errors.trim().split('\n').at(-1) ?? ''}`.trim());
    });
  }

  ask(question: Question, seconds: number): Promise<Answer> {
    return new Promise((resolve, reject) => {
      if (this.#ended !== undefined) {
        reject(new Error(`${this.#name}: ${this.#ended}`));
        return;
      }
      const timer = setTimeout(() => {
        this.#end(`no answer after ${seconds} s`);
        this.#process.kill('SIGKILL');
      }, seconds * 1000);
      const settle = <T>(then: (value: T) => void) => (value: T): void => {
        clearTimeout(timer);
        this.#waiting = undefined;
        then(value);
      };
      this.#waiting = { resolve: settle(resolve), reject: settle(reject) };
      this.#process.stdin.write(`${JSON.stringify(question)}\n`);
    });
  }

  /** Ends the process by closing its input, and waits until it is gone. */
  async close(): Promise<void> {
    if (this.#ended !== undefined) return;
    const gone = new Promise<void>((resolve) => {
      this.#process.once('close', () => {
        resolve();
      });
    });
    const timer = setTimeout(() => this.#process.kill('SIGKILL'), 2000);
    this.#process.stdin.end();
    await gone;
    clearTimeout(timer);
  }

  /** Lines that are no JSON are the peer's chatter. */
  #hear(line: string): void {
    if (!line.startsWith('{')) return;
    const answer = JSON.parse(line) as Answer;
    if ('failed' in answer) this.#waiting?.reject(new Error(`${this.#name}: ${answer.failed}`));
    else this.#waiting?.resolve(answer);
  }

  #end(why: string): void {
    this.#ended ??= why;
    this.#waiting?.reject(new Error(`${this.#name}: ${this.#ended}`));
  }
}

/** A contestant that runs `command` and talks with it over its standard input and output. The process starts at the first `prepare`. */
export function childContestant(command: ChildCommand): Contestant {
  let child: Child | undefined;
  const ask = async (question: Question, seconds: number): Promise<Answer> => {
    child ??= new Child(command);
    return await child.ask(question, seconds);
  };
  const unexpected = (answer: Answer): Error => new Error(`${command.name} answered ${JSON.stringify(answer)}`);
  return {
    name: command.name,
    concerns: command.concerns ?? (() => true),
    async prepare(problem, steps) {
      const parameters = isModel(problem) ? parametersOf(problem) : [];
      const answer = await ask({ ask: 'prepare', problem, parameters, steps }, patience.prepare);
      if ('values' in answer) return answer.values;
      throw unexpected(answer);
    },
    async warm(seconds) {
      const answer = await ask({ ask: 'warm', seconds }, seconds + patience.answer);
      if ('milliseconds' in answer) return answer.milliseconds;
      throw unexpected(answer);
    },
    async sample(seconds) {
      const answer = await ask({ ask: 'sample', seconds }, seconds + patience.answer);
      if ('samples' in answer) return answer.samples;
      throw unexpected(answer);
    },
    async close() {
      await child?.close();
      child = undefined;
    },
  };
}
