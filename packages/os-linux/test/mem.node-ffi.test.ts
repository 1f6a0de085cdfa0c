// A life on the real kernel without an addon: Node 26's own foreign calls behind the same port.
import { otherNode, runChild } from '@memlayer/witness'
import { describe, expect, it } from 'vitest'

const onLinux = process.platform === 'linux'

/** Every transition, and what the kernel says of it. */
const life = `
import { readFileSync } from 'node:fs'
import { createMemory } from '@memlayer/core'
import { createOS } from '@memlayer/os-linux'
import { bytesWith, residentBytes } from '@memlayer/witness'
const MiB = 2 ** 20
const memory = createMemory(createOS())
const { pageSize } = memory.os.traits
const stat = memory.stat('test')
const said = {}
const v = memory.sysReserve(null, 2 ** 40)
said.reserved = bytesWith('---p', v, 2 ** 40)
memory.sysMap(v, 64 * MiB, stat)
memory.sysUsed(v, 64 * MiB)
const bytes = new Uint8Array(memory.os.view(v, 64 * MiB)).fill(1)
said.ready = residentBytes(v, 64 * MiB, pageSize)
memory.sysUnused(v, 48 * MiB)
said.unused = residentBytes(v, 64 * MiB, pageSize)
memory.sysUsed(v, 48 * MiB)
said.reads = [bytes[0], bytes[48 * MiB]]
memory.sysHugePage(v, 64 * MiB)
memory.sysFault(v, MiB)
said.faults = bytesWith('---p', v, MiB)
memory.check()
said.held = stat.load()
try {
  memory.sysReserve(null, 2 ** 47)
} catch ({ name, errnoName, hint }) {
  said.refused = { name, errnoName, hint }
}
const a = memory.sysReserveAligned(null, MiB, 2 ** 30)
said.aligned = a.address % 2 ** 30
memory.sysFree(a.address, a.size, null)
memory.sysFree(v, 2 ** 40, null)
said.left = bytesWith('rw-p', v, 2 ** 40) + bytesWith('---p', v, 2 ** 40)
said.total = memory.stats().total.held
const maps = readFileSync('/proc/self/maps', 'latin1').split('\\n')
said.addons = maps.filter((line) => line.endsWith('.node')).length
console.log(JSON.stringify(said))
`

describe.skipIf(!onLinux)('os-linux by node:ffi, on Node 26 (needs Linux)', () => {
  it('makes every transition without an addon, and gets refusals with their numbers', (context) => {
    const child = runChild(life, {
      from: import.meta.dirname,
      node: otherNode('node26', import.meta.url, context),
      nodeArgs: ['--no-addons', '--no-warnings'],
    })
    expect(child.stderr).toBe('')
    expect(JSON.parse(child.stdout)).toEqual({
      reserved: 2 ** 40,
      ready: 64 * 2 ** 20,
      unused: 16 * 2 ** 20,
      reads: [0, 1],
      faults: 2 ** 20,
      held: 64 * 2 ** 20,
      refused: {
        name: 'OutOfMemoryError',
        errnoName: 'ENOMEM',
        hint: expect.stringContaining('address space') as string,
      },
      aligned: 0,
      left: 0,
      total: 0,
      addons: 0,
    })
  })
})
