// The limit that a program sets on its memory: `memory.limit`. Before pages become Ready that would pass it, what is
// idle is given back, then the reclaimers are asked, then the host's allocator. Only then the operation is refused,
// with an error that says what was tried and what each gave. Source: debug.SetMemoryLimit, and the limit in Go's
// runtime/mgcscavenge.go and mgcpacer.go.
//
// A round asks every reclaimer, however late it is, because a cache that was not asked may have enough. What it does
// may change the limit, and what of the range is Ready, so both are read anew before an operation is refused.
//
// No death spiral. A round that gave too little is not tried again before twenty times its own time has passed: all
// rounds that fail take a twentieth of the thread's time at most. Until then operations are refused, or let through as
// the program chose, at once. Pages that became idle since are given back all the same.
import type { HostServices } from '@memlayer/kernel'
import { OutOfMemoryError, UsageError } from '../errors.js'
import { checkOptions } from '../options.js'
import { formatBytes, show } from '../text.js'
import { hostLimit, processUse, type LimitUse } from './host-limit.js'
import type { Given, Reclaimers } from './reclaimers.js'

/** What `memory.limit` is set to. */
export interface LimitOptions {
  /** Bytes, or `'auto'`: the smallest limit of the host, read anew while the program runs. */
  readonly bytes: number | 'auto'
  /**
   * What is measured. `'layer'`, the default: what the memories of all threads have Ready or idle. `'process'`: the
   * resident memory of the process, or what its control group uses.
   */
  readonly of?: 'layer' | 'process' | undefined
  /** The part of the bytes that may be used. Default 0.9 of `'auto'`, and all of a number. */
  readonly ratio?: number | undefined
  /** What happens to an operation beyond it: `'refuse'`, the default, or `'allow'`, after all was tried. */
  readonly beyond?: 'refuse' | 'allow' | undefined
}

/** The limit in force. */
export interface Limit {
  /** Bytes that may be used. */
  readonly bytes: number
  /** Bytes that are used. NaN: the host does not tell. */
  readonly used: number
  /** What is measured. */
  readonly of: 'layer' | 'process'
  /** Where it comes from: `'memory.limit'`, or the limit of the host that `'auto'` has found. */
  readonly source: string
  /** What happens to an operation beyond it. */
  readonly beyond: 'refuse' | 'allow'
}

/** What a limit needs of its memory. */
export interface Limited {
  readonly host: HostServices | undefined
  readonly reclaimers: Reclaimers
  /** What this memory has Ready or idle. */
  own(): number
  /** The same of the memories of all threads. */
  all(): number
  /** Bytes of this memory that are idle. */
  idle(): number
  /** Gives back what is idle, so many bytes of it. Returns the bytes. */
  scavenge(bytes: number): number
  /** Asks the host's allocator to give back what it holds free. Returns the bytes. */
  trim(): number
  now(): number
}

/** Milliseconds after which the host is asked anew for its limit, and for what the process uses. */
const limitMilliseconds = 1000
const useMilliseconds = 10
/** A round that failed is tried again after so many times its own time. */
const rest = 20
/** Where the limit lets operations pass, only one of so many looks at the clock, which costs as much as the rest. */
const passesUnlooked = 15
/** A round asks for this part of the limit besides what is missing, so that not every operation needs one. */
const morePart = 1 / 64
/** So many categories have a round of their own while others rest. */
const failedMax = 3
/** Above this part of the limit it is near. */
const nearPart = 0.95

interface Set {
  readonly bytes: number | 'auto'
  readonly of: 'layer' | 'process'
  readonly ratio: number
  readonly beyond: 'refuse' | 'allow'
}

/** Who gave how much. */
interface Tried {
  readonly given: readonly Given[]
  /** Why the reclaimers were not asked; null: they were, or there was room before. */
  readonly unasked: string | null
}

/** The limit of one memory. */
export class MemoryLimit {
  readonly #memory: Limited
  #set: Set | null = null
  /** The host's limit, and when it was read. */
  #host: ReturnType<typeof hostLimit> = null
  #hostAt = -Infinity
  /** What the process used, what this memory had then, and when that was. */
  #processUse = NaN
  #ownUse = 0
  #useAt = -Infinity
  /** Whether a category has a limit of its own. */
  #hasBudgets = false
  /** No round before this time, but for a category whose operations have not failed since the rest began. */
  #notBefore = -Infinity
  /**
   * The categories that have failed. A reclaimer gives nothing while it asks for memory itself, as a cache does that is
   * filled. It may give much to another.
   */
  readonly #failed = new Set<number>()
  /** Idle bytes that the last try could not give back. */
  #stuck = 0
  /** So many operations may pass the limit before one looks whether it is time for a round. */
  #unlooked = 0

  constructor(memory: Limited) {
    this.#memory = memory
  }

  /** The limit in force; null: there is none. */
  get limit(): Limit | null {
    const set = this.#set
    if (set === null) return null
    const { of, beyond } = set
    return { bytes: this.#bytes(set), used: this.#used(set), of, source: this.#source(set), beyond }
  }

  /** @throws UsageError ERR_MEMLAYER_OPTION for a wrong limit. Then the earlier one stays. */
  set limit(given: LimitOptions | null) {
    const set = given === null ? null : checked(given)
    this.#hostAt = this.#useAt = this.#notBefore = -Infinity
    this.#unlooked = this.#stuck = 0
    this.#failed.clear()
    this.#set = set
  }

  /** Whether there is one, or a category has one. */
  get isSet(): boolean {
    return this.#set !== null || this.#hasBudgets
  }

  /** Whether a category has a limit of its own. */
  get hasBudgets(): boolean {
    return this.#hasBudgets
  }

  /** Whether the process is measured, and not what memories have. */
  get isOfProcess(): boolean {
    return this.#set?.of === 'process'
  }

  /** What the process uses is read anew by the next operation. */
  lookAnew(): void {
    this.#useAt = -Infinity
  }

  /** A category has a limit of its own. */
  readonly budgeted = (): void => {
    this.#hasBudgets = true
  }

  /** The limit with what is used of it; null: there is none. */
  get use(): LimitUse | null {
    const set = this.#set
    return set === null
      ? null
      : { name: this.#source(set), bytes: this.#bytes(set), used: this.#used(set), isOwn: true }
  }

  /** Bytes above the part of the limit where it is near; 0 or less: it is not near, or there is none. */
  get nearBy(): number {
    const set = this.#set
    return set === null ? 0 : this.#used(set) - nearPart * this.#bytes(set)
  }

  /**
   * `n` bytes are about to become Ready. `needed` counts them anew, because a reclaimer may change what is Ready.
   * Returns whether one may have. `category` counts them.
   *
   * @throws OutOfMemoryError when they would pass the limit, and nothing gave enough.
   */
  take(op: string, n: number, needed: () => number, category = 0): boolean {
    const set = this.#set
    // NaN is no reason to refuse.
    if (set === null || !(this.#used(set) + n - this.#bytes(set) > 0)) return false
    if (set.beyond === 'refuse' || this.#unlooked === 0) return this.#takeBeyond(op, needed, category)
    this.#unlooked -= 1
    return false
  }

  #takeBeyond(op: string, needed: () => number, category: number): boolean {
    // Caches would be emptied in vain.
    const whole = this.#set
    if (whole?.beyond === 'refuse' && needed() > this.#bytes(whole))
      throw this.#refusal(whole, op, needed(), { given: [], unasked: 'it is more than the whole limit' })
    const tried = this.#makeRoom(() => this.#missing(needed()), category)
    this.#unlooked = tried.unasked === null ? 0 : passesUnlooked
    const set = this.#set
    if (set?.beyond === 'refuse' && this.#missing(needed()) > 0) throw this.#refusal(set, op, needed(), tried)
    return true
  }

  /** Bytes that are missing for `n` more under the limit that is set now; 0 or less: there is room. */
  #missing(n: number): number {
    const set = this.#set
    return set === null || n === 0 ? 0 : this.#used(set) + n - this.#bytes(set)
  }

  /** Tries all that may give memory back, until there is room. What the process uses changes by itself meanwhile. */
  #makeRoom(missing: () => number, category: number): Tried {
    const { reclaimers, now, idle } = this.#memory
    const begun = now()
    const given: Given[] = []
    const isEarly = begun < this.#notBefore && (this.#failed.has(category) || this.#failed.size >= failedMax)
    if (isEarly || reclaimers.isRunning) {
      if (idle() > this.#stuck && !(this.#scavenge(given, missing) > 0)) return { given, unasked: null }
      return { given, unasked: isEarly ? this.#restText(begun) : 'a reclaimer asks no other one' }
    }
    let left = this.#scavenge(given, missing)
    const wanted = (): number => missing() + (missing() > 0 ? this.#more : 0)
    const pending = reclaimers.pending()
    // Another thread may give back, and take again before all were asked.
    while (left > 0 && pending.length > 0) {
      given.push(...reclaimers.round('over', wanted, () => false, pending))
      left = missing()
      // What reclaimers made idle still has its memory.
      if (left > 0) left = this.#scavenge(given, missing)
    }
    if (left > 0 && this.#set?.of === 'process') {
      given.push({ name: "the host's allocator", bytes: this.#memory.trim() })
      left = this.#missingNow(missing)
    }
    if (left > 0) this.#failedOf(category, begun)
    return { given, unasked: null }
  }

  /** A round that began at `begun` gave too little to a category. */
  #failedOf(category: number, begun: number): void {
    if (begun >= this.#notBefore) this.#failed.clear()
    this.#failed.add(category)
    const now = this.#memory.now()
    this.#notBefore = Math.max(this.#notBefore, now + this.#rest * (now - begun))
  }

  #restText(now: number): string {
    return `the last try gave too little, and the next is in ${Math.ceil(this.#notBefore - now)} ms`
  }

  /** Gives back idle pages until there is room. Returns what is missing. */
  #scavenge(given: Given[], missing: () => number): number {
    const { scavenge, idle } = this.#memory
    let left = missing()
    let bytes = Infinity
    // Idle pages of the range itself make room that the range needs again.
    for (; left > 0 && bytes > 0; left = this.#missingNow(missing)) {
      bytes = scavenge(left + this.#more)
      given.push({ name: 'the scavenger', bytes })
    }
    this.#stuck = idle()
    return left
  }

  #missingNow(missing: () => number): number {
    this.#useAt = -Infinity
    return missing()
  }

  /** A program that goes on beyond its limit gains little by a round, and pays for each. */
  get #rest(): number {
    return this.#set?.beyond === 'allow' ? 2 * rest : rest
  }

  /** What a round asks for besides what is missing. */
  get #more(): number {
    return this.#set === null ? 0 : Math.min(this.#bytes(this.#set) * morePart, 2 ** 26)
  }

  #refusal(set: Set, op: string, n: number, tried: Tried): OutOfMemoryError {
    const used = `${formatBytes(this.#used(set))} of ${formatBytes(this.#bytes(set))} are used`
    const what = set.of === 'process' ? 'the process' : 'all memories'
    const message = `${op}: ${formatBytes(n)} would pass the limit of ${what}, ${this.#source(set)}: ${used}`
    const hint = `Free memory, add a reclaimer, or raise memory.limit. ${gaveBack(tried)}`
    return new OutOfMemoryError(message, { op, size: n, hint })
  }

  #source(set: Set): string {
    return set.bytes === 'auto' ? (this.#hostLimit()?.name ?? 'none that the host tells') : 'memory.limit'
  }

  #bytes(set: Set): number {
    return Math.floor(set.ratio * (set.bytes === 'auto' ? (this.#hostLimit()?.bytes ?? Infinity) : set.bytes))
  }

  #hostLimit(): ReturnType<typeof hostLimit> {
    const now = this.#memory.now()
    if (now >= this.#hostAt + limitMilliseconds) {
      this.#host = hostLimit(this.#memory.host)
      this.#hostAt = now
    }
    return this.#host
  }

  #used(set: Set): number {
    if (set.of === 'layer') return this.#memory.all()
    const now = this.#memory.now()
    if (now >= this.#useAt + useMilliseconds) {
      this.#processUse = processUse(this.#memory.host)
      this.#ownUse = this.#memory.own()
      this.#useAt = now
    }
    // Between two looks the layer knows what it has given itself.
    return this.#processUse + this.#memory.own() - this.#ownUse
  }
}

function checked(given: LimitOptions): Set {
  const {
    bytes,
    of = 'layer',
    ratio,
    beyond = 'refuse',
  } = checkOptions('limit', given, ['bytes', 'of', 'ratio', 'beyond'], 'Pass an object: { bytes: 2 ** 30 }. Or null.')
  if (bytes !== 'auto' && !(typeof bytes === 'number' && bytes >= 0))
    wrong(
      `the option bytes is ${show(bytes)}`,
      "Pass a number of bytes, or 'auto'. Four fifths of the host's limit: { bytes: 'auto', ratio: 0.8 }.",
    )
  if (of !== 'layer' && of !== 'process') wrong(`the option of is ${show(of)}`, "Pass 'layer' or 'process'.")
  if (ratio !== undefined && !(typeof ratio === 'number' && ratio > 0 && ratio <= 1))
    wrong(`the option ratio is ${show(ratio)}`, 'Pass a number above 0, and 1 at most.')
  if (beyond !== 'refuse' && beyond !== 'allow')
    wrong(`the option beyond is ${show(beyond)}`, "Pass 'refuse' or 'allow'.")
  return { bytes, of, ratio: ratio ?? (bytes === 'auto' ? 0.9 : 1), beyond }
}

function wrong(what: string, hint: string): never {
  throw new UsageError('ERR_MEMLAYER_OPTION', `limit: ${what}`, { op: 'limit', hint })
}

/** What each gave, in sentences. */
function gaveBack({ given, unasked }: Tried): string {
  const sums = new Map<string, number>()
  for (const { name, bytes } of given) sums.set(name, (sums.get(name) ?? 0) + bytes)
  const sum = `Given back: ${Array.from(sums, ([name, bytes]) => `${formatBytes(bytes)} by ${name}`).join(', ')}.`
  if (unasked === null) return sum
  return sums.size === 0
    ? `Nothing was tried, because ${unasked}.`
    : `${sum} No reclaimer was asked, because ${unasked}.`
}
