// The limits on bytes that a process meets without a word from the kernel. RLIMIT_DATA bounds private writable memory,
// but not what is mapped over one's own reservation: then the engine's next mapping is refused, and the process dies.
// RLIMIT_AS bounds addresses. The layer counts before the call, and leaves the engine what its heap may need.
import type { ProcessLimits, Use } from '@memlayer/kernel'
import { OutOfMemoryError } from '../errors.js'
import type { OS } from '../os.js'
import { formatBytes } from '../text.js'
import { bytesLeft, heapGrowth, leftToEngine, type BudgetOptions } from './headroom.js'

/** A memory takes this part of what is free between two looks. Other memories and threads look for themselves. */
const roomPart = 64
/** Bytes between two looks, where the host does not tell now: a process without a free descriptor reads no files. */
const roomUnknown = 2 ** 26

/** Counts down to the next look at the limits. */
export class SpaceBudget {
  readonly #os: OS
  readonly #options: BudgetOptions
  /** Bytes of address space, and of writable memory, that are certain to fit. */
  #space = 0
  #data = 0
  /** Nothing bounds either of them, so nothing is counted. */
  #isUnbounded: boolean

  constructor(os: OS, options: BudgetOptions) {
    this.#os = os
    this.#options = options
    this.#isUnbounded = os.host?.processLimits === undefined
  }

  /**
   * The process is about to get `space` bytes of addresses, and `data` bytes of writable memory.
   *
   * @throws OutOfMemoryError at a limit, less what the engine may need.
   */
  take(op: string, space: number, data: number): void {
    if (!this.#isUnbounded) this.#count(op, space, data)
  }

  #count(op: string, space: number, data: number): void {
    if (space > this.#space || data > this.#data) this.#look(op, space, data)
    this.#space -= space
    this.#data -= data
  }

  #look(op: string, space: number, data: number): void {
    const limits = this.#os.host?.processLimits?.()
    if (limits === undefined || (limits.space.limit === Infinity && limits.data.limit === Infinity)) {
      this.#isUnbounded = true
      return
    }
    const growth = heapGrowth(this.#os, this.#options)
    this.#space = granted(roomIn(limits.space, growth), space)
    this.#data = granted(roomIn(limits.data, growth), data)
    if (this.#space < space) refuse(op, space, 'space', limits)
    if (this.#data < data) refuse(op, data, 'data', limits)
  }
}

/** NaN: the host does not tell now. */
function roomIn({ used, limit }: Use, growth: number): number {
  return limit === Infinity ? Infinity : limit - used - bytesLeft(growth, limit)
}

/** So much may be taken before the next look: what is asked for now, if it fits, and a part of the rest. */
function granted(room: number, asked: number): number {
  if (Number.isNaN(room)) return asked + roomUnknown
  return asked <= room ? Math.max(asked, room / roomPart) : 0
}

const names = {
  space: { what: 'address space', limit: 'RLIMIT_AS', how: 'ulimit -v' },
  data: { what: 'private writable memory', limit: 'RLIMIT_DATA', how: 'ulimit -d, LimitDATA= of systemd' },
} as const

function refuse(op: string, n: number, kind: 'space' | 'data', limits: ProcessLimits): never {
  const { what, limit, how } = names[kind]
  const { used, limit: most } = limits[kind]
  const has = `the process has ${formatBytes(used)} of ${formatBytes(most)} of ${what}`
  const hint = `Free memory or ask for less, or raise ${limit} (${how}). ${leftToEngine}`
  throw new OutOfMemoryError(`${op}: ${formatBytes(n)} do not fit, because ${has}`, { op, size: n, hint })
}
