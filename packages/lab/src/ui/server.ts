// The server behind `athanor ui`: pages over a runs folder, on this machine only, that never write.
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { UserError } from '@athanor/core';
import { openStudy } from '../run/study.ts';
import { escapeHtml } from '../report/html.ts';
import { reportPage } from '../report/page.ts';
import { readContent } from '../report/write.ts';
import { readScript, scriptPaths } from './assets.ts';
import { drawCharts } from './charts.ts';
import { refusalOf, setSafeHeaders } from './guard.ts';
import { appPage, withReturn } from './page.ts';
import { RunsFolder } from './runs.ts';

export interface UiOptions {
  /** The runs folder. */
  readonly root: string;
  /** 0 takes any that is free. */
  readonly port: number;
  /** Milliseconds between looks at the folder while somebody watches. */
  readonly every?: number;
}

export interface Ui {
  readonly url: string;
  /** The first look at the folder is over. */
  readonly ready: Promise<void>;
  close(): Promise<void>;
}

/** Serves the pages on 127.0.0.1. Throws a UserError if the port is taken. */
export async function startUi({ root, port, every = 1000 }: UiOptions): Promise<Ui> {
  const folder = new RunsFolder(root);
  const watchers = new Set<ServerResponse>();
  const server = createServer((request, response) => {
    setSafeHeaders(response);
    try {
      answer(request, response, { folder, watchers, port: (server.address() as AddressInfo).port });
    } catch (error) {
      sendText(response, 500, error instanceof Error ? error.message : String(error));
    }
  });
  await listen(server, port);
  const ready = folder.scan();
  let told = -1;
  const timer = setInterval(() => {
    if (watchers.size === 0) return;
    void folder.scan().then(() => {
      if (folder.version === told) return;
      told = folder.version;
      for (const watcher of watchers) watcher.write(`data: ${told}\n\n`);
    });
  }, every);
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    ready,
    close: async () => {
      clearInterval(timer);
      for (const watcher of watchers) watcher.end();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await ready;
    },
  };
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      reject(error.code === 'EADDRINUSE' ? new UserError(`port ${port} of 127.0.0.1 is in use`, { remedy: 'choose another with --port, or 0 for any' }) : error);
    });
    server.listen(port, '127.0.0.1', resolve);
  });
}

interface Context {
  readonly folder: RunsFolder;
  readonly watchers: Set<ServerResponse>;
  readonly port: number;
}

function answer(request: IncomingMessage, response: ServerResponse, { folder, watchers, port }: Context): void {
  const refusal = refusalOf(request, port);
  if (refusal !== undefined) {
    if (refusal.status === 405) response.setHeader('Allow', 'GET, HEAD');
    sendText(response, refusal.status, refusal.message);
    return;
  }
  // Not parsed as a URL, which would resolve `..` and take `//name` for a host.
  const [pathname = '', query = ''] = (request.url ?? '').split('?', 2);
  const searchParams = new URLSearchParams(query);
  switch (pathname) {
    case '/':
      send(response, 'text/html', appPage({ root: folder.root, scripts: scriptPaths() }));
      return;
    case '/api/runs':
      send(response, 'application/json', JSON.stringify(folder.changes(numberIn(searchParams, 'since', { low: -1, high: Infinity, otherwise: 0 }))));
      return;
    case '/api/charts':
      send(response, 'application/json', JSON.stringify(drawCharts(folder, chartsRequest(searchParams))));
      return;
    case '/api/events':
      watch(response, watchers, folder.version);
      return;
  }
  const script = pathname.startsWith('/client/') ? readScript(pathname) : undefined;
  if (script !== undefined) send(response, 'text/javascript', script);
  else if (pathname.startsWith('/runs/')) sendReport(response, folder, pathname);
  else sendText(response, 404, 'there is no such page');
}

/** A study's report as it is now, or that of one of its runs. */
function sendReport(response: ServerResponse, folder: RunsFolder, pathname: string): void {
  const parts = pathname.split('/').slice(2).map(decoded);
  const [study, run] = parts;
  const found = study === undefined || parts.length > 2 || parts.includes(undefined) ? undefined : folder.locate(study, run);
  if (found === undefined) {
    sendText(response, 404, `there is no such run under ${folder.root}`);
    return;
  }
  const whole = openStudy(found.folder);
  const shown = found.run === undefined ? whole : { ...whole, record: { ...whole.record, name: `${whole.record.name}: ${found.run.name}`, claims: [], jobs: whole.record.jobs.filter(({ name }) => name === found.run?.name) }, runs: whole.runs.filter(({ name }) => name === found.run?.name) };
  send(response, 'text/html', withReturn(reportPage(readContent(shown)), found.run === undefined ? undefined : `/runs/${encodeURIComponent(study ?? '')}`));
}

function decoded(part: string): string | undefined {
  try {
    return decodeURIComponent(part);
  } catch {
    return undefined;
  }
}

function chartsRequest(words: URLSearchParams) {
  return {
    runs: (words.get('runs') ?? '').split(',').map(Number).filter(Number.isInteger),
    metrics: words.getAll('metric'),
    smooth: numberIn(words, 'smooth', { low: 0, high: 1, otherwise: 0 }),
    log: words.get('log') === '1',
    group: words.get('group') === '1',
    width: Math.round(numberIn(words, 'width', { low: 300, high: 1600, otherwise: 560 })),
  };
}

function numberIn(words: URLSearchParams, name: string, { low, high, otherwise }: { readonly low: number; readonly high: number; readonly otherwise: number }): number {
  const text = words.get(name);
  const value = text === null || text === '' ? NaN : Number(text);
  return Number.isNaN(value) ? otherwise : Math.min(high, Math.max(low, value));
}

/** Server-sent events: the version, whenever it has grown. */
function watch(response: ServerResponse, watchers: Set<ServerResponse>, version: number): void {
  response.writeHead(200, { 'Content-Type': 'text/event-stream; charset=utf-8', Connection: 'keep-alive' });
  response.write(`data: ${version}\n\n`);
  watchers.add(response);
  response.on('close', () => watchers.delete(response));
}

function send(response: ServerResponse, type: string, text: string): void {
  response.writeHead(200, { 'Content-Type': `${type}; charset=utf-8` }).end(text);
}

function sendText(response: ServerResponse, status: number, message: string): void {
  if (response.headersSent) {
    response.end();
    return;
  }
  response.writeHead(status, { 'Content-Type': 'text/html; charset=utf-8' }).end(`<!doctype html><meta charset="utf-8"><title>${status}</title><p>${escapeHtml(message)}</p>`);
}
