// The driver: a fixed WebAssembly module that walks a list of commands, and the barrier that keeps threads in step.
import type { Code, Local } from '../assembler/code.ts';
import { Module, type MemoryLimits } from '../assembler/module.ts';
import { kernelParameters } from '../codegen/loop.ts';
import { barrierFlag, commandHeader, control, jobs, readyWord } from './control.ts';

/** Exports of the driver's instance. Results: 0, or 1 when a thread is missing. */
export interface DriverExports {
  /** Thread 0: starts a list of commands on all threads. */
  begin(tableStart: number, tableEnd: number, threads: number): void;
  /** Thread 0: takes its own part in them, and waits for the others. */
  finish(): number;
  /** Other threads: does jobs from the one after `job` on until one that is not a run; returns its operation. */
  work(thread: number, job: number): number;
  /** Thread 0: starts a job that threads do in JavaScript. */
  announce(operation: number): void;
  /** Waits until `threads` threads are here. */
  meet(threads: number): number;
}

export interface DriverOptions {
  readonly memory: MemoryLimits;
  /** Thread 0 may sleep; not so on a page's main thread. */
  readonly mayBlock: boolean;
  /** How long threads wait for each other before they give up. */
  readonly patienceSeconds: number;
}

/** Looks at the awaited word before sleeping: about 10 µs. */
const spins = 6000;
const sliceSeconds = 0.1;

/** Words of a command (see `commandHeader`). */
const bytesWord = 4;
const takenWord = 5;

export function driverModule(options: DriverOptions): Uint8Array<ArrayBuffer> {
  const module = new Module();
  module.importMemory('env', 'memory', options.memory);
  module.importTable('env', 'table');
  const kernelType = module.type([...kernelParameters]);
  const await_ = module.define(['i32', 'i32', 'i32', 'i32'], ['i32'], (code) => emitAwait(code, options));
  const meet = module.define(['i32', 'i32'], ['i32'], (code) => emitMeet(code, await_));
  const run = module.define(['i32', 'i32'], ['i32'], (code) => emitRun(code, { meet, await_, kernelType }));
  const announce = module.define(['i32'], [], (code) => {
    store(code, control.operation, () => code.get(code.parameter(0)));
    bump(code, control.job, options.memory.shared);
  });
  module.export('announce', announce);
  module.export('meet', module.define(['i32'], ['i32'], (code) => code.get(code.parameter(0)).i32(Number(options.mayBlock)).call(meet)));
  module.export('begin', module.define(['i32', 'i32', 'i32'], [], (code) => {
    [control.tableStart, control.tableEnd, control.threads].forEach((address, i) => store(code, address, () => code.get(code.parameter(i))));
    code.get(code.parameter(2)).i32(1).op('i32.gt_u').if();
    emitForget(code, code.parameter(0), code.parameter(1));
    code.i32(jobs.run).call(announce);
    code.end();
  }));
  module.export('finish', module.define([], ['i32'], (code) => code.i32(0).i32(Number(options.mayBlock)).call(run)));
  module.export('work', module.define(['i32', 'i32'], ['i32'], (code) => {
    const [thread, job] = [code.parameter(0), code.parameter(1)];
    const next = code.loop();
    code.i32(control.job).get(job).i32(1).i32(1).call(await_).op('drop');
    code.i32(control.job).memory('i32.atomic.load').set(job);
    code.i32(control.operation).memory('i32.load').if();
    code.i32(control.operation).memory('i32.load').op('return');
    code.end();
    code.get(thread).i32(1).call(run).op('drop');
    code.br(next).end();
    code.op('unreachable');
  }));
  return module.encode();
}

function store(code: Code, address: number, value: () => void): void {
  code.i32(address);
  value();
  code.memory('i32.store');
}

/** Adds 1 to a word and wakes those who wait for it to change. */
function bump(code: Code, address: number, shared: boolean): void {
  code.i32(address).i32(1).memory('i32.atomic.rmw.add').op('drop');
  if (!shared) return;
  code.i32(address + 4).memory('i32.atomic.load').if();
  code.i32(address).i32(-1).memory('memory.atomic.notify').op('drop');
  code.end();
}

/**
 * (address, old value, may sleep, without end) → 0 once the word has changed; 1 once a thread has given up. Spins a
 * while, then sleeps in slices and gives up itself when patience ends.
 */
function emitAwait(code: Code, options: DriverOptions): void {
  const [address, old, maySleep, endless] = [code.parameter(0), code.parameter(1), code.parameter(2), code.parameter(3)];
  const count = code.local('i32');
  const changed = (): Code => code.get(address).memory('i32.atomic.load').get(old).op('i32.ne');
  const finish = (result: number) => code.if() && code.i32(result).op('return').end();
  code.i32(spins).set(count);
  const spin = code.loop();
  changed();
  finish(0);
  code.advance(count, -1).get(count).brIf(spin);
  code.end();
  code.i32(Math.ceil(options.patienceSeconds / sliceSeconds)).set(count);
  const slice = code.loop();
  if (options.memory.shared) {
    code.get(maySleep).if();
    code.get(address).i32(4).op('i32.add').i32(1).memory('i32.atomic.rmw.add').op('drop');
    code.get(address).get(old).i64(-1n).i64(BigInt(Math.round(sliceSeconds * 1e9))).get(endless).op('select').memory('memory.atomic.wait32').op('drop');
    code.get(address).i32(4).op('i32.add').i32(1).memory('i32.atomic.rmw.sub').op('drop');
    code.else();
    emitSpinSlice(code, address, old);
    code.end();
  }
  changed();
  finish(0);
  code.get(endless).brIf(slice);
  code.i32(control.broken).memory('i32.atomic.load');
  finish(1);
  code.advance(count, -1).get(count).brIf(slice);
  code.end();
  code.i32(control.broken).i32(1).memory('i32.atomic.store');
  code.i32(1);
}

/** About a slice's time of looking, for a thread that must not sleep. */
function emitSpinSlice(code: Code, address: Local, old: Local): void {
  const looks = code.local('i32');
  code.i32(5e7).set(looks);
  const done = code.block();
  const again = code.loop();
  code.get(address).memory('i32.atomic.load').get(old).op('i32.ne').brIf(done);
  code.advance(looks, -1).get(looks).brIf(again);
  code.end().end();
}

/** (threads, may sleep) → 0 when all threads are here, 1 when one is missing. */
function emitMeet(code: Code, await_: number): void {
  const phase = code.local('i32');
  const threads = code.parameter(0);
  code.get(threads).i32(2).op('i32.lt_u').if();
  code.i32(0).op('return').end();
  code.i32(control.phase).memory('i32.atomic.load').set(phase);
  code.i32(control.arrived).i32(1).memory('i32.atomic.rmw.add').i32(1).op('i32.add').get(threads).op('i32.eq').if('i32');
  code.i32(control.arrived).i32(0).memory('i32.atomic.store');
  bump(code, control.phase, true);
  code.i32(0).else();
  code.i32(control.phase).get(phase).get(code.parameter(1)).i32(0).call(await_);
  code.end();
}

/** (thread, may sleep) → 0, or 1 when a thread is missing: walks the commands of the current job. */
function emitRun(code: Code, { meet, await_, kernelType }: Readonly<Record<'meet' | 'await_' | 'kernelType', number>>): void {
  const [thread, maySleep] = [code.parameter(0), code.parameter(1)];
  const [command, end, threads] = [code.local('i32'), code.local('i32'), code.local('i32')];
  const [scratch, parts, units] = [code.local('i32'), code.local('i32'), code.local('i32')];
  const word = (index: number) => code.get(command).memory('i32.load', index * 4);
  const given = (address: number, local: Local) => code.i32(address).memory('i32.load').set(local);
  given(control.tableStart, command);
  given(control.tableEnd, end);
  given(control.threads, threads);
  code.i32(control.scratchBase).memory('i32.load').get(thread).i32(control.scratchStride).memory('i32.load').op('i32.mul').op('i32.add').set(scratch);
  // A thread that this job does not use only waits for its end.
  const done = code.block();
  const next = code.loop();
  code.get(command).get(end).op('i32.ge_u').brIf(done);
  word(1).i32(barrierFlag).op('i32.and').if();
  code.get(threads).get(maySleep).call(meet).if();
  code.i32(1).op('return').end();
  code.end();
  emitDelay(code, units);
  word(3).set(parts);
  code.get(thread).get(parts).op('i32.lt_u').if();
  word(2).set(units);
  const call = (first: () => void, last: () => void) => {
    code.get(command).i32(commandHeader * 4).op('i32.add');
    first();
    last();
    code.get(scratch);
    word(0).callIndirect(kernelType);
  };
  code.get(parts).i32(1).op('i32.eq').if();
  call(() => code.i32(0), () => code.get(units));
  code.else();
  emitShares(code, { command, units, parts }, await_, call);
  code.end();
  code.end();
  code.get(command);
  word(4).op('i32.add').set(command);
  code.br(next).end().end();
  code.get(threads).get(maySleep).call(meet);
}

/** Takes units as long as there are any, and waits for those whose inputs are still on their way: first much of what is left, later little, so that all threads end together. */
function emitShares(code: Code, { command, units, parts }: Readonly<Record<'command' | 'units' | 'parts', Local>>, await_: number, call: (first: () => void, last: () => void) => void): void {
  const [first, count, ready, old] = [code.local('i32'), code.local('i32'), code.local('i32'), code.local('i32')];
  const none = code.block();
  const take = code.loop();
  code.get(command).memory('i32.atomic.load', takenWord * 4).tee(first).get(units).op('i32.ge_u').brIf(none);
  code.i32(control.arrival).memory('i32.atomic.load').set(old);
  code.get(first).get(command).memory('i32.atomic.load', readyWord * 4).tee(ready).op('i32.ge_u').if();
  code.i32(control.arrival).get(old).i32(1).i32(1).call(await_).op('drop');
  code.br(take).end();
  // ⌈left / (2 · parts)⌉
  code.get(parts).i32(1).op('i32.shl').tee(count).get(units).op('i32.add').get(first).op('i32.sub').i32(1).op('i32.sub').get(count).op('i32.div_u').set(count);
  code.get(count).get(ready).get(first).op('i32.sub').get(count).get(ready).get(first).op('i32.sub').op('i32.lt_u').op('select').set(count);
  code.get(command).get(first).get(first).get(count).op('i32.add').memory('i32.atomic.rmw.cmpxchg', takenWord * 4).get(first).op('i32.ne').brIf(take);
  call(() => code.get(first), () => code.get(first).get(count).op('i32.add'));
  code.br(take).end().end();
}

/** No unit of any command is taken. */
function emitForget(code: Code, start: Local, end: Local): void {
  const command = code.local('i32');
  code.get(start).set(command);
  const done = code.block();
  const next = code.loop();
  code.get(command).get(end).op('i32.ge_u').brIf(done);
  code.get(command).i32(0).memory('i32.store', takenWord * 4);
  code.get(command).get(command).memory('i32.load', bytesWord * 4).op('i32.add').set(command);
  code.br(next).end().end();
}

/** For tests: waits up to some 20 µs, differently each time. */
function emitDelay(code: Code, counter: Local): void {
  code.i32(control.delays).memory('i32.load').if();
  code.i32(control.random).i32(0x9e3779b9).memory('i32.atomic.rmw.add').i32(0x85ebca6b).op('i32.mul').i32(19).op('i32.shr_u').i32(1).op('i32.add').set(counter);
  const again = code.loop();
  code.i32(control.random).memory('i32.atomic.load').op('drop');
  code.advance(counter, -1).get(counter).brIf(again);
  code.end().end();
}
