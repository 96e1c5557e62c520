// Packages that a few data sets need and that are not installed with this one.
import { UserError } from '@athanor/core';
import { requireBuiltin } from './platform.ts';

/** The versions that this package is tested with. */
const optionalPackages = {
  'apache-arrow': '21.2.0',
  hyparquet: '1.31.5',
  sharp: '0.35.5',
  mnist: '1.1.0',
  'emoji-datasource-google': '16.0.0',
  '@lobehub/fluent-emoji-3d': '1.1.0',
} as const;

type OptionalPackage = keyof typeof optionalPackages;

function missing(name: OptionalPackage, purpose: string): UserError {
  return new UserError(`${purpose} needs the package ${name}, which is not installed`, {
    remedy: `npm install ${name}@${optionalPackages[name]}`,
  });
}

/**
 * Imports an optional package, found from here or from the working folder.
 * @throws UserError saying how to install it.
 */
export async function importOptional<Module>(name: OptionalPackage, purpose: string): Promise<Module> {
  const { createRequire } = requireBuiltin('node:module', purpose);
  const { pathToFileURL } = requireBuiltin('node:url', purpose);
  // A variable keeps bundlers from looking for a package that may not be there.
  let target: string = name;
  try {
    return (await import(/* @vite-ignore */ target)) as Module;
  } catch (error) {
    if (!isNotFound(error, name)) throw error;
  }
  try {
    target = pathToFileURL(createRequire(`${process.cwd()}/`).resolve(name)).href;
  } catch {
    throw missing(name, purpose);
  }
  return (await import(/* @vite-ignore */ target)) as Module;
}

/**
 * The folder of an installed package that is only files.
 * @throws UserError saying how to install it.
 */
export function packageFolder(name: OptionalPackage, purpose: string): string {
  const { createRequire } = requireBuiltin('node:module', purpose);
  const path = requireBuiltin('node:path', purpose);
  for (const base of [`${process.cwd()}/`, import.meta.url]) {
    try {
      return path.dirname(createRequire(base).resolve(`${name}/package.json`));
    } catch {
      continue;
    }
  }
  throw missing(name, purpose);
}

function isNotFound(error: unknown, name: string): boolean {
  return (
    error instanceof Error && 'code' in error && error.code === 'ERR_MODULE_NOT_FOUND' && error.message.includes(name)
  );
}
