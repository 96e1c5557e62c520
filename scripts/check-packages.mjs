// Checks every public package as its users would meet it: publint and are-the-types-wrong on the packed file, and,
// in an empty project where only packed files are installed, each example of its README. Ends with a table of sizes.
// Needs a build. --counts=FILE appends "passed failed skipped"; other words choose packages by the ends of their names.
import { spawnSync } from 'node:child_process'
import { appendFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { commandExample, examplesOf } from './readme-examples.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const words = process.argv.slice(2)
const countsFile = words.find((word) => word.startsWith('--counts='))?.slice('--counts='.length)
const chosen = words.filter((word) => !word.startsWith('--'))
const scratch = mkdtempSync(join(tmpdir(), 'athanor-packages-'))

/** What a command printed; an error that shows it where the command failed. */
function run(command, args, cwd = root) {
  const { status, stdout, stderr, error } = spawnSync(command, args, { cwd, encoding: 'utf8' })
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}\n${stdout ?? ''}${stderr ?? ''}${error ?? ''}`)
  return stdout
}

const tool = (name) => join(root, 'node_modules/.bin', name)

const packages = ['packages', 'packages/backends']
  .flatMap((parent) => readdirSync(join(root, parent)).map((name) => join(root, parent, name)))
  .filter((folder) => existsSync(join(folder, 'package.json')))
  .map((folder) => ({ folder, manifest: JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) }))
  .filter(({ manifest }) => !manifest.private)
const byName = new Map(packages.map((own) => [own.manifest.name, own]))

function pack(own) {
  if (own.tarball) return
  const [{ filename, size, unpackedSize }] = JSON.parse(run('npm', ['pack', '--json', '--pack-destination', scratch], own.folder))
  Object.assign(own, { tarball: join(scratch, filename.replace('@', '').replace('/', '-')), size, unpackedSize })
}

/** A package of ours with those that it depends on. */
function closure(names, found = new Set()) {
  for (const name of names) {
    const own = byName.get(name)
    if (own === undefined || found.has(own)) continue
    found.add(own)
    closure(Object.keys(own.manifest.dependencies ?? {}), found)
  }
  return found
}

/** An empty project in which packages of ours are installed from their packed files. */
function project(name, names) {
  const folder = join(scratch, name.replaceAll(/\W+/g, '-'))
  mkdirSync(folder)
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: 'empty', private: true, type: 'module' }))
  const needed = [...closure(names)]
  needed.forEach(pack)
  run('npm', ['install', '--no-audit', '--no-fund', '--prefer-offline', ...needed.map(({ tarball }) => tarball)], folder)
  return folder
}

function installedCount(folder) {
  const { packages: entries } = JSON.parse(readFileSync(join(folder, 'node_modules/.package-lock.json'), 'utf8'))
  return Object.keys(entries).length
}

function checkExample({ code, said, line }, folder) {
  writeFileSync(join(folder, `line-${line}.js`), code)
  const printed = run(process.execPath, [`line-${line}.js`], folder).trimEnd()
  if (printed !== said.join('\n')) throw new Error(`README.md:${line} prints\n${printed}\ninstead of\n${said.join('\n')}`)
}

function checkCommands({ commands, files }, folder) {
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
  for (const command of commands) run('sh', ['-c', command], folder)
}

let passed = 0
let failed = 0
function check(what, test) {
  try {
    test()
    passed += 1
  } catch (error) {
    failed += 1
    console.log(`${what} failed: ${error.message}\n`)
  }
}

const table = []
try {
  for (const own of packages) {
    const { folder, manifest } = own
    const { name } = manifest
    if (chosen.length > 0 && !chosen.some((word) => name.endsWith(word))) continue
    const began = performance.now()
    const readme = existsSync(join(folder, 'README.md')) ? readFileSync(join(folder, 'README.md'), 'utf8') : ''
    const examples = examplesOf(readme)
    const commands = commandExample(readme)
    check(`${name}: packing`, () => pack(own))
    check(`${name}: publint`, () => run(tool('publint'), ['run', own.tarball, '--strict']))
    check(`${name}: are-the-types-wrong`, () => run(tool('attw'), [own.tarball, '--profile', 'esm-only']))
    let home
    check(`${name}: installing alone`, () => {
      home = project(name, [name, ...commands.installs])
    })
    check(`${name}: having an example`, () => {
      if (examples.length + commands.commands.length === 0) throw new Error('its README shows no `js` block and no command')
    })
    for (const example of examples) check(`${name}: its example`, () => checkExample(example, home))
    if (commands.commands.length > 0) check(`${name}: its commands`, () => checkCommands(commands, home))
    table.push({
      package: name,
      'packed KB': Math.round(own.size / 1e3),
      'unpacked KB': Math.round(own.unpackedSize / 1e3),
      dependencies: Object.keys(manifest.dependencies ?? {}).length,
      'installed with it': home === undefined ? '' : installedCount(home) - 1,
      'checked in s': Math.round((performance.now() - began) / 1e3),
    })
  }
} finally {
  rmSync(scratch, { recursive: true, force: true })
}
console.table(table)
if (countsFile) appendFileSync(countsFile, `${passed} ${failed} 0\n`)
console.log(`${passed} passed, ${failed} failed, 0 skipped`)
process.exitCode = failed === 0 && passed > 0 ? 0 : 1
