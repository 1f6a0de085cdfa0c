// What every JavaScript engine has to show. engines.test.ts runs this file on each and reads the facts that it prints.
import { readFileSync } from 'node:fs'
import { conformance, runCases } from '@memlayer/conformance'
import { createMemory } from '@memlayer/core'
import { posixKernel } from '@memlayer/ffi'
import { History } from '@memlayer/history'
import { createOS } from '@memlayer/os-engine'
import { random, residentBytes } from '@memlayer/witness'

const seed = Number(process.argv[2])
const operations = Number(process.argv[3])
const MiB = 2 ** 20
const { pageSize } = posixKernel()

// Locked or refused pages are a part of the suite, and the warning about them is not.
process.removeAllListeners('warning')

// maps and not smaps, which walks the page tables.
const mappingsIn = (v, n) =>
  [...readFileSync('/proc/self/maps', 'latin1').matchAll(/^([0-9a-f]+)-([0-9a-f]+) (\S+)/gm)]
    .map(([, start, end, permissions]) => ({ start: parseInt(start, 16), end: parseInt(end, 16), permissions }))
    .filter(({ start, end }) => start < v + n && end > v)

const witness = () => ({
  faults: (v, access) => !(mappingsIn(v, 1)[0]?.permissions.startsWith(access === 'read' ? 'r' : 'rw') ?? false),
  resident: (v, n) => residentBytes(v, n, pageSize),
  held: (v, n) => mappingsIn(v, n).reduce((sum, at) => sum + Math.min(at.end, v + n) - Math.max(at.start, v), 0),
})
const skip = globalThis.Bun === undefined ? {} : { 'batch/beyond-32-bits': 'Bun makes no buffer of more than 4 GiB' }
const report = runCases(conformance({ createOS, kernel: () => posixKernel(), witness, skip }, { seed }))

// What a kept view reads, and what the kernel has back, in each way that pages leave Ready.
const memory = createMemory(createOS())
const ways = {}
for (const way of ['unused', 'fault', 'free']) {
  const region = memory.reserve(16 * MiB)
  region.commit(0, 16 * MiB)
  const view = region.view(Uint8Array, 0, 16 * MiB).fill(7)
  const { address } = region
  const before = residentBytes(address, 16 * MiB, pageSize)
  region[way](0, 16 * MiB)
  const after = residentBytes(address, 16 * MiB, pageSize)
  ways[way] = { before, after, reads: [view[0], view[view.length - 1]], length: view.length }
  view.fill(9)
}

const lived = createMemory(createOS())
const history = new History({ memory: lived, random: random(seed) })
let disagreement = null
for (let i = 1; i <= operations && disagreement === null; i++) {
  history.step()
  if (i % 500 === 0) disagreement = history.disagreement()
}
history.end()

console.log(
  JSON.stringify({
    failed: report.results.filter(({ status }) => status === 'fail').map(({ id, why }) => `${id}: ${why}`),
    passed: report.counts.pass,
    ways,
    disagreement,
    done: history.done,
    left: lived.stats().total.held,
  }),
)
