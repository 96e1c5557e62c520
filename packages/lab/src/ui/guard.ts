// What keeps the page for the person at this machine: who may ask, how, and what a browser may do with the answer.
import type { IncomingMessage, ServerResponse } from 'node:http';

/** Why a request is refused. */
export interface Refusal {
  readonly status: 403 | 405;
  readonly message: string;
}

/**
 * Refuses what a page of another site could send through the reader's browser: names of hosts that
 * were bound to this address (DNS rebinding), requests of other sites, and every method that could change something.
 */
export function refusalOf({ method, headers }: IncomingMessage, port: number): Refusal | undefined {
  if (method !== 'GET' && method !== 'HEAD') return { status: 405, message: `${method ?? 'this method'} is not allowed: these pages only read` };
  const hosts = [`127.0.0.1:${port}`, `localhost:${port}`];
  if (!hosts.includes(headers.host?.toLowerCase() ?? '')) return { status: 403, message: `this page is served as http://${hosts[0]} only` };
  if (headers.origin !== undefined && !hosts.some((host) => headers.origin === `http://${host}`)) return { status: 403, message: 'requests of other sites are refused' };
  const site = headers['sec-fetch-site'];
  if (site === 'cross-site' && headers['sec-fetch-mode'] !== 'navigate') return { status: 403, message: 'requests of other sites are refused' };
  return undefined;
}

/** Only what this server sends may run or be loaded, and nobody else may frame or read it. */
export function setSafeHeaders(response: ServerResponse): void {
  const headers = {
    'Content-Security-Policy': "default-src 'none'; script-src 'self'; style-src 'unsafe-inline'; img-src data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    'X-Content-Type-Options': 'nosniff',
    'Referrer-Policy': 'no-referrer',
    'Cross-Origin-Resource-Policy': 'same-origin',
    'Cross-Origin-Opener-Policy': 'same-origin',
    'Cache-Control': 'no-store',
  };
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
}
