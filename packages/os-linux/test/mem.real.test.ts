// The transitions on the kernel of this host. The kernel's own account is the witness.
import { createMemory, UsageError } from '@memlayer/core'
import { posixKernel } from '@memlayer/ffi'
import { createOS } from '@memlayer/os-linux'
import { bytesWith, mappings, mappingsIn, residentBytes, runChild } from '@memlayer/witness'
import { describe, expect, it } from 'vitest'

const MiB = 2 ** 20
const TiB = 2 ** 40
const onLinux = process.platform === 'linux'
const { pageSize } = onLinux ? posixKernel() : { pageSize: 4096 }

/** Writes a nonzero byte into every page. */
function touch(bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length; at += pageSize) bytes[at] = 0xa5
}

describe.skipIf(!onLinux)('os-linux on the real kernel (needs Linux)', () => {
  it('counts resident bytes within 2 % as they are touched, given back and touched again', () => {
    const memory = createMemory(createOS())
    const stat = memory.stat('test')
    const size = 256 * MiB
    const v = memory.sysReserve(null, size)
    memory.sysMap(v, size, stat)
    memory.sysUsed(v, size)
    expect(residentBytes(v, size, pageSize)).toBe(0)

    const bytes = new Uint8Array(memory.os.view(v, size))
    touch(bytes)
    expect(residentBytes(v, size, pageSize)).toBeGreaterThanOrEqual(size)

    memory.sysUnused(v + 64 * MiB, 128 * MiB)
    const left = residentBytes(v, size, pageSize)
    expect(left / (128 * MiB)).toBeGreaterThan(0.98)
    expect(left / (128 * MiB)).toBeLessThan(1.02)

    memory.sysUsed(v + 64 * MiB, 128 * MiB)
    touch(bytes)
    expect(residentBytes(v, size, pageSize)).toBe(size)
    memory.sysFree(v, size, stat)
    memory.check()
  })

  it('moves the resident memory of a process by the touched and given back bytes, within 2 %', () => {
    const child = runChild(
      `
      import { createMemory } from '@memlayer/core'
      import { createOS } from '@memlayer/os-linux'
      import { processResident } from '@memlayer/witness'
      const memory = createMemory(createOS())
      const { pageSize } = memory.os.traits
      const resident = () => { globalThis.gc(); return processResident(pageSize) }
      const size = 1024 * 2 ** 20
      const start = resident()
      const far = memory.sysReserve(null, 2 ** 40)
      const reserved = resident()
      memory.sysMap(far, size, null)
      memory.sysUsed(far, size)
      const bytes = new Uint8Array(memory.os.view(far, size))
      for (let at = 0; at < size; at += pageSize) bytes[at] = 1
      const touched = resident()
      memory.sysUnused(far, size)
      const unused = resident()
      const steps = { size, reserved: reserved - start, touched: touched - reserved, unused: unused - touched }
      console.log(JSON.stringify(steps))
      `,
      { from: import.meta.dirname, nodeArgs: ['--expose-gc'] },
    )
    expect(child.stderr).toBe('')
    const { size, reserved, touched, unused } = JSON.parse(child.stdout) as Record<string, number>
    expect(Math.abs(reserved as number)).toBeLessThan((size as number) * 0.02)
    expect((touched as number) / (size as number)).toBeGreaterThan(0.98)
    expect((touched as number) / (size as number)).toBeLessThan(1.02)
    expect((unused as number) / (size as number)).toBeGreaterThan(-1.02)
    expect((unused as number) / (size as number)).toBeLessThan(-0.98)
  })

  it('reserves 1 TiB without memory behind it and without permissions', () => {
    const memory = createMemory(createOS())
    const v = memory.sysReserve(null, TiB)
    expect(bytesWith('---p', v, TiB)).toBe(TiB)
    expect(mappingsIn(v, TiB).reduce((sum, { rss }) => sum + rss, 0)).toBe(0)
    memory.sysFree(v, TiB, null)
  })

  it('hands back zeroes after sysUnused and sysUsed', () => {
    const memory = createMemory(createOS())
    const stat = memory.stat('test')
    const v = memory.sysAlloc(4 * MiB, stat)
    const bytes = new Uint8Array(memory.os.view(v, 4 * MiB))
    bytes.fill(7)
    memory.sysUnused(v + MiB, MiB)
    memory.sysUsed(v + MiB, MiB)
    expect(bytes.subarray(0, MiB).every((byte) => byte === 7)).toBe(true)
    expect(bytes.subarray(MiB, 2 * MiB).every((byte) => byte === 0)).toBe(true)
    expect(bytes.subarray(2 * MiB).every((byte) => byte === 7)).toBe(true)
    memory.sysFree(v, 4 * MiB, stat)
  })

  it('keeps pages resident until the kernel needs them, with madvDontNeed false', () => {
    const memory = createMemory(createOS({ madvDontNeed: false }))
    const v = memory.sysAlloc(4 * MiB, null)
    touch(new Uint8Array(memory.os.view(v, 4 * MiB)))
    memory.sysUnused(v, 4 * MiB)
    expect(residentBytes(v, 4 * MiB, pageSize)).toBeGreaterThan(0)
    expect(memory.os.traits.unusedDropsContents).toBe(false)
    memory.sysFree(v, 4 * MiB, null)
  })

  it('takes away the permissions of Prepared memory and gives them back, with hardDecommit', () => {
    const memory = createMemory(createOS({ hardDecommit: true }))
    const v = memory.sysAlloc(4 * MiB, null)
    memory.sysUnused(v + MiB, MiB)
    expect(bytesWith('---p', v, 4 * MiB)).toBe(MiB)
    memory.sysUsed(v + MiB, MiB)
    expect(bytesWith('rw-p', v, 4 * MiB)).toBe(4 * MiB)
    memory.sysFree(v, 4 * MiB, null)
  })

  it.each([
    ['a faulted page', 'memory.sysFault(v, pageSize)'],
    ['a page that is only reserved', 'v = memory.sysReserve(null, pageSize); bytes = memory.os.view(v, pageSize)'],
    ['a page given back under hardDecommit', 'memory.sysUnused(v, pageSize)', '{ hardDecommit: true }'],
    ['a freed page', 'memory.sysFree(v, pageSize, null)'],
  ])('kills a process that reads %s with SIGSEGV', (_, transition, options = '{}') => {
    const child = runChild(
      `
      import { writeSync } from 'node:fs'
      import { createMemory } from '@memlayer/core'
      import { createOS } from '@memlayer/os-linux'
      const memory = createMemory(createOS(${options}))
      const { pageSize } = memory.os.traits
      let v = memory.sysAlloc(pageSize, null)
      let bytes = memory.os.view(v, pageSize)
      writeSync(1, 'Ready reads ' + new Uint8Array(bytes)[0] + '\\n')
      ${transition}
      const after = new Uint8Array(bytes)[0]
      writeSync(1, 'and then ' + after)
      `,
      { from: import.meta.dirname },
    )
    expect(child.stdout).toBe('Ready reads 0\n')
    expect(child.signal).toBe('SIGSEGV')
  })

  it('removes a freed range from /proc/self/maps, and nothing else', () => {
    const memory = createMemory(createOS())
    const v = memory.sysReserve(null, 64 * MiB)
    memory.sysMap(v, 32 * MiB, null)
    memory.sysFree(v + 16 * MiB, 32 * MiB, null)
    expect(mappingsIn(v + 16 * MiB, 32 * MiB)).toEqual([])
    expect(bytesWith('rw-p', v, 64 * MiB)).toBe(16 * MiB)
    expect(bytesWith('---p', v, 64 * MiB)).toBe(16 * MiB)
    memory.sysFree(v, 16 * MiB, null)
    memory.sysFree(v + 48 * MiB, 16 * MiB, null)
    expect(mappings().filter(({ start, end }) => start >= v && end <= v + 64 * MiB)).toEqual([])
  })

  it('honours a free hint, and does not overwrite a busy one', () => {
    const memory = createMemory(createOS())
    const v = memory.sysReserve(null, 8 * MiB)
    memory.sysFree(v, 8 * MiB, null)
    expect(memory.sysReserve(v, 8 * MiB)).toBe(v)

    memory.sysMap(v, MiB, null)
    memory.sysUsed(v, MiB)
    const bytes = new Uint8Array(memory.os.view(v, MiB)).fill(9)
    const other = memory.sysReserve(v, MiB)
    expect(other).not.toBe(v)
    expect(bytes.every((byte) => byte === 9)).toBe(true)
    memory.sysFree(other, MiB, null)
    memory.sysFree(v, 8 * MiB, null)
  })

  it('asks for huge pages in the middle, and takes the flag from the two at the ends', () => {
    const { hugePageSize } = posixKernel()
    if (hugePageSize === 0) throw new Error('this kernel has no huge pages, so nothing was tested')
    const memory = createMemory(createOS())
    const { address, size } = memory.sysReserveAligned(null, 8 * hugePageSize, hugePageSize)
    memory.sysMap(address, size, null)
    memory.sysUsed(address, size)
    memory.sysUnused(address + hugePageSize + pageSize, 2 * hugePageSize)
    const flagged = (flag: string): number[] =>
      mappingsIn(address, 8 * hugePageSize)
        .filter(({ flags }) => flags.includes(flag))
        .map(({ start, end }) => (Math.min(end, address + 8 * hugePageSize) - start) / hugePageSize)
    expect(flagged('nh')).toEqual([1, 1])
    expect(flagged('hg')).toEqual([1, 1, 4])
    memory.sysFree(address, size, null)
  })

  it('reserves at an alignment far above the page size, and owns exactly the bytes that it tells', () => {
    const memory = createMemory(createOS())
    const align = 2 ** 30
    const { address, size } = memory.sysReserveAligned(null, MiB, align)
    expect(address % align).toBe(0)
    expect(memory.stats().total.reserved).toBe(size)
    expect(bytesWith('---p', address, size)).toBe(size)
    memory.sysFree(address, size, null)
  })

  it('refuses a range of the engine itself before it asks the kernel', () => {
    const memory = createMemory(createOS())
    const engine = mappings().find(({ permissions, name }) => permissions === 'rw-p' && !name.startsWith('/'))
    if (engine === undefined) throw new Error('found no anonymous mapping of the engine')
    expect(() => memory.sysFree(engine.start, pageSize, null)).toThrow(UsageError)
    expect(() => memory.sysUnused(engine.start, pageSize)).toThrow(UsageError)
    expect(mappingsIn(engine.start, pageSize)).not.toEqual([])
  })
})
