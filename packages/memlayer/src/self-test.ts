// Runs regions through their whole life on this host's own memory, and compares it with its traits. doctor.ts calls it.
import type { Memory, Region } from '@memlayer/core'
import { openTouch, type Touch } from './touch.js'

/** The result of the self-test. */
export interface SelfTest {
  /** A sentence per fault. Empty when all is well. */
  readonly wrong: readonly string[]
  /** A sentence about the regions that were tested. */
  readonly done: string
  /** A sentence per check that this host can't run. */
  readonly untried: readonly string[]
}

const KiB = 2 ** 10
const MiB = 2 ** 20

/** The sizes of the regions, in bytes. The host must have the largest one free. */
const sizes: readonly number[] = [256 * KiB, MiB, 4 * MiB, 16 * MiB]
/** How often each size is tested. */
const ROUNDS = 4

/**
 * The address hint for a region whose freeing is checked. No other mapping takes this place in between, unless its
 * caller asks for the same address. It is below 2^46, away from the places of engines and C libraries.
 */
const AWAY = 0x2a51_0000_0000

/** Runs the self-test for at most `most` milliseconds by `now`, and frees its regions. */
export function selfTest(memory: Memory, now: () => number = Date.now, most = 10_000): SelfTest {
  const started = now()
  const { faultTraps } = memory.os.traits
  const touch = faultTraps ? openTouch(memory.os) : null
  const wrong = new Set<string>()
  let lives = 0
  try {
    // The first region is tested even without time.
    for (; lives < ROUNDS * sizes.length && (lives === 0 || now() - started < most); lives++) {
      live(memory, sizes[lives % sizes.length] as number, touch, wrong)
    }
  } finally {
    touch?.close()
  }
  const seconds = Math.max(0, (now() - started) / 1000).toFixed(1)
  const all = lives === ROUNDS * sizes.length ? '' : '; the time was over before the rest'
  const regions = lives === 1 ? '1 region was' : `${lives} regions were`
  const steps = 'reserved, mapped, used, given back, faulted and freed'
  const done = `${regions} ${steps} on real memory in ${seconds} s, as expected${all}.`
  return { wrong: [...wrong], done, untried: touch === null && faultTraps ? [untriedTraps] : [] }
}

const untriedTraps =
  'Whether a faulted range traps and a freed one is gone was not tried: this runtime has no way to ask the kernel.'

function live(memory: Memory, size: number, touch: Touch | null, wrong: Set<string>): void {
  const { traits } = memory.os
  const region = memory.reserve(size, { name: 'memlayer-doctor', ...(traits.hints ? { address: AWAY } : {}) })
  const { address } = region
  try {
    use(memory, region, wrong)
    const half = size / 2
    if (touch !== null && !touch.answers(address)) wrong.add('Memory that is Ready cannot be read by the kernel.')
    region.fault(half, half)
    if (touch !== null && touch.answers(address + half)) wrong.add('A range that was faulted can still be read.')
    memory.check()
  } finally {
    region.free()
  }
  if (touch !== null && touch.answers(address)) wrong.add('A range that was freed is still there.')
}

function use(memory: Memory, region: Region, wrong: Set<string>): void {
  const { traits } = memory.os
  const { size, address } = region
  const half = size / 2
  region.commit(0, size)
  const bytes = region.view(Uint8Array, 0, size)
  if (!isAll(bytes, 0)) wrong.add('Memory that was just mapped is not zero.')
  bytes.fill(0xa5)
  if (!isAll(bytes, 0xa5)) wrong.add('Memory does not keep what is written to it.')
  region.hugePage(0, half)
  region.unused(0, half)
  if (bytes.length !== 0) wrong.add('A view of memory that was given back can still be read.')
  const left = memory.residency(address, half)
  // After MADV_FREE the pages stay resident until the kernel needs them.
  if (traits.unusedReturnsMemory && traits.unusedDropsContents && left !== null && left.resident > 0)
    wrong.add('Memory that was given back is still resident.')
  region.used(0, half)
  if (traits.unusedDropsContents && !isAll(region.view(Uint8Array, 0, half), 0))
    wrong.add('Memory that was given back does not read zero.')
  if (!isAll(region.view(Uint8Array, half, half), 0xa5))
    wrong.add('Giving memory back also changed the memory next to it.')
}

function isAll(bytes: Uint8Array, value: number): boolean {
  for (let i = 0; i < bytes.length; i++) if (bytes[i] !== value) return false
  return true
}
