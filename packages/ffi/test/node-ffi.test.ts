// node:ffi on Node 26, in a child process. The engine answers as koffi does, and a life of memory passes on the
// real kernel.
import { otherNode, runChild, type ChildEnd } from '@memlayer/witness'
import { describe, expect, it } from 'vitest'

const onLinux = process.platform === 'linux'

function run(code: string, node: string, nodeArgs: readonly string[]): ChildEnd {
  return runChild(code, { from: import.meta.dirname, node, nodeArgs: ['--no-warnings', ...nodeArgs] })
}

// The calls that both engines get. Answers that depend on where the kernel maps are left out.
const life = `
  import { readFileSync } from 'node:fs'
  import { posixKernel } from '@memlayer/ffi'
  import { bytesWith, residentBytes } from '@memlayer/witness'
  const MiB = 2 ** 20
  const kernel = posixKernel()
  const { pageSize, hugePageSize, arch } = kernel
  const said = { pageSize, hugePageSize, arch }

  const v = kernel.mmap(0, 2 ** 40, 0, 0x22, -1, 0)
  said.reserved = bytesWith('---p', v, 2 ** 40)
  said.mapsThere = kernel.mmap(v, 8 * MiB, 3, 0x32, -1, 0) === v
  said.mapped = bytesWith('rw-p', v, 2 ** 40)
  const buffer = kernel.view(v, 8 * MiB)
  const bytes = new Uint8Array(buffer)
  for (let at = 0; at < bytes.length; at += pageSize) bytes[at] = 5
  said.resident = residentBytes(v, 8 * MiB, pageSize)
  said.advised = kernel.madvise(v, 4 * MiB, 4)
  said.left = residentBytes(v, 8 * MiB, pageSize)
  said.reads = [bytes[0], bytes[4 * MiB]]
  said.protected = kernel.mprotect(v, MiB, 0)
  said.faults = bytesWith('---p', v, MiB)
  said.minusZero = kernel.mmap(-0, pageSize, -0, 0x22, -1, -0) > 0
  said.refused = [
    kernel.mmap(0, 0, 3, 0x22, -1, 0),
    kernel.mmap(0, 2 ** 47, 0, 0x22, -1, 0),
    kernel.munmap(v + 1, pageSize),
    kernel.mprotect(2 ** 52, pageSize, 3),
    kernel.madvise(v, pageSize, 4242),
  ]
  kernel.write(v + 4 * MiB, Uint8Array.of(9, 8))
  const copied = new Uint8Array(3)
  kernel.read(v + 4 * MiB, copied)
  said.copied = [...copied]
  said.many = kernel.madviseAll([v + 5 * MiB, MiB, v + 7 * MiB, pageSize], 4)
  said.leftOfMany = residentBytes(v + 4 * MiB, 4 * MiB, pageSize)
  said.manyRefused = kernel.madviseAll([v + 5 * MiB + 1, MiB], 4)
  said.sameBytes = bytes[4 * MiB]
  const detached = buffer.transfer(0)
  said.detached = [detached.byteLength, bytes.length]
  said.unmapped = kernel.munmap(v, 2 ** 40)
  said.nothingLeft = bytesWith('rw-p', v, 2 ** 40)
  said.addons = readFileSync('/proc/self/maps', 'latin1').split('\\n').filter((line) => line.endsWith('.node')).length
  console.log(JSON.stringify(said))
`

describe.skipIf(!onLinux)('node:ffi on Node 26 (needs Linux)', () => {
  it('says why koffi was passed over', (context) => {
    const node = otherNode('node26', import.meta.url, context)
    const code = "import { posixKernel } from '@memlayer/ffi'; console.log(JSON.stringify(posixKernel().foreignCalls))"
    const koffi = {
      name: 'koffi',
      reason: expect.stringContaining('native addons are switched off') as string,
      hint: 'Start node without --no-addons.',
    }
    expect(JSON.parse(run(code, node, ['--no-addons']).stdout)).toEqual({ engine: 'node:ffi', passedOver: [koffi] })
    expect(JSON.parse(run(code, node, []).stdout)).toEqual({ engine: 'koffi', passedOver: [] })
  })

  it('runs a whole life of memory on the real kernel without an addon', (context) => {
    const child = run(life, otherNode('node26', import.meta.url, context), ['--no-addons'])
    expect(child.stderr).toBe('')
    expect(JSON.parse(child.stdout)).toMatchObject({
      reserved: 2 ** 40,
      mapsThere: true,
      mapped: 2 ** 23,
      resident: 2 ** 23,
      advised: 0,
      left: 2 ** 22,
      reads: [0, 5],
      protected: 0,
      faults: 2 ** 20,
      minusZero: true,
      refused: [-22, -12, -22, -12, -22],
      sameBytes: 9,
      copied: [9, 8, 0],
      detached: [0, 0],
      unmapped: 0,
      nothingLeft: 0,
      addons: 0,
    })
  })

  it('answers as koffi does, call for call', (context) => {
    const node = otherNode('node26', import.meta.url, context)
    const [byNodeFfi, byKoffi] = [run(life, node, ['--no-addons']), run(life, node, [])].map(
      ({ stdout }) => JSON.parse(stdout) as Record<string, unknown>,
    )
    expect(byKoffi?.['addons']).toBeGreaterThan(0)
    expect({ ...byNodeFfi, addons: 0 }).toEqual({ ...byKoffi, addons: 0 })
  })

  it('keeps addresses above 2^53 and above 2^63 exact, and MAP_FAILED as -1', (context) => {
    const child = run(
      `
      import { nodeFfiEngine } from '../dist/node-ffi.js'
      const engine = nodeFfiEngine()
      // memset over 0 bytes returns the address that it got.
      const memset = engine.func(null, 'memset', 'address', ['address', 'int', 'size'])
      const addresses = [0x0a00000000000000, 0xfffffd7fff000000, 2 ** 64 - 4096, 0x7fffffffffff000, -1, 0, -0]
      console.log(JSON.stringify(addresses.map((v) => memset(v, 0, 0))))
      `,
      otherNode('node26', import.meta.url, context),
      [],
    )
    expect(child.stderr).toBe('')
    expect(JSON.parse(child.stdout)).toEqual([
      0x0a00000000000000,
      0xfffffd7fff000000,
      2 ** 64 - 4096,
      0x7fffffffffff000,
      -1,
      0,
      0,
    ])
  })
})
