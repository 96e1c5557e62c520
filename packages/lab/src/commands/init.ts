// `athanor init`: files to begin with, each with comments that say what may be changed.
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { UserError } from '@athanor/core';
import { didYouMean } from '@athanor/core/plugin';
import { makeFolder, writeFileWhole } from '../run/files.ts';
import { defineCommand } from './command.ts';
import { schemaText } from './schema.ts';
import { shown } from './work.ts';

/** Template → what it is; its files stand in `templates/<name>/`. */
export const templates = {
  classifier: 'train LeNet-5 on the images that come with the framework',
  sweep: 'compare variants over seeds, and state what must come out',
  plugin: 'a layer of your own, in TypeScript, used by an experiment',
} as const;

/** Folder that holds a template's files. */
export const templateFolder = (name: string): string => fileURLToPath(new URL(`../../templates/${name}/`, import.meta.url));

export const init = defineCommand({
  usage: 'init [template] [folder]',
  summary: `write an experiment to begin with: ${Object.keys(templates).join(', ')}`,
  positionals: {
    template: { type: 'string', default: 'classifier', describe: Object.entries(templates).map(([name, does]) => `${name}: ${does}`).join('; ') },
    folder: { type: 'string', default: '.', describe: 'where to write it' },
  },
  run: async ({ template, folder }, context) => {
    if (!Object.hasOwn(templates, template)) {
      throw new UserError(`there is no template ${JSON.stringify(template)}${didYouMean(template, Object.keys(templates))}`, {
        remedy: `templates: ${Object.keys(templates).join(', ')}`,
      });
    }
    const from = templateFolder(template);
    const files = readdirSync(from);
    const present = files.filter((file) => existsSync(join(folder, file)));
    if (present.length > 0) {
      throw new UserError(`${present.map((file) => shown(join(folder, file))).join(', ')} ${present.length === 1 ? 'is' : 'are'} there already`, {
        remedy: 'nothing was written: name another folder, or move what is there',
      });
    }
    makeFolder(folder);
    for (const file of files) writeFileWhole(join(folder, file), readFileSync(join(from, file)));
    if (!existsSync(join(folder, 'schema.json'))) writeFileWhole(join(folder, 'schema.json'), await schemaText(folder, [], context));
    const [experiment = ''] = files.filter((file) => file.endsWith('.yaml'));
    context.out(`${files.map((file) => shown(join(folder, file))).join('\n')}\n\nNext: athanor run ${shown(join(folder, experiment))}`);
  },
});
