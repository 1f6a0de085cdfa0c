// Runs regions through all their states on this host's own memory. Compares the results with its traits.
// doctor.ts calls it.
import type { Memory, Region } from '@memlayer/core'
import { locksMappings } from './locked.js'
import { openTouch, type Touch } from './touch.js'

/** What the self-test found. */
export interface SelfTest {
  /** Sentences about what went wrong. Empty: nothing did. */
  readonly wrong: readonly string[]
  /** What the self-test did, as sentences. */
  readonly done: string
  /** Sentences about what it could not try here. */
  readonly untried: readonly string[]
}

const KiB = 2 ** 10
const MiB = 2 ** 20

/** The sizes of the regions. A host needs the largest one free. */
const sizes: readonly number[] = [256 * KiB, MiB, 4 * MiB, 16 * MiB]
/** How many regions there are of each size. */
const rounds = 4

/**
 * Where the regions are that have no view. The self-test checks that they are gone after a free, so nothing else may be
 * mapped there. Engines and C libraries put nothing at this address. It is below 2^46.
 */
const remoteAddress = 0x2a51_0000_0000

/** Frees all that it reserves. It starts no further region after `milliseconds`, by the clock `now`. */
export function selfTest(memory: Memory, now: () => number = Date.now, milliseconds = 10_000): SelfTest {
  const started = now()
  const { faultTraps } = memory.os.traits
  const touch = faultTraps ? openTouch(memory.os) : null
  const isLocked = locksMappings(memory)
  const wrong = new Set<string>()
  let lives = 0
  try {
    // The first region is tested whatever the clock says.
    for (; lives < rounds * sizes.length && (lives === 0 || now() - started < milliseconds); lives++) {
      live(memory, sizes[lives % sizes.length] as number, { touch, isLocked }, wrong)
    }
  } finally {
    touch?.close()
  }
  const seconds = Math.max(0, (now() - started) / 1000).toFixed(1)
  const regions = lives === 1 ? '1 region' : `${lives} regions`
  const did = `The self-test reserved, mapped, used, gave back, faulted and freed ${regions} in ${seconds} s.`
  const done = lives === rounds * sizes.length ? did : `${did} There was no time for more.`
  const untried = [...(touch === null && faultTraps ? [untriedTraps] : []), ...(isLocked ? [untriedUnused] : [])]
  return { wrong: [...wrong], done, untried }
}

/** What is known of the process when the self-test begins. */
interface Process {
  readonly touch: Touch | null
  /** Whether the process locks all that it maps. */
  readonly isLocked: boolean
}

const untriedTraps =
  'Not tested: that a faulted range traps, and that a freed range is gone. This runtime has no way to ask the kernel.'

const untriedUnused =
  'Not tested: that memory is given back. The process locks all that it maps, and the kernel keeps locked pages.'

function live(memory: Memory, size: number, { touch, isLocked }: Process, wrong: Set<string>): void {
  const region = memory.reserve(size, { name: 'memlayer-doctor' })
  const { address } = region
  try {
    use(memory, region, isLocked, wrong)
    const half = size / 2
    if (touch !== null && !touch.answers(address)) wrong.add('The kernel cannot read memory that is Ready.')
    region.fault(half, half)
    // Windows lets pages that JavaScript has seen trap later: see `stats().lingering`.
    const trapsNow = (memory.stats().lingering ?? 0) === 0
    if (trapsNow && touch !== null && touch.answers(address + half)) wrong.add('A faulted range can still be read.')
    memory.check()
  } finally {
    region.free()
  }
  if (touch !== null) unmap(memory, size, touch, wrong)
}

/** A range that no JavaScript has seen traps when it is faulted, and a free unmaps it. The others may be kept. */
function unmap(memory: Memory, size: number, touch: Touch, wrong: Set<string>): void {
  const { hints } = memory.os.traits
  const region = memory.reserve(size, { name: 'memlayer-doctor', ...(hints ? { address: remoteAddress } : {}) })
  const { address } = region
  const half = size / 2
  try {
    region.commit(0, size)
    if (!touch.answers(address)) wrong.add('The kernel cannot read memory that is Ready.')
    region.fault(half, half)
    if (touch.answers(address + half)) wrong.add('A faulted range can still be read.')
  } finally {
    region.free()
  }
  if (touch.answers(address)) wrong.add('A freed range is still mapped.')
}

function use(memory: Memory, region: Region, isLocked: boolean, wrong: Set<string>): void {
  const { unusedReturnsMemory, unusedDropsContents, ends } = memory.os.traits
  const drops = unusedDropsContents && !isLocked
  const { size, address } = region
  const half = size / 2
  region.commit(0, size)
  const words = region.view(Int32Array, 0, size / 4)
  if (!isAll(words, 0)) wrong.add('Newly mapped memory is not zero.')
  words.fill(written)
  if (!isAll(words, written)) wrong.add('Memory does not keep what is written to it.')
  region.hugePage(0, half)
  region.unused(0, half)
  const isWindow = ends === 'zeroed'
  if (!isWindow && words.length !== 0) wrong.add('A view of memory that was given back can still be read.')
  const left = memory.residency(address, half)
  // Memory that is freed lazily (MADV_FREE) stays resident until the kernel needs it.
  if (unusedReturnsMemory && drops && left !== null && left.resident > 0)
    wrong.add('Memory that was given back is still resident.')
  // A read makes a page resident on some kernels, so this comes after the look.
  if (isWindow && !isAll(words.subarray(0, words.length / 2), 0)) wrong.add('A view that was kept does not read zero.')
  region.used(0, half)
  if (drops && !isAll(region.view(Int32Array, 0, half / 4), 0))
    wrong.add('Memory that was given back does not read zero.')
  if (!isAll(region.view(Int32Array, half, half / 4), written))
    wrong.add('Giving memory back changed the memory beside it.')
}

/** Four bytes that are not zero. */
const written = 0x5aa5_a55a

function isAll(words: Int32Array, value: number): boolean {
  for (let i = 0; i < words.length; i++) if (words[i] !== value) return false
  return true
}
