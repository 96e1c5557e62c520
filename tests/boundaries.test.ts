// The packages' dependency lists obey the arrows that lint enforces on imports, and hold everything that is imported.
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { isBuiltin } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'

const root = fileURLToPath(new URL('..', import.meta.url))
const dependencyList = z.record(z.string(), z.string()).default({})
const manifestSchema = z.object({
  name: z.string(),
  dependencies: dependencyList,
  devDependencies: dependencyList,
  peerDependencies: dependencyList,
  files: z.array(z.string()).optional(),
})

/** Arrows: package → the packages of ours that it may depend on. */
const arrows: Record<string, readonly string[]> = {
  core: [],
  data: ['core'],
  'backend-conformance': ['core'],
  'backend-cpu': ['core'],
  'backend-wasm': ['core'],
  'backend-native': ['core'],
  norm: ['core'],
  zoo: ['core', 'norm'],
  lab: ['core', 'data'],
}

const folders = ['packages', 'packages/backends']
  .flatMap((parent) => readdirSync(join(root, parent)).map((name) => join(parent, name)))
  .filter((folder) => existsSync(join(root, folder, 'package.json')))

const readManifest = (folder: string) =>
  manifestSchema.parse(JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8')))

const shortNames = (names: Iterable<string>) =>
  [...names].filter((name) => name.startsWith('@athanor/')).map((name) => name.slice('@athanor/'.length))

const importedFrom = /^(?:import\s|(?:(?:import|export)\s[^'"\n]*|\})\s*\bfrom\s)\s*['"]([^'".][^'"]*)['"]/gm

/** Packages named by the import and export statements of the sources that are packed. */
function importedPackages(folder: string): Set<string> {
  const files = readdirSync(join(root, folder, 'src'), { recursive: true, encoding: 'utf8' })
  const unpacked = (readManifest(folder).files ?? []).filter((pattern) => pattern.startsWith('!src/')).map((pattern) => `${pattern.slice('!src/'.length)}/`)
  const sources = files.filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts') && !unpacked.some((start) => file.startsWith(start)))
  const packages = new Set<string>()
  for (const source of sources) {
    const text = readFileSync(join(root, folder, 'src', source), 'utf8')
    for (const match of text.matchAll(importedFrom)) {
      const specifier = match[1] ?? ''
      const parts = specifier.split('/')
      if (!isBuiltin(specifier)) packages.add(parts.slice(0, specifier.startsWith('@') ? 2 : 1).join('/'))
    }
  }
  return packages
}

describe.each(folders)('%s', (folder) => {
  const manifest = readManifest(folder)
  const ownName = manifest.name.slice('@athanor/'.length)

  it('depends only along the arrows', () => {
    const allowed = arrows[ownName]
    expect(allowed, `${manifest.name} has no arrows in this test`).toBeDefined()
    expect(allowed).toEqual(expect.arrayContaining(shortNames(Object.keys(manifest.dependencies))))
  })

  it('lists what its sources import', () => {
    const listed = [manifest.name, ...Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies })]
    expect(listed).toEqual(expect.arrayContaining([...importedPackages(folder)]))
  })
})

it('core has no dependency at all', () => {
  expect(readManifest('packages/core').dependencies).toEqual({})
})

it('names every dependency outside the workspace exactly', () => {
  const ranges = folders
    .map(readManifest)
    .flatMap(({ dependencies, devDependencies }) => Object.entries({ ...dependencies, ...devDependencies }))
    .filter(([, version]) => !/^\d+\.\d+\.\d+$/.test(version))
  expect(ranges).toEqual([])
})
