// Fault plans: which possible calls a simulated kernel refuses, and what it does before it refuses. Every call of a
// port passes through here and is counted.
import { errnos, isPowerOfTwo, type Address, type ErrnoFamily } from '@memlayer/kernel'
import { SimulationError } from './errors.js'

/** A call that the kernel refuses or answers differently. */
export interface PlannedFault {
  /**
   * The port's function: `'mmap'`, `'virtualFree'`, `'growMemory'`. Absent means any function that can be refused.
   */
  readonly fn?: string
  /** Which of those calls, from 1, counted from when the fault was added. Default 1. */
  readonly call?: number
  /** Whether every later call fails as well. Default false, which means once. */
  readonly forGood?: boolean
  /** The error, by name (`'ENOMEM'`, `'ERROR_COMMITMENT_LIMIT'`) or number. brk and growMemory always answer -1. */
  readonly errno?: string | number
  /**
   * The part of the range, from 0 to 1, that is done before the refusal. A real kernel may stop half way, too.
   * Whole pages, rounded down. Default 0.
   */
  readonly done?: number
  /**
   * The address that the kernel answers instead of an error, when it is free. It overrides the hint or the fixed
   * address of the call. For mmap and virtualAlloc.
   */
  readonly at?: Address
}

/** What a simulated kernel has done so far. */
export interface Counters {
  /** Calls by function. */
  readonly calls: Readonly<Record<string, number>>
  /** Calls that were refused, with or without a plan. */
  readonly refused: number
  /** Calls that the plan changed. */
  readonly planned: number
  /** Bytes of forfeit pages that the kernel took, with their contents. */
  readonly forfeitTaken: number
}

interface Pending {
  readonly fault: PlannedFault
  readonly errno: number
  seen: number
}

type Call = (args: number[], at: Address | undefined) => number

// These answer -1 for every error.
const isMinusOne = (fn: string): boolean => fn === 'brk' || fn === 'growMemory' || fn === 'discard'
// These can be done in part, because their first arguments are an address and a length.
const isOverRange = (fn: string): boolean => !['brk', 'growMemory', 'madviseAll'].includes(fn)

/** Counts calls and applies the plan. */
export class Plan {
  readonly #family: ErrnoFamily
  readonly #pageSize: number
  readonly #refusable: readonly string[]
  readonly #pending: Pending[] = []
  readonly #calls: Record<string, number> = {}
  #refused = 0
  #planned = 0

  /** `refusable` are the functions of the port that can be refused. */
  constructor(family: ErrnoFamily, pageSize: number, refusable: readonly string[], faults: readonly PlannedFault[]) {
    this.#family = family
    this.#pageSize = pageSize
    this.#refusable = refusable
    for (const fault of faults) this.add(fault)
  }

  /** Adds a fault. Its calls are counted from now on. */
  add(fault: PlannedFault): void {
    const { fn, call = 1, done = 0, at } = fault
    if (fn !== undefined && !this.#refusable.includes(fn)) wrong('fn', fn, `Pass one of ${this.#refusable.join(', ')}.`)
    if (!(Number.isSafeInteger(call) && call >= 1)) wrong('call', call, 'Pass a whole number from 1.')
    checkPart('done', done)
    if (done > 0 && fn !== undefined && !isOverRange(fn))
      wrong('done', done, `Pass 0, because ${fn} does not work on one range.`)
    if (
      (at === undefined) === (fault.errno === undefined) &&
      !(at === undefined && this.#refusable.every(isMinusOne))
    ) {
      wrong('errno', fault.errno, 'Pass an error (errno) or an address (at), not both.')
    }
    this.#pending.push({ fault, errno: this.#errnoOf(fault.errno), seen: 0 })
  }

  /** The counters so far. */
  counters(forfeitTaken: number): Counters {
    return { calls: { ...this.#calls }, refused: this.#refused, planned: this.#planned, forfeitTaken }
  }

  /** Makes a call, or applies the planned fault to it. */
  make(fn: string, args: number[], call: Call): number {
    this.#calls[fn] = (this.#calls[fn] ?? 0) + 1
    const planned = this.#refusable.includes(fn) ? this.#take(fn) : undefined
    let answer: number
    if (planned === undefined) {
      answer = call(args, undefined)
    } else if (planned.fault.at !== undefined) {
      answer = call(args, planned.fault.at)
    } else {
      const [address = 0, length = 0, ...rest] = args
      const done = isOverRange(fn) ? (planned.fault.done ?? 0) : 0
      const part = Math.floor((length * done) / this.#pageSize) * this.#pageSize
      if (part > 0) call([address, part, ...rest], undefined)
      answer = isMinusOne(fn) ? -1 : -planned.errno
    }
    if (answer < 0) this.#refused += 1
    return answer
  }

  /** The fault that applies to this call, if any. Every fault counts the call. */
  #take(fn: string): Pending | undefined {
    let met: Pending | undefined
    for (const pending of this.#pending) {
      const { call = 1, forGood = false } = pending.fault
      if (pending.fault.fn !== undefined && pending.fault.fn !== fn) continue
      pending.seen += 1
      if (pending.seen === call || (forGood && pending.seen > call)) met ??= pending
    }
    if (met !== undefined) this.#planned += 1
    return met
  }

  #errnoOf(errno: string | number | undefined): number {
    if (errno === undefined) return 0
    const number = typeof errno === 'string' ? errnos[this.#family][errno] : errno
    if (number === undefined || !(Number.isSafeInteger(number) && number > 0)) {
      wrong('errno', errno, `Pass a positive number, or a name that ${this.#family} has.`)
    }
    return number
  }
}

/** @throws SimulationError ERR_MEMLAYER_SIM_OPTION */
export function wrong(option: string, value: unknown, hint: string): never {
  const shown = typeof value === 'string' ? `'${value}'` : String(value)
  throw new SimulationError('ERR_MEMLAYER_SIM_OPTION', `simulate: the option ${option} is ${shown}`, hint)
}

/** @throws SimulationError ERR_MEMLAYER_SIM_OPTION unless it is a size: 0 or more, Infinity allowed. */
export function checkLimit(option: string, value: number): number {
  if (!(typeof value === 'number' && value >= 0))
    wrong(option, value, 'Pass a number from 0, or Infinity for no limit.')
  return value
}

/** @throws SimulationError ERR_MEMLAYER_SIM_OPTION unless it is a part, from 0 to 1. */
export function checkPart(option: string, value: number): number {
  if (!(value >= 0 && value <= 1)) wrong(option, value, 'Pass a number from 0 to 1.')
  return value
}

/** @throws SimulationError ERR_MEMLAYER_SIM_OPTION unless it is a power of two. */
export function checkPageSize(option: string, value: number): number {
  if (!isPowerOfTwo(value)) wrong(option, value, 'Pass a power of two.')
  return value
}

/** @throws SimulationError ERR_MEMLAYER_SIM_OPTION unless it is a whole number. */
export function checkSeed(seed: number): number {
  if (!Number.isSafeInteger(seed)) wrong('seed', seed, 'Pass a whole number.')
  return seed
}

/** A kernel reads a negative address or length as a very large one. */
export function unsigned(value: number, index: number): number {
  return value < 0 && index < 2 ? value + 2 ** 64 : value
}
