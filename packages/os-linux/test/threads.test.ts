// The limits are the process's, and what a thread leaves is nobody's: on the real kernel, with threads that end in
// every way, and memories that come to a limit together. Each runs in a process of its own.
import { spawnSync } from 'node:child_process'
import { runChild, type ChildOptions } from '@memlayer/witness'
import { describe, expect, it } from 'vitest'

const opening = `
  import { readdirSync } from 'node:fs'
  import { Worker } from 'node:worker_threads'
  import { createMemory } from '@memlayer/core'
  import { createOS } from '@memlayer/os-linux'
  import { mappings, processResident } from '@memlayer/witness'
  const memory = createMemory(createOS())
  const page = memory.os.traits.pageSize
  const MiB = 2 ** 20
  const told = (worker, event) => new Promise((resolve) => worker.once(event, resolve))
  /** A worker that runs this code, with a memory of its own. */
  function begin(code) {
    const text = \`
      import { createMemory } from '@memlayer/core'
      import { createOS } from '@memlayer/os-linux'
      import { parentPort } from 'node:worker_threads'
      const memory = createMemory(createOS())
      const page = memory.os.traits.pageSize
      const MiB = 2 ** 20
      \` + code
    const resolved = text.replace(/'(@memlayer[^']+)'/g, (_, name) => JSON.stringify(import.meta.resolve(name)))
    const worker = new Worker(new URL('data:text/javascript,' + encodeURIComponent(resolved)))
    worker.on('error', () => undefined)
    return worker
  }
  /** Objects of so many bytes, which the collector can't take. Each has a mapping: no heap costs more of them. */
  const kept = []
  function growHeap(bytes) {
    for (let i = 0; i < bytes / 136_000; i++) kept.push(new Array(17_000).fill(i))
  }
`

/** Runs a program that prints JSON. */
function told(program: string, options: Partial<ChildOptions> = {}): unknown {
  const child = runChild(opening + program, { from: import.meta.dirname, timeout: 300_000, ...options })
  expect(child).toMatchObject({ code: 0, signal: null, stderr: '' })
  return JSON.parse(child.stdout)
}

describe.skipIf(process.platform !== 'linux')('a worker that has ended (needs Linux)', () => {
  it.each([
    ['by terminate()', 'terminate'],
    ['by process.exit()', 'process.exit(3)'],
    ['by an error', "throw new Error('on purpose')"],
    ['by itself', 'parentPort.close()'],
  ])('leaves neither ranges nor descriptors: %s', (_, way) => {
    const { more, descriptors, grown, otherThreads } = told(`
      const descriptors = () => readdirSync('/proc/self/fd').length
      memory.explain()
      memory.residency(0, page)
      const before = [descriptors(), processResident(page), mappings().length]
      for (let i = 0; i < 8; i++) {
        const worker = begin(\`
          const region = memory.reserve(64 * MiB, { name: 'left', hugePages: 'off' })
          region.commit(0, 32 * MiB)
          region.view(Uint8Array, 0, 32 * MiB).fill(1)
          memory.sysAlloc(MiB, null)
          memory.explain()
          memory.residency(region.address, page)
          region.unusedAll([0, page, 2 * page, page])
          parentPort.postMessage('up')
          parentPort.on('message', () => { ${way} })
        \`)
        await told(worker, 'message')
        const ended = told(worker, 'exit')
        if (${way === 'terminate'}) await worker.terminate()
        else worker.postMessage('end')
        await ended
      }
      const { otherThreads } = memory.explain()
      memory.check()
      console.log(JSON.stringify({
        more: mappings().length - before[2],
        descriptors: descriptors() - before[0],
        grown: processResident(page) - before[1],
        otherThreads,
      }))
    `) as { more: number; descriptors: number; grown: number; otherThreads: number }
    // koffi leaves three mappings for each thread, and the engine has some.
    expect(more).toBeLessThan(100)
    expect(otherThreads).toBe(0)
    expect(descriptors).toBeLessThan(4)
    // Of 256 MiB. The engine's part is less than 4 MiB a worker.
    expect(grown).toBeLessThan(64 * 2 ** 20)
  })
})

describe.skipIf(process.platform !== 'linux')(
  'memories that come to the limit of mappings together (need Linux)',
  () => {
    it('in one thread: all are refused, and the heap grows', () => {
      const { refused, used, limit, pages } = told(
        `
      const refused = new Set()
      for (let k = 0; k < 60; k++) {
        const one = createMemory(createOS())
        kept.push(one)
        try {
          const v = one.sysReserve(null, 8192 * page)
          for (let i = 0; i < 2000; i++) one.sysMap(v + 2 * i * page, page, null)
        } catch (error) {
          refused.add(error.code)
        }
      }
      const { used, limit } = memory.mappings()
      growHeap(300 * MiB)
      await told(new Worker('0', { eval: true }), 'exit')
      console.log(JSON.stringify({ refused: [...refused], used, limit, pages: kept.length }))
    `,
        { nodeArgs: ['--max-old-space-size=400'] },
      ) as { refused: string[]; used: number; limit: number; pages: number }
      expect(refused).toEqual(['ERR_MEMLAYER_OUT_OF_MEMORY'])
      expect(pages).toBeGreaterThan(2000)
      expect(used).toBeGreaterThan(limit / 2)
    })

    it('in several threads: a thread that comes late is refused as well, and the process lives', () => {
      const { codes } = told(`
      const fragment = (region) => {
        globalThis.region = region
        region.commit()
        try {
          for (let i = 0; 2 * i * page < region.size; i++) region.fault(2 * i * page, page)
        } catch (error) {
          return error.code
        }
        return 'never refused'
      }
      const workers = Array.from({ length: 4 }, () => begin(\`
        const fragment = \${String(fragment)}
        parentPort.postMessage(fragment(memory.reserve(2 ** 17 * page, { hugePages: 'off' })))
        parentPort.on('message', () => undefined)
      \`))
      const messages = workers.map((worker) => told(worker, 'message'))
      const codes = [fragment(memory.reserve(2 ** 17 * page, { hugePages: 'off' }))]
      codes.push(...(await Promise.all(messages)))
      growHeap(100 * MiB)
      for (const worker of workers) await worker.terminate()
      console.log(JSON.stringify({ codes }))
    `) as { codes: string[] }
      expect(codes).toEqual(Array<string>(5).fill('ERR_MEMLAYER_OUT_OF_MEMORY'))
    })

    it('in one thread: the heaps of threads that come later have room', () => {
      const { ends } = told(
        `
      const region = memory.reserve(2 ** 17 * page, { hugePages: 'off' })
      kept.push(region)
      region.commit()
      try {
        for (let i = 0; ; i++) region.fault(2 * i * page, page)
      } catch (error) {
        if (error.code !== 'ERR_MEMLAYER_OUT_OF_MEMORY') throw error
      }
      const workers = Array.from({ length: 6 }, () => new Worker(
        'const kept = []; for (let i = 0; i < 80 * 2 ** 20 / 136_000; i++) kept.push(new Array(17_000).fill(i)); ' +
          'process.getBuiltinModule("node:worker_threads").parentPort.postMessage(kept.length)',
        { eval: true },
      ))
      const ends = await Promise.all(workers.map((worker) => told(worker, 'message')))
      console.log(JSON.stringify({ ends }))
    `,
        { nodeArgs: ['--max-old-space-size=120'] },
      ) as { ends: number[] }
      expect(ends).toEqual(Array<number>(6).fill(617))
    })

    it('an option says how much of them is the engine’s', () => {
      const { most, least } = told(`
      const usedAt = (engineHeap) => {
        const one = createMemory(createOS(), { engineHeap })
        const region = one.reserve(2 ** 17 * page, { hugePages: 'off' })
        region.commit()
        try {
          for (let i = 0; ; i++) region.fault(2 * i * page, page)
        } catch {
          const { used, limit } = one.mappings()
          region.free()
          return limit - used
        }
      }
      const least = usedAt(0)
      console.log(JSON.stringify({ least, most: usedAt(2 ** 40) }))
    `) as { most: number; least: number }
      // 1,024, of which the engine may have taken some meanwhile.
      expect(least).toBeGreaterThan(900)
      expect(least).toBeLessThan(1100)
      expect(most).toBeGreaterThan(30_000)
    })
  },
)

describe.skipIf(process.platform !== 'linux')('memories that are dropped (need Linux)', () => {
  it('leave their records, when they own nothing', () => {
    const { records } = told(
      `
      for (let i = 0; i < 200; i++) {
        const one = createMemory(createOS())
        one.sysFree(one.sysAlloc(page, null), page, null)
        if (i === 0) globalThis.first = one.reserve(page)
        if (i % 20 !== 0) continue
        gc()
        await new Promise((resolve) => setImmediate(resolve))
      }
      // Each has a log of 64 KiB.
      const { words } = memory.os.host.processTable()
      console.log(JSON.stringify({ records: words[2] }))
    `,
      { nodeArgs: ['--expose-gc'] },
    ) as { records: number }
    expect(records).toBeGreaterThan(1)
    expect(records).toBeLessThan(100)
  })
})

describe.skipIf(process.platform !== 'linux')('limits on bytes (need Linux)', () => {
  it.each([
    ['RLIMIT_DATA', '--data=3000000000', "region.commit(0, 4 * 2 ** 30), 'one'", 'ulimit -d'],
    ['RLIMIT_DATA, in steps', '--data=3000000000', 'steps(region)', 'ulimit -d'],
    ['RLIMIT_AS', '--as=20000000000', 'for (;;) kept.push(memory.reserve(2 ** 28))', 'ulimit -v'],
  ])('%s is refused before the kernel does, with its name, and the engine lives', (_, limit, call, name) => {
    if (spawnSync('prlimit', [limit, 'true']).status !== 0) throw new Error('prlimit is missing: install util-linux')
    const { error, after } = told(
      `
      const steps = (region) => { for (let at = 0; ; at += 8 * MiB) region.commit(at, 8 * MiB) }
      const region = memory.reserve(4 * 2 ** 30, { hugePages: 'off' })
      let error
      try { ${call} } catch (thrown) { error = thrown }
      growHeap(100 * MiB)
      memory.check()
      region.free()
      using again = memory.reserve(MiB)
      again.commit()
      console.log(JSON.stringify({ error: [error?.code, error?.message], after: again.view(Uint8Array).length }))
    `,
      { under: ['prlimit', limit] },
    ) as { error: [string, string]; after: number }
    expect(error[0]).toBe('ERR_MEMLAYER_OUT_OF_MEMORY')
    expect(error[1]).toContain(name)
    expect(after).toBe(2 ** 20)
  })
})

describe.skipIf(process.platform !== 'linux')('memory.limit (need Linux)', () => {
  it('counts the memories of eight workers, and a worker that ends gives its share back', () => {
    const { together, before, after, ended } = told(`
      const limit = 64 * MiB
      memory.limit = { bytes: limit }
      const fill = \`
        memory.limit = { bytes: 64 * MiB }
        const region = memory.reserve(256 * MiB, { hugePages: 'off' })
        let at = 0
        const fill = () => {
          try { for (;; at += MiB) region.commit(at, MiB) }
          catch (error) { parentPort.postMessage([error.code, memory.stats().total.ready]) }
        }
        parentPort.on('message', fill)
        parentPort.postMessage('up')
      \`
      const workers = Array.from({ length: 8 }, () => begin(fill))
      await Promise.all(workers.map((worker) => told(worker, 'message')))
      const answers = workers.map((worker) => told(worker, 'message'))
      for (const worker of workers) worker.postMessage('fill')
      const together = await Promise.all(answers)
      const refused = () => { try { memory.sysFree(memory.sysAlloc(MiB, null), MiB, null) } catch (error) { return error.message } }
      const before = [memory.limit.used, refused()]
      const [, ended] = together[0][1] > 0 ? together[0] : together.find(([, ready]) => ready > 0)
      await workers[together.findIndex(([, ready]) => ready === ended)].terminate()
      const after = [memory.limit.used, refused() ?? 'fits']
      await Promise.all(workers.map((worker) => worker.terminate()))
      console.log(JSON.stringify({ together, before, after: [...after, memory.limit.used], ended }))
    `) as {
      together: [string, number][]
      before: [number, string]
      after: [number, string, number]
      ended: number
    }
    const MiB = 2 ** 20
    expect(together.map(([code]) => code)).toEqual(together.map(() => 'ERR_MEMLAYER_OUT_OF_MEMORY'))
    const sum = together.reduce((total, [, ready]) => total + ready, 0)
    expect(before).toEqual([sum, expect.stringContaining('would pass the limit of all memories')])
    // Threads that look at the same moment may each take one more step.
    expect(sum).toBeGreaterThanOrEqual(64 * MiB)
    expect(sum).toBeLessThan(72 * MiB)
    expect(after).toEqual([sum - ended, ended > sum - 64 * MiB ? 'fits' : expect.any(String), 0])
  })
})
