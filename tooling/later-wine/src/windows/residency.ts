// Looks at 1 GiB that is committed, and of which each page was touched. Runs in Node for Windows.
import { createMemory } from '@memlayer/core'
import { createOS } from '@memlayer/os-windows'

const size = 2 ** 30
const looks = 9
const memory = createMemory(createOS())
const region = memory.reserve(size)
region.commit()
region.view(Uint8Array, 0, size).fill(1)

let resident = 0
const times = Array.from({ length: looks }, () => {
  const start = performance.now()
  resident = memory.residency(region.address, size)?.resident ?? NaN
  return performance.now() - start
})
const milliseconds = times.toSorted((a, b) => a - b)[(looks - 1) / 2] ?? NaN
console.log(JSON.stringify({ node: `Node ${process.versions.node}`, milliseconds, resident }))
