// Type check, lint and tests in one command; the last line counts the tests.
// Options: --tests-only (no type check, no lint), --counts=FILE (appends "passed failed skipped");
// all other arguments go to vitest.
import { spawnSync } from 'node:child_process'
import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const ours = /^--(tests-only|counts=.*)$/
const words = process.argv.slice(2)
const countsFile = words.find((word) => word.startsWith('--counts='))?.slice('--counts='.length)

const succeeds = (command, args) => spawnSync(command, args, { cwd: root, stdio: 'inherit' }).status === 0

const failedChecks = words.includes('--tests-only')
  ? []
  : ['typecheck', 'lint'].filter((check) => !succeeds('npm', ['run', '--silent', check]))

const folder = mkdtempSync(join(tmpdir(), 'athanor-test-'))
const results = join(folder, 'vitest.json')
const testsPassed = succeeds(process.execPath, [
  join(root, 'node_modules/vitest/vitest.mjs'),
  'run',
  '--reporter=default',
  '--reporter=json',
  `--outputFile.json=${results}`,
  ...words.filter((word) => !ours.test(word)),
])
const report = existsSync(results) ? JSON.parse(readFileSync(results, 'utf8')) : undefined
rmSync(folder, { recursive: true })

// A file that cannot be loaded holds no test, yet it is a failure.
const unloaded = report?.testResults.filter((file) => file.status === 'failed' && file.assertionResults.length === 0).length ?? 0
const passed = report?.numPassedTests ?? 0
const failed = (report?.numFailedTests ?? 0) + unloaded + failedChecks.length
const skipped = (report?.numPendingTests ?? 0) + (report?.numTodoTests ?? 0)

if (failedChecks.length > 0) console.log(`Failed before the tests: ${failedChecks.join(', ')}`)
if (passed + failed === 0) console.log('No test ran')
if (countsFile) appendFileSync(countsFile, `${passed} ${failed} ${skipped}\n`)
console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`)
process.exitCode = testsPassed && failed === 0 && passed > 0 ? 0 : 1
