// A million random operations on the real kernel, right ones and wrong ones, beside a shadow
// that does the same in plain arrays; every thousand the two are compared, with each other and
// with what the kernel says.
import { createMemory } from '@memlayer/core'
import { History } from '@memlayer/history'
import { createOS } from '@memlayer/os-linux'
import { mappings, random, residentBytes } from '@memlayer/witness'
import { expect, it } from 'vitest'

const OPERATIONS = 1_000_000
const BETWEEN_CHECKS = 1000

/** The kernel maps each range with the permissions of its state, and has no memory behind what is Reserved. */
function compareKernel({ shadow, size }: History): void {
  const maps = mappings()
  let at = 0
  for (const { page, n, state } of shadow.runs()) {
    const permissions = state === 'Reserved' ? '---p' : 'rw-p'
    for (let v = page * size; v < (page + n) * size; ) {
      while (at < maps.length && (maps[at]?.end ?? Infinity) <= v) at += 1
      const mapping = maps[at]
      const found = mapping !== undefined && mapping.start <= v ? mapping.permissions : 'nothing'
      if (found !== permissions) expect(found, `the mapping of ${state} at 0x${v.toString(16)}`).toBe(permissions)
      v = mapping?.end ?? Infinity
    }
    if (state === 'Reserved') expect(residentBytes(page * size, n * size, size)).toBe(0)
  }
}

it.skipIf(process.platform !== 'linux')(`agrees with a shadow and with the kernel through ${OPERATIONS.toLocaleString('en')} operations (needs Linux)`, () => {
  const history = new History({ memory: createMemory(createOS()), random: random() })
  for (let i = 1; i <= OPERATIONS; i++) {
    history.step()
    if (i % BETWEEN_CHECKS !== 0) continue
    expect(history.disagreement(), `after ${i} operations`).toBeNull()
    compareKernel(history)
  }
  // A history of refusals alone would prove nothing.
  expect(history.done).toBeGreaterThan(OPERATIONS / 2)
  expect([...history.refused.keys()].toSorted((a, b) => a.localeCompare(b))).toEqual(['ERR_MEMLAYER_NOT_OWNED', 'ERR_MEMLAYER_STATE'])
  console.log(`${history.done} operations done, ${OPERATIONS - history.done} refused as they had to be`)
  history.end()
  expect(history.memory.stats().total).toMatchObject({ reserved: 0, prepared: 0, ready: 0, held: 0 })
}, 600_000)
