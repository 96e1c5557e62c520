// `athanor schema`: the JSON Schema with which editors complete and check experiment files.
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { UserError } from '@athanor/core';
import { didYouMean } from '@athanor/core/plugin';
import { parse } from 'yaml';
import { experimentJsonSchema } from '../config/json-schema.ts';
import { installedRegistry } from '../plugins/installed.ts';
import { loadPlugin } from '../plugins/load.ts';
import { writeFileWhole } from '../run/files.ts';
import { defineCommand } from './command.ts';
import type { CommandContext } from './context.ts';
import { shown } from './work.ts';

export const schema = defineCommand({
  usage: 'schema [folder]',
  summary: 'write the JSON Schema of experiment files, for editors',
  positionals: { folder: { type: 'string', default: 'experiments', describe: 'folder of experiments; the plugins that they name are taken in' } },
  options: {
    plugin: { type: 'string', array: true, default: [] as string[], describe: 'a plugin to take in besides' },
    stdout: { type: 'boolean', default: false, describe: 'print it' },
  },
  run: async ({ folder, plugin, stdout }, context) => {
    if (!stdout && !existsSync(folder)) {
      const near = didYouMean(basename(folder), existsSync(dirname(folder)) ? readdirSync(dirname(folder)) : []);
      throw new UserError(`there is no folder ${folder}${near}`, { remedy: 'name the folder of your experiments, or --stdout' });
    }
    const text = await schemaText(folder, plugin, context);
    if (stdout) return context.out(text.trimEnd());
    const path = join(folder, 'schema.json');
    writeFileWhole(path, text);
    context.out(`${shown(path)}: begin a file beside it with "# yaml-language-server: $schema=schema.json"`);
  },
});

/** The schema for the experiments of a folder: the components of the installed plugins and of those that they name. */
export async function schemaText(folder: string, plugins: readonly string[], { progress }: Pick<CommandContext, 'progress'>): Promise<string> {
  const { registry, failures } = await installedRegistry(process.cwd(), plugins);
  const leftOut = failures.map(({ message }) => message);
  for (const specifier of new Set(localPlugins(folder))) {
    try {
      registry.add(await loadPlugin(specifier, join(process.cwd(), 'any.yaml')));
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      leftOut.push(error.message);
    }
  }
  for (const message of leftOut) progress.write(`left out: ${message}\n`);
  return `${JSON.stringify(experimentJsonSchema(registry), null, 1)}\n`;
}

/** Plugin files that experiments of a folder name, seen from the working folder. */
function localPlugins(folder: string): string[] {
  if (!existsSync(folder)) return [];
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) => /\.ya?ml$/.test(file) && !/(^|[\\/])(node_modules|runs)[\\/]/.test(file));
  return files.toSorted().flatMap((file) => {
    const path = join(folder, file);
    return pluginsIn(path).map((specifier) => {
      const near = relative(process.cwd(), join(dirname(path), specifier));
      return near.startsWith('.') ? near : `./${near}`;
    });
  });
}

function pluginsIn(path: string): string[] {
  try {
    const { plugins } = parse(readFileSync(path, 'utf8')) as { plugins?: unknown };
    return Array.isArray(plugins) ? plugins.filter((one): one is string => typeof one === 'string' && one.startsWith('.')) : [];
  } catch {
    return [];
  }
}
