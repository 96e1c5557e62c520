// Counts the conformance cases by operation; run `npm run build` first. Every backend runs each case fused and not.
import { allCases, titleOf } from '@athanor/backend-conformance'

const cases = allCases()
const counts = new Map()
for (const { op, direction } of cases) {
  const row = counts.get(op) ?? { forward: 0, backward: 0 }
  row[direction]++
  counts.set(op, row)
}
for (const [op, { forward, backward }] of counts)
  console.log(`${op.padEnd(48)} ${String(forward).padStart(5)} ${String(backward).padStart(5)}`)
const distinct = new Set(cases.map(titleOf)).size
console.log(`${cases.length} cases, ${distinct} distinct titles; ${2 * cases.length} with fusion on and off`)
