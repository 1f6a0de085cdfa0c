// Random operations on the real kernel, right and wrong ones, a million in a long run. A shadow does the same in plain
// arrays. Every thousand operations the two are compared with each other and with the kernel.
import { readFileSync } from 'node:fs'
import { createMemory } from '@memlayer/core'
import { posixKernel } from '@memlayer/ffi'
import { History } from '@memlayer/history'
import type { PosixKernel } from '@memlayer/kernel'
import { createOS } from '@memlayer/os-linux'
import { isLong, type Mapping, mappings, random, residentBytes } from '@memlayer/witness'
import { expect, it } from 'vitest'

const OPERATIONS = isLong ? 1_000_000 : 50_000
const BETWEEN_CHECKS = 1000

// Address space that no other code in a process gets. So all mappings there are the layer's. V8 asks for random
// addresses of 46 bits, programs begin at 0x55…, and the kernel gives what others ask for near 0x7f….
const ARENA = 0x6000_0000_0000
const ARENA_SIZE = 2 ** 30
const inArena = (start: number, end: number): number =>
  Math.max(0, Math.min(end, ARENA + ARENA_SIZE) - Math.max(start, ARENA))

const mappedInArena = (maps: readonly Mapping[]): number =>
  maps.reduce((sum, { start, end }) => sum + inArena(start, end), 0)

// With huge pages for all memory, a touch also populates the Prepared pages beside it.
const hugeForAll =
  process.platform === 'linux' &&
  readFileSync('/sys/kernel/mm/transparent_hugepage/enabled', 'latin1').includes('[always]')

/**
 * The kernel, asked for addresses in the arena, from its end down and round again. If the address is taken, the
 * kernel answers another.
 */
function kernelInArena(): PosixKernel {
  const kernel = posixKernel()
  let next = ARENA + ARENA_SIZE
  return {
    ...kernel,
    mmap(v, n, prot, flags, fd, offset) {
      if (v !== 0) return kernel.mmap(v, n, prot, flags, fd, offset)
      next = next - n < ARENA ? ARENA + ARENA_SIZE - n : next - n
      return kernel.mmap(next, n, prot, flags, fd, offset)
    },
  }
}

/**
 * Compares with the kernel's mappings. Each range has the permissions of its state. Reserved and Prepared ranges
 * have no memory behind them. Nothing else is mapped in the arena but what is retired, because freed ranges are gone.
 */
function compareKernel({ memory, shadow, size }: History): number {
  const maps = mappings()
  let at = 0
  let owned = 0
  for (const { page, n, state } of shadow.runs()) {
    const permissions = state === 'Reserved' ? '---p' : 'rw-p'
    for (let v = page * size; v < (page + n) * size;) {
      while (at < maps.length && (maps[at]?.end ?? Infinity) <= v) at += 1
      const mapping = maps[at]
      const found = mapping !== undefined && mapping.start <= v ? mapping.permissions : 'nothing'
      if (found !== permissions) expect(found, `the mapping of ${state} at 0x${v.toString(16)}`).toBe(permissions)
      v = mapping?.end ?? Infinity
    }
    owned += inArena(page * size, (page + n) * size)
    if (state === 'Reserved' || (state === 'Prepared' && !hugeForAll))
      expect(residentBytes(page * size, n * size, size), state).toBe(0)
  }
  expect(mappedInArena(maps), 'mapped in the arena').toBe(owned + memory.stats().retired)
  return owned
}

it.skipIf(process.platform !== 'linux')(
  `agrees with a shadow and with the kernel through ${OPERATIONS.toLocaleString('en')} operations (needs Linux)`,
  () => {
    const history = new History({ memory: createMemory(createOS({ kernel: kernelInArena() })), random: random() })
    let seen = 0
    for (let i = 1; i <= OPERATIONS; i++) {
      history.step()
      if (i % BETWEEN_CHECKS !== 0) continue
      expect(history.disagreement(), `after ${i} operations`).toBeNull()
      if (compareKernel(history) > 0) seen += 1
    }
    expect(seen).toBe(OPERATIONS / BETWEEN_CHECKS)
    // A history of only refusals would prove nothing.
    expect(history.done).toBeGreaterThan(OPERATIONS / 2)
    expect([...history.refused.keys()].toSorted((a, b) => a.localeCompare(b))).toEqual([
      'ERR_MEMLAYER_NOT_OWNED',
      'ERR_MEMLAYER_STATE',
    ])
    console.log(`${history.done} operations done, ${OPERATIONS - history.done} refused as expected`)
    history.end()
    expect(mappedInArena(mappings())).toBe(history.memory.stats().retired)
    expect(history.memory.stats().total).toMatchObject({ reserved: 0, prepared: 0, ready: 0, held: 0 })
  },
  600_000,
)
