// What every JavaScript engine has to show. engines.test.ts runs this file on each and reads the facts that it prints.
import { readFileSync } from 'node:fs'
import { conformance, runCases } from '@memlayer/conformance'
import { createMemory } from '@memlayer/core'
import { posixKernel } from '@memlayer/ffi'
import { History } from '@memlayer/history'
import { createOS } from '@memlayer/os-engine'
import { mappingsIn as mappingsOf, random, residentBytes } from '@memlayer/witness'

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

// With huge pages for all memory, a touch also gives memory to the Prepared pages beside it.
const hugeForAll = readFileSync('/sys/kernel/mm/transparent_hugepage/enabled', 'latin1').includes('[always]')

/** Bun asks for huge pages for its arena of small buffers, and a touch gives memory to the pages beside it as well. */
const isHugeOfBun = (v, n) => globalThis.Bun !== undefined && mappingsOf(v, n).some(({ flags }) => flags.includes('hg'))

/** What the kernel says against the shadow: pages in other states than Ready have no memory, and written ones have. */
const residencyAgainst = ({ shadow }) => {
  for (const { page, n, state } of shadow.runs()) {
    if (state === 'Prepared' && hugeForAll) continue
    const pages = residentBytes(page * pageSize, n * pageSize, pageSize) / pageSize
    let written = 0
    for (let i = 0; i < n; i++) if (shadow.at(page + i).word > 0) written += 1
    if (state !== 'Ready' && pages > 0 && isHugeOfBun(page * pageSize, n * pageSize)) continue
    if (state === 'Ready' ? pages < written : pages > 0)
      return `${pages} of ${n} pages from ${page} are resident, which are ${state}, and ${written} of them written`
    compared[state] += n
  }
  return null
}

const lived = createMemory(createOS())
// JavaScriptCore writes zeroes to small buffers and to the first page of others, so new pages may have memory.
if (globalThis.Bun !== undefined) {
  const MADV_DONTNEED = 4
  lived.observe(({ op, address, size }) => {
    if (op === 'sysReserve') posixKernel().madvise(address, size, MADV_DONTNEED)
  })
}
const history = new History({ memory: lived, random: random(seed) })
const compared = { Reserved: 0, Prepared: 0, Ready: 0 }
const begun = performance.now()
let disagreement = null
for (let i = 1; i <= operations && disagreement === null; i++) {
  history.step()
  // The kernel comes first, because the shadow's comparison reads the contents, and a read page counts as resident.
  if (i % 500 === 0) disagreement = residencyAgainst(history) ?? history.disagreement()
}
const seconds = Math.round(performance.now() - begun) / 1000
history.end()

console.log(
  JSON.stringify({
    failed: report.results.filter(({ status }) => status === 'fail').map(({ id, why }) => `${id}: ${why}`),
    passed: report.counts.pass,
    ways,
    disagreement,
    done: history.done,
    compared,
    seconds,
    left: lived.stats().total.held,
  }),
)
