// The three errors. UsageError: the caller's fault, nothing has happened. OutOfMemoryError:
// the host refused, nothing has changed. FatalError: the layer can't vouch for the range any
// more, where Go would throw or exit; its message opens with Go's words.
import type { Address } from '@memlayer/kernel'

const registry = Symbol.for('@memlayer/core')

/** Stable codes: they are API, messages are for people. */
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
  | 'ERR_MEMLAYER_BACKEND'

/** What an error knows besides its message; what is not known is left out. */
export interface ErrorDetails {
  /** The layer's operation: `'sysMap'`. */
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
  /** What a person can do about it. */
  readonly hint?: string
  /** The error behind this one. */
  readonly cause?: unknown
}

/** What all three errors share. Catch it to catch whatever the layer throws. What is not known is left out. */
export abstract class MemlayerError extends Error {
  /** Stable: compare this, not the message. */
  readonly code: ErrorCode
  /** The layer's operation: `'sysMap'`. */
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
  /** What a person can do about it. */
  declare readonly hint: string | undefined

  constructor(code: ErrorCode, message: string, details: ErrorDetails) {
    super(withHint(message, details.hint), details.cause === undefined ? undefined : { cause: details.cause })
    this.code = code
    for (const key of ['op', 'syscall', 'errno', 'errnoName', 'address', 'size', 'hint'] as const) {
      const value = details[key]
      if (value === undefined) continue
      Object.defineProperty(this, key, { value, enumerable: true, configurable: true, writable: true })
    }
  }
}

/** What the copies of this package know of each other. */
export interface Copies {
  readonly places: Error[]
  /** Whether it was said that there are several. */
  told: boolean
}

// Names are spelled out: a minifier renames classes, and the name is what a log shows.

/** Refused: the host has no memory or address space to give. Nothing has changed; free some and try again. */
export class OutOfMemoryError extends MemlayerError {
  /** What a log shows. */
  override readonly name: string = 'OutOfMemoryError'

  constructor(message: string, details: ErrorDetails = {}) {
    super('ERR_MEMLAYER_OUT_OF_MEMORY', message, details)
  }
}

/** Misused: the call was wrong, and was stopped before any effect. `code` says in which way. */
export class UsageError extends MemlayerError {
  /** What a log shows. */
  override readonly name: string = 'UsageError'

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(code, message, details)
  }
}

/** Broken: where Go throws or exits. The message opens with Go's words; the account is as before the call. */
export class FatalError extends MemlayerError {
  /** What a log shows. */
  override readonly name: string = 'FatalError'

  constructor(message: string, details: ErrorDetails & { readonly code?: ErrorCode } = {}) {
    super(details.code ?? 'ERR_MEMLAYER_FATAL', withAnswer(message, details), details)
  }
}

/**
 * The copies of this package in the process: where each was loaded. Here, because a backend that has a copy of
 * its own needs no more of it than its errors.
 */
export const copies: Copies = ((globalThis as { [registry]?: Copies })[registry] ??= { places: [], told: false })
copies.places.push(new Error('a copy of @memlayer/core was loaded here'))

function withAnswer(message: string, { syscall, address, size, errno, errnoName }: ErrorDetails): string {
  if (syscall === undefined) return message
  const range = [address === undefined ? undefined : formatAddress(address), size]
    .filter((x) => x !== undefined)
    .join(', ')
  const answer = errno === undefined ? '' : ` answered ${errnoName ?? 'errno'} (${errno})`
  return `${message}: ${syscall}(${range})${answer}`
}

function withHint(message: string, hint: string | undefined): string {
  return hint === undefined || hint === '' ? message : `${message}. ${hint}`
}

/** An address as people write it: `0x7f0000001000`. */
export function formatAddress(v: number): string {
  return `0x${v.toString(16)}`
}

const units = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'] as const

/** Bytes as people say them: `64 KiB`, `1.5 GiB`, `100 bytes`, `1 byte`. */
export function formatBytes(n: number): string {
  if (Math.abs(n) === 1) return `${n} byte`
  let value = n
  let unit = 0
  // 1023.95 would be shown as 1024.0.
  while (Math.abs(value) >= (unit === 0 ? 1024 : 1023.95) && Number.isFinite(value) && unit < units.length - 1) {
    value /= 1024
    unit += 1
  }
  return `${Number.isInteger(value) || unit === 0 ? value : value.toFixed(1)} ${units[unit] ?? ''}`
}
