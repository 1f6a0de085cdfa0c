// What a backend says of its free memory, and what it does with it: an address that its words name, the same words in
// the same state, a block of more than 4 GiB, and free memory that other code has written to.
import type { OS } from '@memlayer/core'
import type { Address } from '@memlayer/kernel'
import { withBytes } from '../bytes.js'
import { claim, claimOutcome, rangeText, same, thrownBy } from '../claim.js'
import { absent, notRun, type Definition, type Verdict, type World } from '../definition.js'
import type { Stage } from '../stage.js'
import { beyond32Bits, claimMarks, markAll, placeIn } from './place.js'
import { ready } from './transitions.js'

/** Memory that is there to be had. */
function taken({ os }: Pick<Stage, 'os'>, n: number): Address {
  const v = os.sysAllocOS(n)
  claim(v !== null, `sysAllocOS of ${n} bytes is refused: ${os.refusal?.hint ?? 'no reason is kept'}`)
  return v
}

/** The words with which `n` bytes are refused, by default more than any kernel has; null: they were granted. */
function wordsOfTooMuch({ os }: Pick<Stage, 'os'>, n = 2 ** 60): string | null {
  const p = os.sysReserveOS(null, n)
  const { hint = '' } = os.refusal ?? {}
  os.refusal = null
  if (p === null) return hint
  os.sysFreeOS(p, n)
  return null
}

/** The first address that the words of a refusal name; null: none. */
function addressIn(words: string): number | null {
  const [found] = /0x[0-9a-f]+/.exec(words) ?? []
  return found === undefined ? null : Number(found)
}

/** Reserves at an address where no range can be. If the words of the refusal name another, that one must do. */
function claimTold(os: OS, unit: number, busy: Address, when: string): boolean {
  const p = os.sysReserveOS(busy, unit)
  const told = p === null ? addressIn(os.refusal?.hint ?? '') : null
  os.refusal = null
  if (p !== null) os.sysFreeOS(p, unit)
  if (told === null) return false
  const q = os.sysReserveOS(told, unit)
  const what = `sysReserve with a hint at ${rangeText(told, unit)}, ${when}`
  claim(q !== null, `${what}, is refused, and the refusal of another hint told to pass it`)
  same(q, told, what)
  os.sysFreeOS(q, unit)
  return true
}

function toldAddresses(world: World): Verdict | undefined {
  return world.play((stage) => {
    const { memory, os, unit } = stage
    const kept = ready(stage, 2, 1)
    const isTold = claimTold(os, unit, kept, 'of a new backend')
    const v = memory.sysAlloc(4 * unit, null)
    const w = memory.sysAlloc(unit, null)
    void claimTold(os, unit, kept, 'after two ranges were taken')
    memory.sysFree(w, unit, null)
    void claimTold(os, unit, kept, 'after the last range was freed')
    memory.sysFree(v, 4 * unit, null)
    void claimTold(os, unit, kept, 'after both ranges were freed')
    for (const n of [2 ** 60, 2 ** 50]) void wordsOfTooMuch(stage, n)
    void claimTold(os, unit, kept, 'after reservations were refused')
    return isTold ? undefined : absent('an address in the words of a refusal')
  })
}

/** Units that each range has, and the orders in which they are freed. */
const sizes = [4, 1, 2] as const
const orders = [
  [0, 1, 2],
  [0, 2, 1],
  [1, 0, 2],
  [1, 2, 0],
  [2, 0, 1],
  [2, 1, 0],
] as const

/** Takes three ranges, frees them in an order, and returns the words with which too much is refused then. */
function wordsAfter(world: World, order: readonly number[]): string | null {
  return world.play((stage) => {
    const ranges = sizes.map((units) => [taken(stage, units * stage.unit), units * stage.unit] as const)
    for (const i of order) stage.os.sysFreeOS(...(ranges[i] as readonly [Address, number]))
    return wordsOfTooMuch(stage)
  })
}

/** A real kernel has other figures at each question, so that only simulated ones are asked. */
function sameWords(world: World): Verdict | undefined {
  const bare = world.play((stage) => (stage.witness.setLimits === undefined ? null : wordsOfTooMuch(stage)))
  if (bare === null) return notRun('needs a simulated kernel, and a request that it refuses')
  const [first = null, ...others] = orders.map((order) => wordsAfter(world, order))
  const without = (words: string | null): string | undefined => words?.replaceAll(/[0-9.]+/g, '#')
  same(without(first), without(bare), 'the words of a refusal after all was freed, as those of a new backend')
  for (const [i, words] of others.entries())
    same(words, first, `the words of a refusal after all was freed in the order ${orders[i + 1]?.join(', ') ?? ''}`)
  return undefined
}

/** Takes pieces of a range of `n` bytes that was freed below another one. Each reads zero, and reaches into none. */
function claimPieces(stage: Stage, n: number, pieces: readonly number[]): Verdict | undefined {
  const { os, unit, pageSize } = stage
  const v = os.sysAllocOS(n)
  os.refusal = null
  if (v === null) return notRun('the kernel has no 4 GiB')
  const used: [Address, number][] = [[taken(stage, unit), unit]]
  markAll(stage, placeIn(v, n, pageSize), 5)
  os.sysFreeOS(v, n)
  for (const size of pieces) {
    const w = taken(stage, size)
    const what = `sysAllocOS of ${rangeText(w, size)} after ${rangeText(v, n)} was freed`
    for (const [p, m] of used)
      claim(w + size <= p || p + m <= w, `${what} reaches into ${rangeText(p, m)}, which is in use`)
    claimMarks(stage, placeIn(w, size, pageSize), [0], what)
    used.push([w, size])
  }
  for (const range of used) os.sysFreeOS(...range)
  return undefined
}

/** A range of more bytes than 32 bits count, handed out again as a whole and in pieces. */
function handedOutAgain(world: World): Verdict | undefined {
  const [unit, page] = world.play((stage) => [stage.unit, stage.pageSize])
  if (world.play(({ witness }) => witness.setLimits === undefined || witness.resident === undefined))
    return notRun('needs a simulated kernel, which has no memory for pages that are untouched')
  const n = Math.ceil(beyond32Bits(page) / unit) * unit
  for (const pieces of [[n], [unit, n - unit], [n - unit, unit], [2 ** 31, n - 2 ** 31]]) {
    const verdict = world.play((stage) => claimPieces(stage, n, pieces))
    if (verdict !== undefined) return verdict
  }
  return undefined
}

/** Takes and frees a unit, and returns the error. */
function errorOfLife({ os, unit }: Stage): unknown {
  return thrownBy(() => {
    const v = os.sysAllocOS(unit)
    if (v !== null) os.sysFreeOS(v, unit)
  })
}

/** Stray code writes to free memory. A backend may find that. Once it is mended, the backend works as before. */
function strayWrite(world: World): Verdict | undefined {
  return world.play((stage) => {
    const { os, unit, pageSize, witness } = stage
    if (os.traits.reservedTraps) return absent('free memory that can be touched')
    if (witness.setLimits === undefined) return notRun('needs a simulated kernel')
    const [, middle] = [taken(stage, unit), taken(stage, unit), taken(stage, unit)]
    os.sysFreeOS(middle, unit)
    const write = (byte: number): void => withBytes(os, middle, pageSize, (bytes) => void bytes.fill(byte, 0, 1))
    write(1)
    const what = `an operation after other code wrote to ${rangeText(middle, unit)}, which is free`
    for (let times = 1; times <= 3; times++) {
      const error = errorOfLife(stage)
      if (error === null) return undefined
      claimOutcome(error, ['FatalError'], what)
    }
    write(0)
    for (let times = 1; times <= 3; times++)
      same(errorOfLife(stage), null, `the error of ${what}, when the bytes are zero again`)
    return undefined
  })
}

export const endCases: readonly Definition[] = [
  {
    id: 'hints/told',
    title: 'sysReserve: an address that the words of a refusal name can be had',
    show: toldAddresses,
  },
  {
    id: 'refusals/same-words',
    title: 'a refusal has the same words in the same state, whatever led to it',
    show: sameWords,
  },
  {
    id: 'free/beyond-32-bits',
    title: 'sysFree and sysAlloc: a range of more than 4 GiB is handed out again, whole or in pieces, and reads zero',
    show: handedOutAgain,
  },
  {
    id: 'free/stray-write',
    title: 'sysFree: after an error about a stray write to free memory, the backend works on once it is mended',
    show: strayWrite,
  },
]
