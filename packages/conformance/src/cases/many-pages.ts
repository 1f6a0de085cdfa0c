// Every function over more pages than 31 and 32 bits can count, which is where a count of pages that was cut to 32 bits
// turns negative or small. Only a few of the pages are touched, so it costs a simulated kernel nothing.
import type { Address } from '@memlayer/kernel'
import { claim, outcomeOf, same, thrownBy } from '../claim.js'
import { absent, notRun, type Definition, type Verdict, type World } from '../definition.js'
import type { Stage } from '../stage.js'
import { playAlloc, playLife } from './lives.js'
import { claimGuards, claimMarks, markAll, open, placeOf } from './place.js'
import { keepsReady } from './transitions.js'

/** A machine that promises more than any address space has. */
const limits = { memory: 2 ** 60, commit: 2 ** 60 }

/** The sizes in pages: just over 2^31, well over it, and just over 2^32. */
const counts = [2 ** 31 + 16, 2 ** 31 + 2 ** 18, 2 ** 32 + 16]

/** Functions after which a range costs no memory. Null: the backend has none such, or promises nothing for it here. */
const givers: Readonly<Record<string, (stage: Stage, v: Address, n: number) => boolean | null>> = {
  sysUnusedOS: ({ os }, v, n) => (os.sysUnusedOS(v, n), true),
  sysUnusedAllOS: ({ os }, v, n) => os.sysUnusedAllOS?.([v, n]) ?? null,
  sysZeroOS: ({ os }, v, n) => os.sysZeroOS?.(v, n) ?? null,
  sysFaultOS: ({ os }, v, n) => (os.traits.faultTraps ? (os.sysFaultOS(v, n), true) : null),
  sysRetireOS: ({ os }, v, n) => retire(os, v, n, true),
  'sysRetireOS, not mapped': ({ os }, v, n) => retire(os, v, n, false),
}

function retire(os: Stage['os'], v: Address, n: number, isMapped: boolean): boolean | null {
  // Core retires no more than the quarantine has room for.
  const { space = 0, writable = 0 } = os.quarantine ?? {}
  return n <= Math.min(space, writable) ? (os.sysRetireOS?.(v, n, isMapped) ?? null) : null
}

/** Fails if a page of a range of `n` bytes has memory after `name`, or one beside it has none. */
function claimGiven(stage: Stage, name: string, n: number): void {
  const { memory, os, witness } = stage
  const place = placeOf(stage, n)
  open(stage, place)
  markAll(stage, place, 1)
  os.refusal = null
  const isDone = givers[name]?.(stage, place.v, n) ?? null
  const isRefused = Boolean(os.refusal)
  os.refusal = null
  if (isDone === true && !isRefused) {
    claimGuards(stage, place, `${name} of ${n} bytes`)
    witness.takeForfeit?.()
    same(witness.resident?.(place.v, n) ?? 0, 0, `the resident bytes of a range of ${n} bytes after ${name}`)
    if (name.startsWith('sysRetire') || name.startsWith('sysZero')) claimMarks(stage, place, [0], name)
    if (name === 'sysFaultOS') for (const at of place.probes) claimFault(stage, place.v, at, n)
  }
  memory.sysFree(place.whole, place.size, null)
}

function claimFault({ witness }: Stage, v: Address, at: number, n: number): void {
  claim(witness.faults?.(v + at, 'read') ?? true, `after sysFaultOS of ${n} bytes, the page at offset ${at} has access`)
}

/** Plays everything with ranges of `n` bytes. */
function playMany(stage: Stage, n: number, keeps: boolean): void {
  const { os } = stage
  playLife(stage, n, keeps)
  playAlloc(stage, n)
  if (!os.traits.unusedReturnsMemory || stage.witness.resident === undefined) return
  for (const name of Object.keys(givers)) claimGiven(stage, name, n)
}

function manyPages(world: World): Verdict | undefined {
  let isPlayed = false
  const verdict = world.play(({ os, witness }) => {
    if (!os.traits.reservedTraps) return absent('reservedTraps')
    return witness.setLimits === undefined ? notRun('needs a kernel whose limits can be set') : undefined
  })
  if (verdict !== undefined) return verdict
  for (const count of counts) {
    world.play(
      (stage) => {
        const { memory, pageSize } = stage
        const n = count * pageSize
        // Where the kernel itself gives as much, the backend has to.
        const error = thrownBy(() => memory.sysFree(memory.sysAlloc(n, null), n, null))
        if (error !== null && outcomeOf(error) !== 'OutOfMemoryError') throw error
        const isRefused = stage.takeCalls()?.some(({ ret }) => ret < 0) ?? true
        claim(error === null || isRefused, `no kernel call was refused: ${(error as Error | null)?.message}`)
        if (error !== null) return
        playMany(stage, n, keepsReady(world))
        isPlayed = true
      },
      { limits },
    )
  }
  return isPlayed ? undefined : notRun('the address space of this kernel has no such ranges')
}

export const manyPagesCases: readonly Definition[] = [
  {
    id: 'sizes/beyond-31-bit-pages',
    title: 'every function reaches a range of more than 2,147,483,648 pages from end to end, and no page beside it',
    show: manyPages,
  },
]
