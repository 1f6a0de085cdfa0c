// Regions on the real kernel: which bytes belong to a region, and the warning for a region that was dropped.
import { alignUp, createMemory, OutOfMemoryError, UsageError } from '@memlayer/core'
import { createOS } from '@memlayer/os-linux'
import { posixKernel } from '@memlayer/ffi'
import { record } from '@memlayer/kernel'
import { bytesWith, residentBytes, runChild } from '@memlayer/witness'
import { describe, expect, it } from 'vitest'

const MiB = 2 ** 20
const page = process.platform === 'linux' ? posixKernel().pageSize : 4096

function thrown(run: () => unknown): { code?: unknown; message: string } {
  try {
    run()
  } catch (error) {
    return error as Error
  }
  throw new Error('nothing was thrown')
}

describe.skipIf(process.platform !== 'linux')('regions (need Linux)', () => {
  it('makes the wrappers’ transitions by offset instead of by address', () => {
    const memory = createMemory(createOS())
    const stat = memory.stat('vectors')
    const region = memory.reserve(64 * MiB, { name: 'vectors', stat })
    expect(bytesWith('---p', region.address, region.size)).toBe(64 * MiB)
    region.map(0, 8 * MiB)
    expect(memory.stats().categories['vectors']).toMatchObject({ prepared: 8 * MiB, ready: 0, held: 8 * MiB })
    region.used(0, 4 * MiB)
    region.view(Uint8Array, 0, 4 * MiB).fill(1)
    expect(residentBytes(region.address, region.size, page)).toBe(4 * MiB)
    region.unused(MiB, 2 * MiB)
    expect(residentBytes(region.address, region.size, page)).toBe(2 * MiB)
    region.hugePage(0, 4 * MiB)
    region.fault(0, page)
    expect(memory.ranges()[0]).toEqual({ address: region.address, size: page, state: 'Reserved', category: 'vectors' })
    region.free()
    // JavaScript has seen these addresses: the kernel has the memory back, and the addresses are kept.
    expect(memory.stats().retired).toBe(region.size)
    expect(bytesWith('rw-p', region.address, region.size)).toBe(region.size)
    expect(residentBytes(region.address, region.size, page)).toBe(0)
    expect(memory.stats().total).toMatchObject({ reserved: 0, prepared: 0, ready: 0, held: 0 })
    memory.check()
  })

  it('begins at a multiple of the requested alignment', () => {
    const memory = createMemory(createOS())
    using region = memory.reserve(4 * MiB, { align: 64 * MiB })
    expect(region.address % (64 * MiB)).toBe(0)
    expect(region.size).toBeGreaterThanOrEqual(4 * MiB)
  })

  it('maps Reserved pages by commit, and keeps the contents of Ready pages', () => {
    const { kernel, take } = record(posixKernel())
    const memory = createMemory(createOS({ kernel }))
    using region = memory.reserve(MiB)
    region.commit(0, 2 * page)
    region.view(Uint8Array, 0, 1)[0] = 7
    region.map(8 * page, page)
    take()
    region.commit(0, 16 * page)
    const maps = take().filter(({ fn }) => fn === 'mmap')
    expect(maps.map(({ args }) => [(args[0] ?? 0) - region.address, args[1]])).toEqual([
      [2 * page, 6 * page],
      [9 * page, 7 * page],
    ])
    expect(region.view(Uint8Array, 0, 16 * page)[0]).toBe(7)
    expect(memory.stats().total.ready).toBe(16 * page)
  })

  it('is as before after a commit that the kernel refused half way, and can be committed again', () => {
    const kernel = posixKernel()
    let left = 1
    const mmap: typeof kernel.mmap = (v, n, prot, flags, fd, offset) =>
      prot === 3 && left-- === 0 ? -12 : kernel.mmap(v, n, prot, flags, fd, offset)
    const memory = createMemory(createOS({ kernel: { ...kernel, mmap } }))
    using region = memory.reserve(MiB)
    left = 1
    region.map(4 * page, page)
    left = 1
    expect(thrown(() => region.commit(0, 8 * page))).toBeInstanceOf(OutOfMemoryError)
    memory.check()
    expect(memory.ranges().map(({ size, state }) => [size / page, state])).toEqual([
      [4, 'Reserved'],
      [1, 'Prepared'],
      [MiB / page - 5, 'Reserved'],
    ])
    left = -1
    region.commit(0, 8 * page)
    expect(memory.stats().total.ready).toBe(8 * page)
  })

  it('refuses wrong offsets, and ranges that end outside', () => {
    const memory = createMemory(createOS())
    using region = memory.reserve(MiB, { name: 'small' })
    for (const [offset, length] of [
      [-page, page],
      [0, MiB + page],
      [MiB, page],
      [0.5, page],
      [NaN, page],
      [0, NaN],
      [2 ** 53, page],
      ['0', page],
    ]) {
      const error = thrown(() => region.map(offset as number, length as number))
      expect(error.code).toBe('ERR_MEMLAYER_RANGE')
      expect(error.message).toMatch(/does not lie within the region 'small' of 1048576 bytes/)
    }
    expect(thrown(() => region.map(1, page)).code).toBe('ERR_MEMLAYER_ALIGNMENT')
    expect(thrown(() => region.unusedAll([0])).code).toBe('ERR_MEMLAYER_SIZE')
    expect(thrown(() => memory.reserve(1)).code).toBe('ERR_MEMLAYER_ALIGNMENT')
    expect(thrown(() => memory.reserve(page, { name: 5 as unknown as string })).code).toBe('ERR_MEMLAYER_OPTION')
    expect(thrown(() => memory.reserve(page, { stat: createMemory(createOS()).stat('x') })).code).toBe(
      'ERR_MEMLAYER_STAT',
    )
    expect(thrown(() => createMemory(createOS(), { ledger: false }).reserve(page)).code).toBe('ERR_MEMLAYER_OPTION')
  })

  it('is disposed once, and refuses every later call', () => {
    const memory = createMemory(createOS())
    const region = memory.reserve(MiB, { name: 'gone' })
    expect(memory.regions()).toEqual([region])
    region[Symbol.dispose]()
    region[Symbol.dispose]()
    expect(region.disposed).toBe(true)
    expect(memory.regions()).toEqual([])
    for (const ask of [
      () => region.map(0, page),
      () => region.commit(0, page),
      () => region.view(Uint8Array, 0, 1),
      () => region.free(),
      () => region.read(0, new Uint8Array(1)),
    ]) {
      expect(thrown(ask).code).toBe('ERR_MEMLAYER_DISPOSED')
    }
  })

  it('never touches freed parts that another region got', () => {
    const memory = createMemory(createOS())
    const first = memory.reserve(MiB, { name: 'first' })
    first.free(4 * page, 4 * page)
    memory.sysFree(first.address + 12 * page, page, null)
    const second = memory.reserve(4 * page, { name: 'second', address: first.address + 4 * page })
    expect(second.address).toBe(first.address + 4 * page)
    second.commit(0, 4 * page)
    second.view(Uint8Array, 0, 1)[0] = 9
    expect(thrown(() => first.view(Uint8Array, 4 * page, 1)).code).toBe('ERR_MEMLAYER_DISPOSED')
    expect(thrown(() => first.unused(4 * page, page)).code).toBe('ERR_MEMLAYER_DISPOSED')
    expect(thrown(() => first.map(12 * page, page)).code).toBe('ERR_MEMLAYER_DISPOSED')
    first.map(9 * page, page)
    first[Symbol.dispose]()
    expect(second.view(Uint8Array, 0, 1)[0]).toBe(9)
    expect(memory.stats().total).toMatchObject({ reserved: 0, ready: 4 * page })
    second.free()
    memory.check()
  })

  it('is disposed when its last byte is freed by address', () => {
    const memory = createMemory(createOS())
    const region = memory.reserve(2 * page)
    memory.sysFree(region.address, page, null)
    expect(region.disposed).toBe(false)
    memory.sysFree(region.address + page, page, null)
    expect(region.disposed).toBe(true)
  })

  it('warns when it is collected unfreed, with the place of its reservation, but not while views are in use', () => {
    const child = runChild(
      `
      import { createMemory, GrowableBuffer } from '@memlayer/core'
      import { createOS } from '@memlayer/os-linux'
      const memory = createMemory(createOS())
      function leaky() {
        memory.reserve(${MiB}, { name: 'lost' })
        memory.reserve(${4 * page}, { name: 'lost in parts' }).free(${page}, ${page})
      }
      // The region remembers the place of its creation, but not the owner object, which would keep its region.
      class Owner { constructor() { this.region = memory.reserve(${MiB}, { name: 'lost by its owner' }) } }
      class Opener { open() { this.region = memory.reserve(${MiB}, { name: 'lost by a method' }) } }
      function closed() {
        const owner = {}
        const open = () => { owner.region = memory.reserve(${MiB}, { name: 'lost in a closure' }) }
        open()
      }
      new Owner(); new Opener().open(); closed(); new GrowableBuffer(memory, { maximum: ${MiB}, name: 'lost buffer' })
      function tidy() { memory.reserve(${MiB}, { name: 'tidy' }).free() }
      function viewed() {
        const region = memory.reserve(${MiB}, { name: 'viewed' })
        region.commit(0, ${page})
        return region.view(Uint8Array, 0, 8)
      }
      function seen() {
        const { address } = memory.reserve(${MiB}, { name: 'seen' })
        const region = memory.regions().at(-1)
        region.commit()
        // Both are on one buffer, and only the second is the region's. A window is on a longer one.
        return [memory.view(Uint8Array, address, 8), region.view(Uint8Array, 8, 8)][1]
      }
      const opened = (region) => (region.commit(), region)
      const windowOf = (name) => opened(memory.reserve(${MiB}, { name })).window(Uint8Array)
      leaky(); tidy(); windowOf('lost with a window')
      const view = viewed()
      const others = [seen(), windowOf('windowed')]
      for (let i = 0; i < 20; i++) { globalThis.gc(); await new Promise((resolve) => setTimeout(resolve, 5)) }
      console.log(view.length, memory.regions().map(({ name }) => name).join(), others.length)
      `,
      { from: import.meta.dirname, nodeArgs: ['--expose-gc'] },
    )
    expect(child.stdout.trim()).toBe('8 viewed,seen,windowed 2')
    expect(child.stderr).toMatch(
      /MEMLAYER_LEAK\] MemlayerWarning: the region 'lost' of 1048576 bytes at 0x[0-9a-f]+ was collected without/,
    )
    expect(child.stderr).toMatch(/at leaky/)
    for (const name of [
      'lost by its owner',
      'lost by a method',
      'lost in a closure',
      'lost buffer',
      'lost with a window',
    ])
      expect(child.stderr).toContain(`the region '${name}'`)
    expect(child.stderr).toMatch(/To free this one, call memory\.sysFree\(0x[0-9a-f]+, 1048576, null\)\./)
    const parts = [page, 2 * page].map((n) => String.raw`memory\.sysFree\(0x[0-9a-f]+, ${n}, null\)`)
    expect(child.stderr).toMatch(new RegExp(`To free what is left of this one, call ${parts.join(' and ')}\\.`))
    expect(child.stderr).not.toMatch(/'tidy'|'viewed'|'seen'|'windowed'/)
  })

  it('stands in memory.leaks() once it is collected unfreed, until its parts are freed', () => {
    const child = runChild(
      `
      import { createMemory } from '@memlayer/core'
      import { createOS } from '@memlayer/os-linux'
      const memory = createMemory(createOS())
      const kept = memory.reserve(${page}, { name: 'kept' })
      const stat = memory.stat('of another name')
      function leaky() {
        const region = memory.reserve(${4 * page}, { name: 'lost', stat })
        region.commit(0, ${4 * page})
        region.free(${page}, ${page})
        return { id: region.id, address: region.address }
      }
      const was = leaky()
      const before = memory.leaks().length
      for (let i = 0; i < 20; i++) { globalThis.gc(); await new Promise((resolve) => setTimeout(resolve, 5)) }
      const [leak, ...others] = memory.leaks()
      const isSame = leak.id === was.id && leak.address === was.address
      const found = { ...leak, isSame, others: others.length, before }
      const parts = leak.parts.map(([v, n]) => [v - leak.address, n])
      for (const [v, n] of leak.parts) memory.sysFree(v, n, null)
      // The id stays the lost one's own: whatever is reserved later has another.
      const next = memory.reserve(${4 * page}, { address: was.address })
      const ids = { isNew: next.id > was.id, kept: kept.id < was.id }
      console.log(JSON.stringify({ ...found, ...ids, parts, left: memory.leaks().length }))
      `,
      { from: import.meta.dirname, nodeArgs: ['--expose-gc'] },
    )
    expect(child.stderr).toContain('MEMLAYER_LEAK')
    const { made, ...told } = JSON.parse(child.stdout) as { made: string }
    expect(made).toMatch(/at leaky/)
    expect(told).toMatchObject({
      name: 'lost',
      category: 'of another name',
      size: 4 * page,
      parts: [
        [0, page],
        [2 * page, 2 * page],
      ],
      isSame: true,
      before: 0,
      others: 0,
      left: 0,
      isNew: true,
      kept: true,
    })
  })

  it('knows how many mappings its own ranges cost the kernel', () => {
    const memory = createMemory(createOS())
    using region = memory.reserve(1000 * page)
    for (let i = 0; i < 500; i++) region.map(2 * i * page, page)
    expect(memory.mappings()?.own).toBe(1000)
  })

  it('is refused at the end of the address space with the limit named, and counts nothing', () => {
    const memory = createMemory(createOS())
    const error = thrown(() => memory.reserve(2 ** 47))
    expect(error).toBeInstanceOf(OutOfMemoryError)
    expect(error.message).toMatch(/ENOMEM.*2\^47/)
    expect(memory.regions()).toEqual([])
    expect(memory.stats().total.reserved).toBe(0)
    expect(alignUp(1, page)).toBe(page)
    expect(error).not.toBeInstanceOf(UsageError)
  })
})
