// Checks every public package as its users would meet it: publint on the folder, are-the-types-wrong on the packed file.
// Needs a build. --counts=FILE appends "passed failed skipped".
import { spawnSync } from 'node:child_process'
import { appendFileSync, existsSync, readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const countsFile = process.argv.find((word) => word.startsWith('--counts='))?.slice('--counts='.length)

const folders = ['packages', 'packages/backends']
  .flatMap((parent) => readdirSync(join(root, parent)).map((name) => join(root, parent, name)))
  .filter((folder) => existsSync(join(folder, 'package.json')))

let passed = 0
let failed = 0
for (const folder of folders) {
  const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
  if (manifest.private) continue
  const checks = [
    ['publint', ['run', folder, '--strict']],
    ['attw', ['--pack', folder, '--profile', 'esm-only']],
  ]
  for (const [tool, args] of checks) {
    const { status, stdout, stderr } = spawnSync(join(root, 'node_modules/.bin', tool), args, { encoding: 'utf8' })
    if (status === 0) passed += 1
    else {
      failed += 1
      console.log(`${manifest.name}: ${tool} failed\n${stdout}${stderr}`)
    }
  }
}
if (countsFile) appendFileSync(countsFile, `${passed} ${failed} 0\n`)
console.log(`${passed} passed, ${failed} failed, 0 skipped`)
process.exitCode = failed === 0 && passed > 0 ? 0 : 1
