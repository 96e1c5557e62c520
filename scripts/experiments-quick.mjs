// Runs every experiment in its small form (`athanor reproduce --quick`): a few steps of one seed.
// Proves that the files are valid and run to their end, with every number that their claims speak of; says nothing
// about their results. Needs a build.
// --counts=FILE appends "passed failed skipped"; other words choose files by a part of their path.
import { spawnSync } from 'node:child_process'
import { appendFileSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const words = process.argv.slice(2)
const countsFile = words.find((word) => word.startsWith('--counts='))?.slice('--counts='.length)
const chosen = words.filter((word) => !word.startsWith('--'))

const files = readdirSync(join(root, 'experiments'), { recursive: true })
  .filter((file) => /\.ya?ml$/.test(file) && !/(^|[./])base\.ya?ml$|(^|\/)((runs|node_modules)\/|\.)/.test(file))
  .map((file) => join('experiments', file))
  .filter((file) => chosen.length === 0 || chosen.some((word) => file.includes(word)))
  .sort()

const runs = mkdtempSync(join(tmpdir(), 'athanor-quick-'))
let passed = 0
try {
  const args = ['packages/lab/bin/athanor.js', 'reproduce', ...files, '--quick', '--runs', runs]
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: root, encoding: 'utf8', maxBuffer: 2 ** 28 })
  console.log(stdout.trim())
  // Without its last line it ended early: then nothing counts.
  passed = Number(/^(\d+) of \d+ small forms work\.$/m.exec(stdout)?.[1] ?? 0)
  if (status !== 0) console.log(stderr)
} finally {
  rmSync(runs, { recursive: true, force: true })
}
const failed = files.length - passed
if (countsFile) appendFileSync(countsFile, `${passed} ${failed} 0\n`)
console.log(`${passed} passed, ${failed} failed, 0 skipped`)
process.exitCode = failed === 0 && passed > 0 ? 0 : 1
