// Runs every experiment file in a quick form: few of the embedded images, one epoch, one seed; all variants of its sweep.
// Proves that the files are valid and run to their end, and says nothing about their results. Needs a build.
// --counts=FILE appends "passed failed skipped"; other words choose files by a part of their path.
import { spawnSync } from 'node:child_process'
import { appendFileSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parse } from 'yaml'

const root = fileURLToPath(new URL('..', import.meta.url))
const words = process.argv.slice(2)
const countsFile = words.find((word) => word.startsWith('--counts='))?.slice('--counts='.length)
const chosen = words.filter((word) => !word.startsWith('--'))

const files = readdirSync(join(root, 'experiments'), { recursive: true })
  .filter((file) => file.endsWith('.yaml') && !/(^|\/)(runs|node_modules)\//.test(file))
  .map((file) => join('experiments', file))
  .filter((file) => chosen.length === 0 || chosen.some((word) => file.includes(word)))
  .sort()

/** Overrides that make an experiment small. */
function quickWords({ seeds = [0], data, train = {} }) {
  const small = [`seeds=[${seeds[0]}]`]
  if (data !== undefined) small.push('data.train=256', 'data.test=128')
  if (data?.subset === false) small.push('data.subset=true')
  if ('epochs' in train) small.push('train.epochs=1')
  if ('steps' in train) small.push('train.steps=4')
  return small
}

let passed = 0
let failed = 0
const runs = mkdtempSync(join(tmpdir(), 'athanor-quick-'))
try {
  for (const file of files) {
    const args = ['packages/lab/dist/cli.js', 'run', file, ...quickWords(parse(readFileSync(join(root, file), 'utf8'))), '--runs', runs]
    const began = performance.now()
    const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: root, encoding: 'utf8' })
    console.log(`${status === 0 ? 'passed' : 'FAILED'} ${file} (${((performance.now() - began) / 1e3).toFixed(1)} s)`)
    if (status === 0) passed += 1
    else {
      failed += 1
      console.log(`node ${args.join(' ')}\n${stdout}${stderr}`)
    }
  }
} finally {
  rmSync(runs, { recursive: true, force: true })
}
if (countsFile) appendFileSync(countsFile, `${passed} ${failed} 0\n`)
console.log(`${passed} passed, ${failed} failed, 0 skipped`)
process.exitCode = failed === 0 && passed > 0 ? 0 : 1
