// Freed addresses that JavaScript has seen, on the real kernel: what they cost, under which limits, and what becomes of
// a late write. Each runs in a process of its own.
import { spawnSync } from 'node:child_process'
import { runChild, type ChildOptions } from '@memlayer/witness'
import { describe, expect, it } from 'vitest'

const opening = `
  import { createMemory } from '@memlayer/core'
  import { createOS } from '@memlayer/os-linux'
  import { mappings, processResident, residentBytes } from '@memlayer/witness'
  const memory = createMemory(createOS())
  const page = memory.os.traits.pageSize
  const MiB = 2 ** 20
  const turn = () => new Promise((resolve) => setImmediate(resolve))
  /** A region of which JavaScript sees the first bytes, and which is freed. */
  function live(bytes, ready = Math.min(bytes, 64 * page)) {
    const region = memory.reserve(bytes, { name: 'seen', hugePages: 'off' })
    region.commit(0, ready)
    const view = region.view(Uint8Array, 0, ready)
    for (let at = 0; at < ready; at += 16 * page) view[at] = 1
    region.free()
    return region.address
  }
`

/** Runs a program that prints JSON. */
function told(program: string, options: Partial<ChildOptions> = {}): unknown {
  const child = runChild(opening + program, { from: import.meta.dirname, timeout: 300_000, ...options })
  expect(child).toMatchObject({ code: 0, signal: null, stderr: '' })
  return JSON.parse(child.stdout)
}

describe.skipIf(process.platform !== 'linux')('retired addresses (need Linux)', () => {
  it('cost nothing that grows: 8,000 regions of all sizes from a page to 64 GiB', () => {
    interface Figures {
      readonly resident: number
      readonly mappings: number
    }
    const { first, last, retired } = told(`
      const figures = () => ({ resident: processResident(page), mappings: mappings().length })
      let first
      const sizes = Math.log2(2 ** 36 / page) + 1
      for (let i = 0; i < 8000; i++) {
        live(page * 2 ** (i % sizes))
        if (i % 100 === 0) await turn()
        if (i === 4000) first = figures()
      }
      memory.check()
      console.log(JSON.stringify({ first, last: figures(), retired: memory.stats().retired }))
    `) as { first: Figures; last: Figures; retired: number }
    expect(retired).toBeGreaterThan(2 ** 40)
    expect(retired).toBeLessThanOrEqual(2 ** 44)
    // The engine's own mappings and memory move by hundreds, and by tens of megabytes. The 4,000 regions between would
    // have added a mapping each, and four pages each.
    expect(last.mappings - first.mappings).toBeLessThan(1000)
    expect(last.resident - first.resident).toBeLessThan(128 * 2 ** 20)
  })

  it('give back 256 MiB that are written late, or as much as may be written', () => {
    const { bytes, late, after } = told(
      `
      const writable = Math.floor(memory.os.quarantine.writable / 2 / MiB) * MiB
      const bytes = Math.min(256 * MiB, writable)
      const region = memory.reserve(bytes, { name: 'late', hugePages: 'off' })
      region.commit(0, region.size)
      const moved = await (async () => {
        const view = region.view(Uint8Array, 0, region.size)
        await turn()
        return ArrayBuffer.prototype.transfer.call(view.buffer)
      })()
      for (let i = 0; i < 10; i++) { globalThis.gc(); await turn() }
      region.free()
      new Uint8Array(moved).fill(1)
      const late = residentBytes(region.address, region.size, page)
      for (let i = 0; i < 300; i++) live(page)
      console.log(JSON.stringify({ bytes, late, after: residentBytes(region.address, region.size, page) }))
    `,
      { nodeArgs: ['--expose-gc'] },
    ) as { bytes: number; late: number; after: number }
    expect(bytes).toBeGreaterThan(0)
    expect(late).toBe(bytes)
    expect(after).toBe(0)
  })

  it.each([8, 40])('leave room under a limit of %i GiB on address space', (gibibytes) => {
    const { made, retired } = told(
      `
      let made = 0
      for (; made < 1000; made++) live((1 + (made % 16)) * 64 * MiB)
      const { retired } = memory.stats()
      // What is retired goes when it is in the way.
      const large = memory.reserve(2 ** 31, { name: 'large' })
      large.free()
      memory.check()
      console.log(JSON.stringify({ made, retired }))
    `,
      { under: ['prlimit', `--as=${gibibytes * 2 ** 30}`] },
    ) as { made: number; retired: number }
    expect(made).toBe(1000)
    expect(retired).toBeLessThanOrEqual((gibibytes / 8) * 2 ** 30)
    expect(retired).toBeGreaterThan(0)
  })

  it('leave room under a limit on data', () => {
    const { made, writable } = told(
      `
      let made = 0
      for (; made < 300; made++) live(64 * MiB, 64 * MiB)
      memory.check()
      console.log(JSON.stringify({ made, writable: memory.os.quarantine.writable }))
    `,
      { under: ['prlimit', `--data=${2 * 2 ** 30}`] },
    ) as { made: number; writable: number }
    expect(made).toBe(300)
    expect(writable).toBeLessThanOrEqual(2 ** 28)
  })

  it('are unmapped where the process locks all of its memory', (context) => {
    const under = ['prlimit', '--memlock=unlimited']
    if (spawnSync(under[0] as string, [...under.slice(1), 'true']).status !== 0)
      context.skip('needs CAP_SYS_RESOURCE, to lock more memory than the limit')
    interface Told {
      readonly code: number | null
      readonly first: number
      readonly last: number
      readonly retired: number
    }
    const { code, first, last, retired } = told(
      `
      const { createRequire } = await import('node:module')
      const from = createRequire(import.meta.resolve('@memlayer/ffi'))
      const koffi = (() => {
        try { return from('@koromix/koffi-' + process.platform + '-' + process.arch) } catch { return null }
      })()
      // Power has a number of its own.
      const MCL_FUTURE = process.arch === 'ppc64' ? 0x4000 : 2
      const code = koffi === null ? null : koffi.load('libc.so.6').func('mlockall', 'int', ['int'])(MCL_FUTURE)
      let first
      for (let i = 0; i < 400; i++) {
        live(4 * MiB, MiB)
        if (i === 200) first = processResident(page)
        if (i % 20 === 0) await turn()
      }
      memory.check()
      console.log(JSON.stringify({ code, first, last: processResident(page), retired: memory.stats().retired }))
    `,
      { under },
    ) as Told
    if (code === null) context.skip('needs koffi, to call mlockall')
    expect(code).toBe(0)
    expect(retired).toBe(0)
    expect(last - first).toBeLessThan(64 * 2 ** 20)
  })
})
