// Touches a page that faults. This process is expected to die of it. The argument names the page.
import { writeSync } from 'node:fs'
import { createMemory } from '@memlayer/core'
import { createOS } from '@memlayer/os-windows'

const memory = createMemory(createOS())
const n = memory.os.traits.granularity
let v = memory.sysAlloc(n, null)
let bytes = memory.os.view(v, n)
writeSync(1, `Ready reads ${new Uint8Array(bytes)[0]}\n`)

const transitions: Record<string, () => void> = {
  faulted: () => memory.sysFault(v, n),
  unused: () => memory.sysUnused(v, n),
  freed: () => memory.sysFree(v, n, null),
  reserved: () => {
    v = memory.sysReserve(null, n)
    bytes = memory.os.view(v, n)
  },
  mapped: () => {
    v = memory.sysReserve(null, n)
    memory.sysMap(v, n, null)
    bytes = memory.os.view(v, n)
  },
}
transitions[process.argv[2] ?? '']?.()
writeSync(1, `and then ${new Uint8Array(bytes)[0]}\n`)
