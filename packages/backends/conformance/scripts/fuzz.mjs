// A long campaign of random graphs on one backend; run `npm run build` first.
// node packages/backends/conformance/scripts/fuzz.mjs --backend cpu --seconds 600 [--seed 1] [--unfused] [--threads 1,2,3,7] [--delays]
// Prints one line of JSON for each setting: graphs, skipped, failures; exit code 1 if a graph failed.
import { parseArgs } from 'node:util'
import { campaign } from '@athanor/backend-conformance'

const { values } = parseArgs({
  options: {
    backend: { type: 'string', default: 'cpu' },
    seconds: { type: 'string', default: '60' },
    seed: { type: 'string', default: String(Date.now() % 1e8) },
    threads: { type: 'string', default: '1' },
    unfused: { type: 'boolean', default: false },
    delays: { type: 'boolean', default: false },
  },
})

const module = await import(`@athanor/backend-${values.backend}`)
const makeBackend = module[`${values.backend}Backend`]
const threadCounts = values.threads.split(',').map(Number)
let seed = Number(values.seed)

for (const threads of threadCounts) {
  const seconds = Number(values.seconds) / threadCounts.length
  const end = performance.now() + seconds * 1000
  const counts = { backend: values.backend, threads, fused: !values.unfused, firstSeed: seed, graphs: 0, skipped: 0, failures: 0 }
  while (performance.now() < end) {
    const backend = await makeBackend({ schedule: { fuse: !values.unfused }, poison: true, threads, delays: values.delays })
    const { graphs, skipped, failure } = await campaign(backend, { seed, seconds: (end - performance.now()) / 1000 })
    await backend.dispose()
    seed += graphs
    counts.graphs += graphs
    counts.skipped += skipped
    if (failure === undefined) continue
    counts.failures++
    process.exitCode = 1
    console.error(`seed ${failure.seed}: ${failure.text}\n${failure.graph}\n`)
  }
  console.log(JSON.stringify(counts))
}
