// Holds. A view that was passed to an asynchronous call is a pointer for a thread of the host, which continues
// after the view is detached. A hold keeps the pages for that time.
import { createMemory, UsageError } from '@memlayer/core'
import { createOS } from '@memlayer/os-linux'
import { runChild } from '@memlayer/witness'
import { describe, expect, it } from 'vitest'

const MiB = 2 ** 20

describe.skipIf(process.platform !== 'linux')('a hold on pages (needs Linux)', () => {
  it('keeps the pages for asynchronous calls of the engine, and lets them go when released', () => {
    const child = runChild(
      `
      import { randomFill } from 'node:crypto'
      import { mkdtempSync, openSync, read, rmSync, writeFileSync } from 'node:fs'
      import { tmpdir } from 'node:os'
      import { join } from 'node:path'
      import { promisify } from 'node:util'
      import { gunzipSync, gzip } from 'node:zlib'
      import { createMemory } from '@memlayer/core'
      import { createOS } from '@memlayer/os-linux'
      const memory = createMemory(createOS())
      const folder = mkdtempSync(join(tmpdir(), 'holds-'))
      writeFileSync(join(folder, 'bytes'), Buffer.alloc(${16 * MiB}, 'memlayer'))
      const file = openSync(join(folder, 'bytes'))
      const calls = {
        randomFill: async (view) => { await promisify(randomFill)(view); return view.some((byte) => byte !== 0) },
        gzip: async (view) => gunzipSync(await promisify(gzip)(view)).equals(view),
        read: async (view) => {
          const { bytesRead } = await promisify(read)(file, view, 0, view.length, 0)
          return bytesRead === view.length && view[1] === 0x65
        },
      }
      for (const [name, call] of Object.entries(calls)) {
        const region = memory.reserve(${16 * MiB}, { name })
        region.commit(0, region.size)
        const refused = []
        {
          using hold = region.hold()
          const ended = call(region.view(Uint8Array, 0, region.size))
          for (let i = 0; i < 3; i++) {
            for (const take of [() => region.unused(0, 4096), () => region.fault(4096, 4096), () => region.free()]) {
              try { take() } catch (error) { refused.push(error.code) }
            }
            await new Promise((resolve) => setTimeout(resolve, 5))
          }
          console.log(name, await ended, hold.released, refused.filter((code) => code === 'ERR_MEMLAYER_SHARED').length)
        }
        region.free()
        memory.check()
      }
      rmSync(folder, { recursive: true })
      `,
      { from: import.meta.dirname },
    )
    expect([child.stderr, child.signal, child.code]).toEqual(['', null, 0])
    expect(child.stdout).toBe('randomFill true false 9\ngzip true false 9\nread true false 9\n')
  })

  it('covers its own pages only, and one page may have several', () => {
    const memory = createMemory(createOS())
    const region = memory.reserve(MiB, { name: 'held' })
    region.commit(0, MiB)
    const first = region.hold(65536, 65536)
    const second = region.hold(131072 - 4096, 4096)
    region.unused(0, 65536)
    region.unused(131072, 65536)
    expect(() => region.unused(126976, 4096)).toThrow(
      /region\.hold\(\) keeps the (65536|4096) bytes at 0x.* Ready \(.*holds\.test\.ts:\d+:\d+\).*\. Release the hold/,
    )
    first.release()
    first.release()
    expect(() => region.unusedAll([65536, 4096, 126976, 4096])).toThrow(/region\.hold\(\) keeps the 4096 bytes/)
    expect(memory.ranges().map(({ state }) => state)).toEqual(['Prepared', 'Ready', 'Prepared', 'Ready'])
    second.release()
    expect([first.released, second.released, second.name, second.size]).toEqual([true, true, 'held', 4096])
    region.free()
    memory.check()
  })

  it('warns when it is collected without a release, and lets the pages of a stream go then', () => {
    const child = runChild(
      `
      import { createMemory } from '@memlayer/core'
      import { createOS } from '@memlayer/os-linux'
      const memory = createMemory(createOS())
      const region = memory.reserve(${MiB}, { name: 'vectors' })
      region.commit()
      class Owner { take() { this.hold = region.hold(0, 65536) } }
      function forgotten() { new Owner().take() }
      function dropped() { region.stream(65536, 65536) }
      function tidy() { region.hold(0, 4096).release() }
      forgotten(); dropped(); tidy()
      const kinds = () => memory.holds().map(({ kind }) => kind).join()
      const before = kinds()
      for (let i = 0; i < 20; i++) { globalThis.gc(); await new Promise((resolve) => setTimeout(resolve, 5)) }
      region.unused(65536, 65536)
      console.log(before, kinds())
      `,
      { from: import.meta.dirname, nodeArgs: ['--expose-gc'] },
    )
    expect(child.stdout).toBe('hold,stream hold\n')
    expect(child.stderr).toMatch(
      /MEMLAYER_LEAK\] MemlayerWarning: region\.hold\(\) of 65536 bytes of the region 'vectors' was collected without/,
    )
    expect(child.stderr).toMatch(/at Owner\.take.*\n.*at forgotten/)
    expect(child.stderr).toMatch(/a stream of 65536 bytes of the region 'vectors' was collected before it ended/)
    expect(child.stderr).toMatch(/at dropped/)
    expect(child.stderr).not.toMatch(/at tidy/)
  })

  it('needs Ready pages within the region', () => {
    const memory = createMemory(createOS())
    using region = memory.reserve(MiB)
    expect(() => region.hold()).toThrow(expect.objectContaining({ code: 'ERR_MEMLAYER_STATE' }))
    for (const [offset, length] of [
      [-1, 4096],
      [0, NaN],
      ['0', 1],
    ]) {
      expect(() => region.hold(offset as number, length as number)).toThrow(UsageError)
    }
  })
})
