// Functions over many ranges, and copies of many bytes: at the lengths around which backends go wrong.
import { withBytes } from '../bytes.js'
import { claim, outcomeOf, same } from '../claim.js'
import { absent, type Definition, type Verdict, type World } from '../definition.js'
import type { Stage } from '../stage.js'

const MIB = 2 ** 20
/** Numbers of ranges. */
const counts = [1, 2, 1023, 1024, 1025, 5000]
/** The most bytes of which every page is written. */
const bytesMax = 2 ** 28
/** Every subject has so many. */
const bytesMin = 2 ** 24

/** Whether memory for so many ranges can be had. A subject may have less memory than the longest list wants. */
function fits({ memory, pageSize }: Stage, count: number): boolean {
  const n = (3 * count + 1) * pageSize
  try {
    memory.sysFree(memory.sysReserve(null, n), n, null)
    return true
  } catch (error) {
    if (n > bytesMin && outcomeOf(error) === 'OutOfMemoryError') return false
    throw error
  }
}

/** Ranges of a page, or two, with a page between them. Those that are looked at are written. */
function listOf({ memory, os, pageSize }: Stage, count: number): { pairs: number[]; looks: number[] } {
  const n = (3 * count + 1) * pageSize
  const v = memory.sysReserve(null, n)
  memory.sysMap(v, n, null)
  memory.sysUsed(v, n)
  const pairs = Array.from({ length: count }, (_, i) => [v + 3 * i * pageSize, (1 + (i % 2)) * pageSize]).flat()
  const near = [0, 1, 2, 511, 1022, 1023, 1024, 1025, 2048, 4095, 4096, 4097, count - 2, count - 1]
  const looks = [...new Set(near)].filter((i) => i >= 0 && i < count)
  for (const i of looks) withBytes(os, v + 3 * i * pageSize, 3 * pageSize, (bytes) => bytes.fill(5))
  return { pairs, looks }
}

function claimList(stage: Stage, count: number): void {
  const { memory, os, pageSize, witness } = stage
  const { pairs, looks } = listOf(stage, count)
  memory.sysUnusedAll(pairs)
  witness.takeForfeit?.()
  const isSure = os.traits.unusedDropsContents || witness.takeForfeit !== undefined
  for (const i of looks) {
    const [v = 0, n = 0] = pairs.slice(2 * i, 2 * i + 2)
    const what = `range ${i} of ${count} of sysUnusedAll`
    if (witness.resident !== undefined && os.traits.unusedReturnsMemory && isSure)
      same(witness.resident(v, n), 0, `resident bytes of ${what}`)
    withBytes(os, v + n, 3 * pageSize - n, (bytes) => same(bytes[0], 5, `the page after ${what}`))
    memory.sysUsed(v, n)
    withBytes(os, v, n, (bytes) => {
      const found = bytes[0]
      claim(
        found === 0 || (found === 5 && !os.traits.unusedDropsContents),
        `${what} holds ${found} when it is used again`,
      )
    })
  }
  memory.sysFree(pairs[0] ?? 0, (3 * count + 1) * pageSize, null)
}

/** Asks the backend itself: true means that all was done, false that nothing was. */
function claimAnswer(stage: Stage, os: Stage['os']): void {
  const { pairs, looks } = listOf(stage, 9)
  const does = os.sysUnusedAllOS?.(pairs) ?? false
  stage.witness.takeForfeit?.()
  const isSure = os.traits.unusedDropsContents || stage.witness.takeForfeit !== undefined
  if (stage.witness.resident === undefined || !os.traits.unusedReturnsMemory || !isSure) return
  for (const i of looks) {
    const [v = 0, n = 0] = pairs.slice(2 * i, 2 * i + 2)
    const resident = stage.witness.resident(v, n)
    if (does) same(resident, 0, `resident bytes of range ${i}, of which sysUnusedAllOS says that it was done`)
    else same(resident, n, `resident bytes of range ${i}, of which sysUnusedAllOS says that it was not done`)
  }
}

function atAllCounts(world: World): void {
  world.play((stage) => {
    for (const count of counts) {
      if (3 * count * stage.pageSize <= bytesMax && fits(stage, count)) claimList(stage, count)
    }
    claimAnswer(stage, stage.os)
  })
}

/** Offsets and lengths of copies: within a page, at its edges, and around 64 KiB and 1 MiB. */
function copiesOf(pageSize: number): [at: number, n: number][] {
  const lengths = [1, 7, pageSize - 1, pageSize, pageSize + 1, 65537, MIB + 1]
  return lengths.flatMap((n): [number, number][] => [
    [0, n],
    [pageSize - 3, n],
  ])
}

/** Bytes that tell their place. */
const places = Uint8Array.from({ length: 3 * MIB }, (_, i) => (i * 31 + (i >>> 8) * 7) & 0xff)

function firstOther(a: Uint8Array, b: Uint8Array): number {
  for (let i = 0; i < b.length; i++) if (a[i] !== b[i]) return i
  return -1
}

function copies(world: World, which: 'read' | 'write'): Verdict | undefined {
  return world.play((stage) => {
    const { memory, os, pageSize, unit } = stage
    const { host } = os
    if (host?.[which] === undefined) return absent(`host.${which}`)
    const n = Math.ceil((3 * MIB) / unit) * unit
    const v = memory.sysAlloc(n, null)
    // Twice, because a backend may go wrong at the second time.
    const twice = [...copiesOf(pageSize), ...copiesOf(pageSize).slice(0, 6)]
    for (const [round, [at, length]] of twice.entries()) {
      const expected = places.subarray(round, round + length)
      const what = `${length} bytes at offset ${at}, copied by host.${which}`
      withBytes(os, v, n, (bytes) => {
        bytes.fill(0xee, 0, at + length + pageSize)
        if (which === 'read') bytes.set(expected, at)
      })
      if (which === 'read') {
        const target = new Uint8Array(length).fill(0xdd)
        host.read?.(v + at, target)
        same(firstOther(target, expected), -1, `the first wrong byte of ${what}`)
        continue
      }
      host.write?.(v + at, expected)
      withBytes(os, v, n, (bytes) => {
        same(firstOther(bytes.subarray(at), expected), -1, `the first wrong byte of ${what}`)
        if (at > 0) same(bytes[at - 1], 0xee, `the byte before ${what}`)
        same(bytes[at + length], 0xee, `the byte after ${what}`)
      })
    }
    memory.sysFree(v, n, null)
    return undefined
  })
}

export const listCases: readonly Definition[] = [
  {
    id: 'lists/unused-all',
    title: `sysUnusedAll: gives each of ${counts.join(', ')} ranges back, and no page beside them`,
    show: atAllCounts,
  },
  {
    id: 'lists/read',
    title: 'host.read: copies each byte, at any offset, from one byte to more than 1 MiB',
    show: (world) => copies(world, 'read'),
  },
  {
    id: 'lists/write',
    title: 'host.write: copies each byte, at any offset, and no byte beside them',
    show: (world) => copies(world, 'write'),
  },
]
