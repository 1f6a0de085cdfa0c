// The simulated Linux is the real one: the same hundred thousand random calls on both, whose
// answers, mappings, attributes, residency and contents are compared.
import { posixKernel } from '@memlayer/ffi'
import { simulate } from '@memlayer/simkernel'
import { callText, partsOf, randomCalls, Twins, type Arena, type Disagreement } from '@memlayer/simulated'
import { testSeed } from '@memlayer/witness'
import { readFileSync } from 'node:fs'
import { arch, totalmem } from 'node:os'
import { describe, expect, it } from 'vitest'

const CALLS = 100_000
const onLinux = process.platform === 'linux'
const real = onLinux ? posixKernel() : undefined

// Far below where Linux looks for room by itself, so that the engine is never in the way.
const arena: Arena = {
  base: 0x10_0000_0000,
  pageSize: real?.pageSize ?? 4096,
  hugePageSize: real?.hugePageSize || 2 ** 21,
  pages: 48,
  hugePages: 5,
}

/** The release of the running kernel, as a number: 6.18 is 618. */
function release(): number {
  const [, major = '0', minor = '0'] = /^(\d+)\.(\d+)/.exec(readFileSync('/proc/sys/kernel/osrelease', 'latin1')) ?? []
  return Number(major) * 100 + Number(minor)
}

/** Counters that move when the host had no huge page to give, or made one behind everyone's back. */
function hugePageLuck(): string {
  const fallbacks = /^thp_fault_fallback \d+$/m.exec(readFileSync('/proc/vmstat', 'latin1'))?.[0]
  return `${fallbacks} ${readFileSync('/sys/kernel/mm/transparent_hugepage/khugepaged/pages_collapsed', 'latin1')}`
}

/** Why this host can't be compared; null: it can. */
function unlike(): string | null {
  if (real === undefined) return 'needs Linux'
  if (arch() !== 'x64' || real.pageSize !== 4096) return 'the simulated Linux is the one of x86-64: run it there'
  if (release() < 614) return 'the simulated Linux keeps page tables as Linux 6.14 and later do: run it there'
  const overcommit = readFileSync('/proc/sys/vm/overcommit_memory', 'latin1').trim()
  if (overcommit !== '0') return `vm.overcommit_memory is ${overcommit}: set it to 0`
  const mode = readFileSync('/sys/kernel/mm/transparent_hugepage/enabled', 'latin1')
  if (!mode.includes('[madvise]')) return 'transparent huge pages are not at madvise: set them so'
  return null
}

describe('the simulated Linux and the real one', () => {
  it(`agree in ${CALLS} random calls: answers and mappings after each, pages and bytes after every 250th`, (context) => {
    const reason = unlike()
    if (reason !== null || real === undefined) return context.skip(reason ?? '')
    // Root may lock as much as it likes.
    const lockedMemory = process.getuid?.() === 0 ? Infinity : (real.limits?.().lockedMemory ?? 0)
    const seed = testSeed()
    const simulated = simulate('linux', { seed, pressure: 0, limits: { memory: totalmem(), lockedMemory } })
    const twins = new Twins(real, simulated, arena)
    const luck = hugePageLuck()
    const history: string[] = []
    const answers = { done: 0, refused: 0 }
    const numbers = new Set<number>()

    const expectAgreement = (what: string, disagreement: Disagreement): void => {
      if (disagreement.length === 0) return
      const lines = [
        `seed ${seed}, call ${history.length}: ${what} differ`,
        ...disagreement,
        'after',
        ...history.slice(-30),
      ]
      throw new Error(lines.join('\n'))
    }
    try {
      for (const call of randomCalls(seed, arena)) {
        history.push(callText(call, arena.base))
        const made = twins.make(call)
        if (made === null) continue
        expectAgreement('answers or mappings', made.disagreement)
        answers[made.answer < 0 ? 'refused' : 'done'] += 1
        if (made.answer < 0) numbers.add(-made.answer)
        const total = answers.done + answers.refused
        if (total % 250 === 0) {
          expectAgreement('pages', twins.residence(hugePageLuck() === luck))
          expectAgreement('bytes', twins.contents())
        }
        if (total === CALLS) break
      }
    } finally {
      const [start, end] = [arena.base, partsOf(arena).large[1]]
      real.munmap(start, end - start)
    }
    console.log(
      `${answers.done} calls done, ${answers.refused} refused, by errno ${[...numbers].sort((a, b) => a - b).join(', ')}`,
    )
    if (hugePageLuck() !== luck)
      console.log('The host ran short of huge pages meanwhile: from then on they were not compared.')
    expect(answers.done).toBeGreaterThan(CALLS * 0.4)
    expect(answers.refused).toBeGreaterThan(CALLS * 0.2)
    // EBADF, ENOMEM, EEXIST, EINVAL
    expect([...numbers].sort((a, b) => a - b)).toEqual([9, 12, 17, 22])
  })
})
