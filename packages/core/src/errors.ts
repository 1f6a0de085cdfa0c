// The three errors. UsageError: the caller is wrong, and nothing has happened. OutOfMemoryError: the host
// refused, and nothing has changed. FatalError: the layer can't vouch for the range any more, where Go
// throws or exits; its message opens with Go's words.
import type { Address } from '@memlayer/kernel'
import type { Holding } from './holding.js'
import { formatAddress } from './text.js'

/** The codes of the errors. They are stable: compare them, and not the messages. */
export type ErrorCode =
  | 'ERR_MEMLAYER_OUT_OF_MEMORY'
  | 'ERR_MEMLAYER_FATAL'
  | 'ERR_MEMLAYER_ACCOUNT'
  | 'ERR_MEMLAYER_SIZE'
  | 'ERR_MEMLAYER_ADDRESS'
  | 'ERR_MEMLAYER_ALIGNMENT'
  | 'ERR_MEMLAYER_NOT_OWNED'
  | 'ERR_MEMLAYER_STATE'
  | 'ERR_MEMLAYER_RESERVATION'
  | 'ERR_MEMLAYER_STAT'
  | 'ERR_MEMLAYER_OPTION'
  | 'ERR_MEMLAYER_RANGE'
  | 'ERR_MEMLAYER_VIEW'
  | 'ERR_MEMLAYER_DISPOSED'
  | 'ERR_MEMLAYER_SHARED'
  | 'ERR_MEMLAYER_TRANSFER'
  | 'ERR_MEMLAYER_BACKEND'

/** What an error knows besides its message. What is not known is left out. */
export interface ErrorDetails {
  /** The method that was called: `'sysMap'`, or `'commit'` of a region. */
  readonly op?: string
  /** The kernel call: `'mmap'`. */
  readonly syscall?: string
  /** The kernel's error number. */
  readonly errno?: number
  /** The error number's name: `'ENOMEM'`. */
  readonly errnoName?: string
  /** Where the range starts. */
  readonly address?: Address
  /** The range's bytes. */
  readonly size?: number
  /** The name of the region whose method was called. */
  readonly region?: string
  /** The offset in that region that the caller passed. */
  readonly offset?: number
  /** What keeps the pages. */
  readonly holds?: readonly Holding[]
  /** What a person can do about it. */
  readonly hint?: string
  /** True: the backend could not put the range back. Core makes it safe, and the hint says what it is. */
  readonly unsettled?: boolean
  /** The error behind this one. */
  readonly cause?: unknown
}

/**
 * A descriptor of a property that has a value. Without a prototype: `Object.prototype.get`, which any code can set,
 * would make it one of a getter as well, and defineProperty throws for that.
 */
export function ownValue(value: unknown, enumerable = false): PropertyDescriptor {
  return Object.assign(Object.create(null) as PropertyDescriptor, {
    value,
    enumerable,
    configurable: enumerable,
    writable: enumerable,
  })
}

const detailKeys = [
  'op',
  'syscall',
  'errno',
  'errnoName',
  'address',
  'size',
  'region',
  'offset',
  'holds',
  'hint',
  'unsettled',
] as const

/** The base class of the layer's errors. Fields that are not known are left out. */
export abstract class MemlayerError extends Error {
  /** Stable: compare this, not the message. */
  readonly code: ErrorCode
  /** The method that was called: `'sysMap'`, or `'commit'` of a region. */
  declare readonly op: string | undefined
  /** The kernel call: `'mmap'`. */
  declare readonly syscall: string | undefined
  /** The kernel's error number. */
  declare readonly errno: number | undefined
  /** The error number's name: `'ENOMEM'`. */
  declare readonly errnoName: string | undefined
  /** Where the range starts. */
  declare readonly address: Address | undefined
  /** The range's bytes. */
  declare readonly size: number | undefined
  /** The name of the region whose method was called. */
  declare readonly region: string | undefined
  /** The offset in that region that the caller passed. */
  declare readonly offset: number | undefined
  /** What keeps the pages: of ERR_MEMLAYER_SHARED. */
  declare readonly holds: readonly Holding[] | undefined
  /** What a person can do about it. */
  declare readonly hint: string | undefined
  /** True: the range is not as it was before the call. The hint says in which state it is. */
  declare readonly unsettled: boolean | undefined

  constructor(code: ErrorCode, message: string, details: ErrorDetails) {
    super(withHint(message, details.hint), details.cause === undefined ? undefined : { cause: details.cause })
    this.code = code
    for (const key of detailKeys) {
      const value = details[key]
      if (value === undefined) continue
      Object.defineProperty(this, key, ownValue(value, true))
    }
  }
}

// Names are spelled out. A minifier renames classes, and a log shows the name.

/** The host has no memory or address space to give. Nothing has changed. Free some, and try again. */
export class OutOfMemoryError extends MemlayerError {
  /** What a log shows. */
  override readonly name: string = 'OutOfMemoryError'

  constructor(message: string, details: ErrorDetails = {}) {
    super('ERR_MEMLAYER_OUT_OF_MEMORY', message, details)
  }
}

/** The call was wrong, and was stopped before any effect. `code` says in which way. */
export class UsageError extends MemlayerError {
  /** What a log shows. */
  override readonly name: string = 'UsageError'

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(code, message, details)
  }
}

/**
 * The kernel left no safe way on, where Go would end the program. The message opens with Go's words. The account is as
 * before the call.
 */
export class FatalError extends MemlayerError {
  /** What a log shows. */
  override readonly name: string = 'FatalError'

  constructor(message: string, details: ErrorDetails & { readonly code?: ErrorCode } = {}) {
    super(details.code ?? 'ERR_MEMLAYER_FATAL', withAnswer(message, details), details)
  }
}

/** Each class by the name of its errors. */
const classes: ReadonlyMap<unknown, { readonly prototype: MemlayerError }> = new Map<
  unknown,
  { readonly prototype: MemlayerError }
>([
  ['OutOfMemoryError', OutOfMemoryError],
  ['UsageError', UsageError],
  ['FatalError', FatalError],
])

/**
 * Makes an error of another copy of this package one of this copy: the object stays, and its class changes. A backend
 * has another copy where the package manager could not join two versions, or where a test runner loads the backend
 * outside of its own realm. Any other value stays as it is.
 */
export function asOwn(error: unknown): unknown {
  if (typeof error !== 'object' || error === null || error instanceof MemlayerError) return error
  const { name, code } = error as { name?: unknown; code?: unknown }
  const own = classes.get(name)
  if (own !== undefined && typeof code === 'string' && code.startsWith('ERR_MEMLAYER_')) {
    Reflect.setPrototypeOf(error, own.prototype)
  }
  return error
}

/** The call that a program made on a region or a buffer, in its own words. */
export interface OwnCall {
  /** The method: `'commit'`. */
  readonly op: string
  /** The arguments as a message shows them: `'0, 65536'`. */
  readonly given: string
  /** What it was called on: `"the region 'vectors'"`. */
  readonly on: string
  /** The region's name. */
  readonly region: string
  /** The offset that the caller passed. */
  readonly offset?: number
}

/** How the message of an error begins that is in the words of its caller already. */
const openings = /* @__PURE__ */ new WeakMap<MemlayerError, string>()

/**
 * Puts an error of an operation below into the words of the method that called it: its name and its offsets in
 * place of the operation and the address. Returns the same object, which observers know. Any other value is
 * returned as it is.
 */
export function inWordsOf(error: unknown, call: OwnCall): unknown {
  if (!(error instanceof MemlayerError) || !Object.isExtensible(error)) return error
  const { op, region, offset } = call
  const before = error.message
  const opening = `${op}(${call.given}) of ${call.on}`
  error.message = withHint(opened(withoutHint(error), opening, error), error.hint)
  openings.set(error, opening)
  retell(error, before)
  return Object.assign(error, { op, region, ...(offset === undefined ? {} : { offset }) })
}

/** Adds a sentence to an error's message and hint. Any other value stays as it is. */
export function addHint(error: unknown, sentence: string): void {
  if (!(error instanceof MemlayerError) || !Object.isExtensible(error)) return
  const { message, hint } = error
  const more = hint === undefined || hint === '' ? sentence : `${hint} ${sentence}`
  error.message = withHint(withoutHint(error), more)
  retell(error, message)
  Object.defineProperty(error, 'hint', ownValue(more, true))
}

/** V8 has written the message of an error into its stack already. */
function retell(error: MemlayerError, before: string): void {
  try {
    if (typeof error.stack === 'string') error.stack = error.stack.replace(before, () => error.message)
  } catch {
    // A program's Error.prepareStackTrace makes the stack, and can throw.
  }
}

/** The text of an error with a new opening. Go's words stay in front. */
function opened(text: string, opening: string, error: MemlayerError): string {
  const { op, address, size } = error
  const known = openings.get(error)
  if (known !== undefined) return text.replace(known, () => opening)
  const range = address === undefined ? '' : `(${formatAddress(address)}, ${size})`
  if (text.startsWith(`${op}${range}: `)) {
    const at = address === undefined ? '' : ` at ${formatAddress(address)}`
    return `${opening}${at}${text.slice(`${op}${range}`.length)}`
  }
  return text.startsWith(`${op}: `) ? `${opening}${text.slice(`${op}`.length)}` : `${text}, in ${opening}`
}

function withoutHint({ message, hint }: MemlayerError): string {
  return hint === undefined || hint === '' ? message : message.slice(0, -(hint.length + 2))
}

function withAnswer(message: string, { syscall, address, size, errno, errnoName }: ErrorDetails): string {
  if (syscall === undefined) return message
  const range = [address === undefined ? undefined : formatAddress(address), size].filter((x) => x !== undefined)
  const answer = errno === undefined ? '' : ` answered ${errnoName ?? 'errno'} (${errno})`
  return `${message}: ${syscall}(${range.join(', ')})${answer}`
}

function withHint(message: string, hint: string | undefined): string {
  return hint === undefined || hint === '' ? message : `${message}. ${hint}`
}
