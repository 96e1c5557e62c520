// `athanor ls`: the runs, or the components that experiments can name.
import { basename } from 'node:path';
import { UserError } from '@athanor/core';
import { didYouMean } from '@athanor/core/plugin';
import type { Registered } from '@athanor/core/plugin';
import * as z from 'zod';
import { summarize } from '../analysis/summary.ts';
import { installedRegistry } from '../plugins/installed.ts';
import { listStudies, runStatus } from '../run/study.ts';
import type { Study } from '../run/study.ts';
import { formatTable } from '../terminal/format.ts';
import { formatEstimate } from '../terminal/summary.ts';
import { defineCommand } from './command.ts';
import type { CommandContext } from './context.ts';

interface ListOptions {
  readonly kind: string | undefined;
  readonly json: boolean;
  /** Plugins to load beside the installed ones. */
  readonly plugins: readonly string[];
}

/** A component as `ls components --json` writes it. */
export interface ListedComponent {
  readonly kind: string;
  readonly name: string;
  readonly package: string;
  readonly summary: string;
  readonly schema: unknown;
}

export const list = defineCommand({
  usage: 'ls [what]',
  summary: 'list runs or components',
  positionals: { what: { type: 'string', default: 'runs', describe: 'runs or components' } },
  options: {
    kind: { type: 'string', describe: 'only components of this kind' },
    plugin: { type: 'string', array: true, default: [] as string[], describe: 'a plugin to load besides' },
    json: { type: 'boolean', default: false, describe: 'as JSON, with each JSON Schema' },
  },
  run: async ({ what, kind, json, plugin }, context) => {
    await listAny(what, { kind, json, plugins: plugin }, context);
  },
});

async function listAny(what: string, options: ListOptions, context: CommandContext): Promise<void> {
  switch (what) {
    case 'runs':
      return listRuns(options, context);
    case 'components':
      return listComponents(options, context);
    default:
      throw new UserError(`ls knows no ${JSON.stringify(what)}${didYouMean(what, ['runs', 'components'])}`, {
        remedy: 'athanor ls runs, athanor ls components',
      });
  }
}

function listRuns({ json }: ListOptions, { out, progress, runs }: CommandContext): void {
  const studies = listStudies(runs, (message) => progress.write(`left out: ${message}\n`));
  if (json) return out(JSON.stringify(studies.map(describeStudy), null, 2));
  if (studies.length === 0) return out(`no runs under ${runs}`);
  const rows = studies.map((study) => {
    const { name, status, done, runs: count, created, best } = describeStudy(study);
    return [name, status, `${done}/${count}`, created.slice(0, 16).replace('T', ' '), best];
  });
  out(formatTable(['run', 'status', 'done', 'begun', 'test.accuracy'], rows));
}

function describeStudy(study: Study) {
  const statuses = study.runs.map(runStatus);
  const status = (['running', 'interrupted', 'waiting'] as const).find((candidate) => statuses.includes(candidate)) ?? 'done';
  const accuracies = summarize(study).flatMap(({ name, estimates }) => {
    const estimate = estimates.get('test.accuracy');
    return estimate === undefined || estimate.values.length === 0 ? [] : [{ name, estimate }];
  });
  const best = accuracies.toSorted((a, b) => b.estimate.mean - a.estimate.mean)[0];
  return {
    name: basename(study.folder),
    folder: study.folder,
    status,
    done: statuses.filter((one) => one === 'done').length,
    runs: statuses.length,
    created: study.record.created,
    best: best === undefined ? '' : `${formatEstimate('test.accuracy', best.estimate)} ${best.name}`,
  };
}

async function listComponents({ kind, json, plugins }: ListOptions, { out, progress }: CommandContext): Promise<void> {
  const { registry, failures } = await installedRegistry(process.cwd(), plugins);
  for (const { message } of failures) progress.write(`left out: ${message}\n`);
  const found = registry.list(kind);
  if (found.length === 0) {
    const kinds = new Set(registry.list().map(({ component }) => component.kind));
    throw new UserError(`there is no component of kind ${JSON.stringify(kind)}${didYouMean(kind ?? '', kinds)}`, {
      remedy: `kinds: ${[...kinds].join(', ')}`,
    });
  }
  if (json) return out(JSON.stringify(found.map(describeComponent), null, 2));
  const rows = found.map(({ component, package: from }) => [component.kind, component.name, from, component.summary]);
  out(formatTable(['kind', 'name', 'package', 'summary'], rows));
}

function describeComponent({ component, package: from }: Registered): ListedComponent {
  const { kind, name, summary, schema } = component;
  return { kind, name, package: from, summary, schema: z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) };
}
