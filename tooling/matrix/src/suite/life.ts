// Tests the life of a range on the chosen backend, with regions and with the eight functions.
import { GrowableBuffer, memory, OutOfMemoryError, UsageError, alignUp } from 'memlayer'
import { CHUNK_BYTES, equal, freshMemory, thrownBy, type Case } from './case.js'

const MiB = 2 ** 20

/** Cases that take a range through its whole life. */
export const lifeCases: readonly Case[] = [
  {
    title: 'the account is right after each step of a region: reserve, commit, write, unused, commit and free',
    run() {
      const own = freshMemory()
      const region = own.reserve(16 * MiB, { name: 'life' })
      region.commit(0, 2 * MiB)
      region.view(Uint8Array, 0, 2 * MiB).fill(7)
      equal(own.stats().total.ready, 2 * MiB, 'Ready after commit')
      region.unused(0, MiB)
      equal([own.stats().total.ready, own.stats().total.prepared], [MiB, MiB], 'Ready and Prepared after unused')
      region.commit(0, MiB)
      const bytes = region.view(Uint8Array, 0, 2 * MiB)
      equal(bytes[MiB], 7, 'what was kept')
      if (own.os.traits.unusedDropsContents) equal(bytes[0], 0, 'what was given back')
      region.free()
      own.check()
      const { reserved, prepared, ready } = own.stats().total
      equal([reserved, prepared, ready], [0, 0, 0], 'the account at the end')
    },
  },
  {
    title: 'the eight functions take a range through every state, and its category counts it',
    run() {
      const own = freshMemory()
      const stat = own.stat('suite')
      const v = own.sysReserve(null, 4 * MiB)
      own.sysMap(v, 2 * MiB, stat)
      own.sysUsed(v, 2 * MiB)
      own.sysHugePage(v, 2 * MiB)
      own.sysUnused(v, MiB)
      own.sysUsed(v, MiB)
      own.sysFault(v, CHUNK_BYTES)
      equal(
        [stat.load(), own.ranges().map(({ size, state }) => [size, state])],
        [
          2 * MiB,
          [
            [CHUNK_BYTES, 'Reserved'],
            [2 * MiB - CHUNK_BYTES, 'Ready'],
            [2 * MiB, 'Reserved'],
          ],
        ],
        'the ranges',
      )
      own.check()
      own.sysFree(v, 4 * MiB, stat)
      const w = own.sysAlloc(MiB, stat)
      equal(own.view(Float64Array, w, 1)[0], 0, 'fresh memory')
      own.sysFree(w, MiB, stat)
      const { address, size } = own.sysReserveAligned(null, MiB, 4 * MiB)
      equal(address % (4 * MiB), 0, 'an aligned reservation')
      own.sysFree(address, size, null)
      equal(stat.load(), 0, 'the category at the end')
      own.check()
    },
  },
  {
    title: 'one call gives many ranges back',
    run() {
      const own = freshMemory()
      const region = own.reserve(4 * MiB)
      region.commit(0, 4 * MiB)
      region.unusedAll([0, CHUNK_BYTES, 2 * CHUNK_BYTES, CHUNK_BYTES, 3 * MiB, MiB])
      equal(own.stats().total.prepared, 2 * CHUNK_BYTES + MiB, 'Prepared')
      region.free()
      own.check()
    },
  },
  {
    title: 'a buffer grows in place',
    run() {
      const own = freshMemory()
      const buffer = new GrowableBuffer(own, { maximum: 8 * MiB })
      buffer.resize(1000)
      buffer.bytes()[999] = 9
      buffer.resize(3 * MiB)
      equal([buffer.bytes()[999], buffer.bytes().length], [9, 3 * MiB], 'after growth')
      buffer.free()
      own.check()
    },
  },
  {
    title: 'a wrong call is refused with its code before any effect, and a refusal by the host has a hint',
    run() {
      const own = freshMemory()
      const region = own.reserve(MiB)
      const misuse = thrownBy(() => region.view(Uint8Array, 0, 1), 'a view of Reserved pages')
      equal([misuse instanceof UsageError, misuse.code], [true, 'ERR_MEMLAYER_STATE'], 'the error')
      equal(
        thrownBy(() => own.sysUnused(region.address + 1, 1), 'a part of a page').code,
        'ERR_MEMLAYER_ALIGNMENT',
        'the code',
      )
      const refused = thrownBy(() => own.sysReserve(null, alignUp(2 ** 47, CHUNK_BYTES)), '128 TiB') as OutOfMemoryError
      equal(
        [refused instanceof OutOfMemoryError, refused.errnoName, (refused.hint ?? '').length > 20],
        [true, 'ENOMEM', true],
        'the refusal',
      )
      own.check()
      region.free()
    },
  },
  {
    title: 'memory is one object that tells the system, the backend, and the reason of the choice',
    run() {
      const v = memory.sysAlloc(CHUNK_BYTES, memory.stat('suite'))
      memory.view(Uint8Array, v, 1)[0] = 1
      memory.sysFree(v, CHUNK_BYTES, memory.stat('suite'))
      memory.check()
      equal(memory.choice.backend, `@memlayer/os-${memory.os.name}`, 'the backend')
      equal(memory.choice.reason.length > 10, true, 'a reason is given')
    },
  },
]
