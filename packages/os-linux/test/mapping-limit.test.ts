// The budget of kernel mappings on the real kernel. In every way that a process comes near the limit, the layer
// refuses before the engine is hurt. The figures are for pages of 4 KiB.
import { posixKernel } from '@memlayer/ffi'
import { runChild } from '@memlayer/witness'
import { describe, expect, it } from 'vitest'

const MiB = 2 ** 20
const page = process.platform === 'linux' ? posixKernel().pageSize : 4096

describe.skipIf(process.platform !== 'linux')('the limit of mappings (needs Linux)', () => {
  // What each loop does until it is refused. Every turn costs the kernel mappings.
  const greedy: [string, string, string][] = [
    ['map', '', 'region.map(2 * i * page, page)'],
    ['fault', 'all()', 'region.fault(2 * i * page, page)'],
    ['free', '', 'region.free((2 * i + 1) * page, page)'],
    [
      'unused with hardDecommit',
      'options.hardDecommit = true',
      'if (i === 0) all(); region.unused(2 * i * page, page)',
    ],
    [
      'hugePage, which is advice',
      'for (let at = 0; at < region.size; at += 2 ** 30) region.map(at, 2 ** 30)',
      'memory.sysHugePage(alignUp(region.address, huge) + 2 * i * huge, huge)',
    ],
    ['unused that takes advice', 'all()', 'region.unused(2 * i * huge + page, page)'],
    ['map by four memories in turn', '', 'regions[i % 4].map(2 * i * page, page)'],
  ]

  it.for(greedy)(
    'refuses more mappings than the engine can spare: %s. It names the limit, and works again after a free',
    ([title, prepare, turn], { skip }) => {
      // Without huge pages, advice costs nothing.
      if (title.includes('advice') && posixKernel().hugePageSize === 0) skip('this kernel has no huge pages')
      const child = runChild(
        `
      import { alignUp, createMemory } from '@memlayer/core'
      import { createOS } from '@memlayer/os-linux'
      const [page, options] = [${page}, {}]
      ${prepare.startsWith('options') ? prepare : ''}
      // No more is left to the engine than what is no heap.
      const memory = createMemory(createOS(options), { engineHeap: 0 })
      const huge = memory.os.traits.hugePageSize || 2 ** 21
      const region = memory.reserve(${title.includes('advice') ? 2 ** 38 : 2 ** 30})
      const other = () => createMemory(createOS(), { engineHeap: 0 }).reserve(2 ** 32)
      const regions = [region, other(), other(), other()]
      // The kernel refuses to commit more than its memory in one call.
      const all = () => { for (let at = 0; at < region.size; at += 2 ** 30) region.commit(at, 2 ** 30) }
      ${prepare.startsWith('options') ? '' : prepare}
      let error, i = 0
      try { for (; i < 200_000; i++) { ${turn} } } catch (e) { error = e }
      const { used, limit } = memory.mappings()
      const { name, message, syscall } = error ?? {}
      console.log(JSON.stringify({ name, message, syscall, used, limit, turns: i }))
      memory.check()
      region.free()
      for (const one of regions) if (!one.disposed) one.free()
      using after = memory.reserve(${MiB})
      after.commit(0, ${MiB})
      after.view(Uint8Array, 0, ${MiB}).fill(1)
      console.log('goes on')
      `,
        // A process with this many mappings changes one slowly, and more slowly on a busy machine.
        { from: import.meta.dirname, timeout: 110_000 },
      )
      expect([child.stderr, child.signal, child.code]).toEqual(['', null, 0])
      const [line = '', last] = child.stdout.trim().split('\n')
      const seen = JSON.parse(line) as Record<string, number | string>
      console.log(`${title}: refused after ${seen['turns']} turns, at ${seen['used']} of ${seen['limit']} mappings`)
      expect(seen['name']).toBe('OutOfMemoryError')
      expect(seen['syscall']).toBeUndefined()
      expect(seen['message']).toMatch(
        /kernel mappings, and the layer leaves the rest to the engine\. .*vm\.max_map_count/,
      )
      expect(seen['used'] as number).toBeGreaterThan((seen['limit'] as number) - 1100)
      // Memories that have begun may pass the headroom by a few.
      expect(seen['used'] as number).toBeLessThan((seen['limit'] as number) - 512)
      expect(last).toBe('goes on')
    },
  )
})
