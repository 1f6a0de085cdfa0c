// Tests where the kernel puts a mapping without a fixed address. The simulated Linux gets the mappings of the real
// process, and must choose the same address.
import { posixKernel } from '@memlayer/ffi'
import { simulate } from '@memlayer/simkernel'
import { random, testSeed } from '@memlayer/witness'
import { readFileSync } from 'node:fs'
import { arch } from 'node:os'
import { describe, expect, it } from 'vitest'

const PROBES = 400
const ANON_PRIVATE = 0x22
const TASK_SIZE = 0x7fff_ffff_f000
const huge = 2 ** 21
// stack_guard_gap is 256 pages, unless a boot parameter changes it.
const STACK_GAP = 256 * 4096

interface Occupied {
  readonly address: number
  readonly size: number
  readonly name: string
}

/** Returns all mappings of the process in user space, with the gaps that the kernel keeps free beside them. */
function occupied(): Occupied[] {
  const found: Occupied[] = []
  for (const line of readFileSync('/proc/self/maps', 'latin1').split('\n')) {
    const [, start = '', end = '', name = ''] = /^([0-9a-f]+)-([0-9a-f]+) \S+ \S+ \S+ \S+\s*(.*)$/.exec(line) ?? []
    const [from, to] = [Number.parseInt(start, 16), Number.parseInt(end, 16)]
    // The kernel maps nothing directly below a stack, because stacks grow. Simulated mappings do not grow.
    const gap = name === '[stack]' ? STACK_GAP : 0
    if (to <= TASK_SIZE) found.push({ address: from - gap, size: to - from + gap, name })
  }
  return found
}

/** Returns the address from which the kernel searches down. The first mapping, the dynamic linker, ends there. */
function baseOf(ranges: readonly Occupied[]): number {
  const below = ranges[ranges.findIndex(({ name }) => name === '[stack]') - 1]
  if (below === undefined)
    throw new Error('can’t find the mmap base, because /proc/self/maps has no [stack]: run this on Linux x86-64')
  return below.address + below.size
}

describe('the address that Linux chooses', () => {
  it(`is the one that the simulated Linux chooses, ${PROBES} times, with hints and without`, (context) => {
    if (process.platform !== 'linux' || arch() !== 'x64') return context.skip('needs Linux on x86-64')
    const real = posixKernel()
    const seed = testSeed()
    const { below, pick } = random(seed)
    const held: [v: number, n: number][] = []
    let compared = 0
    for (let i = 0; i < PROBES; i++) {
      const before = occupied()
      const simulated = simulate('linux', { seed, layout: { base: baseOf(before), occupied: before } })
      const n = pick([4096, 20480, 65536, huge, huge + 4096, 3 * huge, 2 ** 30, 2 ** 40, 2 ** 46])
      const near = pick(before).address + (below(8) - 4) * 4096
      const hint = pick([0, 0, 0, 123, 2 ** 46, 2 ** 47 + 4096, Math.max(near, 0), Math.max(near, 0)])
      const chosen = real.mmap(hint, n, 0, ANON_PRIVATE, -1, 0)
      const foretold = simulated.mmap(hint, n, 0, ANON_PRIVATE, -1, 0)
      if (chosen !== foretold) {
        // The engine's other threads may have made a mapping in between. Then the test ignores this probe.
        const own = chosen < 0 ? 0 : 1
        const others = occupied().filter(({ address, size }) => address !== chosen && !covers(before, address, size))
        if (others.length === 0 || occupied().length <= before.length + own) {
          const asked = `seed ${seed}, probe ${i}: ${n} bytes, hint 0x${hint.toString(16)}`
          throw new Error(`${asked}: real 0x${chosen.toString(16)}, simulated 0x${foretold.toString(16)}`)
        }
      } else {
        compared += 1
      }
      if (chosen > 0) held.push([chosen, n])
      if (held.length > 20) real.munmap(...(held.splice(below(held.length), 1)[0] ?? [0, 0]))
    }
    for (const range of held) real.munmap(...range)
    expect(compared).toBeGreaterThan(PROBES * 0.9)
  })
})

function covers(ranges: readonly Occupied[], v: number, n: number): boolean {
  return ranges.some(({ address, size }) => address <= v && address + size >= v + n)
}
