// The API reference: every entry of every public package, named as it is imported, with the package's README in front.
// A public class, function, method, variable or type alias without a docstring fails the build.
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Converter, ReflectionKind } from 'typedoc'

const root = fileURLToPath(new URL('..', import.meta.url))

const packages = ['packages', 'packages/backends']
  .flatMap((parent) => readdirSync(join(root, parent)).map((name) => join(root, parent, name)))
  .filter((folder) => existsSync(join(folder, 'package.json')))
  .map((folder) => ({ folder, manifest: JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) }))
  .filter(({ manifest }) => !manifest.private)

/** Import name by source file. */
const entries = new Map(
  packages.flatMap(({ folder, manifest }) =>
    Object.entries(manifest.exports).map(([path, conditions]) => [join(folder, conditions['@athanor/source']), manifest.name + path.slice(1)]),
  ),
)

/** A package's README, whose links to other files lead nowhere here. */
function readmeOf(name) {
  const file = packages.map(({ folder, manifest }) => manifest.name === name && join(folder, 'README.md')).find(Boolean)
  if (!file || !existsSync(file)) return undefined
  return readFileSync(file, 'utf8').replaceAll(/\[([^\]]*)\]\((?!https?:)[^)]*\)/g, '$1')
}

function nameModules(app) {
  app.converter.on(Converter.EVENT_CREATE_DECLARATION, (context, reflection) => {
    const file = context.project.getSymbolIdFromReflection(reflection)?.fileName
    const name = reflection.parent?.isProject() ? entries.get(file) : undefined
    if (name === undefined) return
    reflection.name = name
    const readme = readmeOf(name)
    if (readme) reflection.readme = [{ kind: 'text', text: readme }]
  })
}

/** Rows of tables written `as const satisfies Record<…, Row>` have the docstrings of the interface Row. */
function documentTables(app) {
  app.converter.on(Converter.EVENT_RESOLVE_BEGIN, ({ project }) => {
    const documented = new Map()
    const properties = project.getReflectionsByKind(ReflectionKind.Property)
    for (const { name, parent, comment } of properties) {
      if (comment && parent?.kindOf(ReflectionKind.Interface)) documented.set(name, comment)
    }
    for (const own of properties) {
      if (own.hasComment() || !own.parent?.kindOf(ReflectionKind.TypeLiteral)) continue
      if (documented.has(own.name)) own.comment = documented.get(own.name).clone()
    }
  })
}

export default {
  name: 'Athanor',
  tsconfig: join(root, 'docs/tsconfig.json'),
  entryPoints: [...entries.keys()],
  plugin: [nameModules, documentTables],
  out: join(root, 'docs/api'),
  readme: 'none',
  disableSources: true,
  excludePrivate: true,
  excludeProtected: true,
  excludeInternal: true,
  excludeExternals: true,
  validation: { notExported: false, invalidLink: true, notDocumented: true },
  packagesRequiringDocumentation: packages.map(({ manifest }) => manifest.name),
  requiredToBeDocumented: ['Class', 'Function', 'Method', 'Accessor', 'Variable', 'TypeAlias'],
  treatWarningsAsErrors: true,
}
