// The three errors. UsageError: the caller's fault, nothing has happened. OutOfMemoryError:
// the host refused, nothing has changed. FatalError: the layer can't vouch for the range any
// more, where Go would throw or exit; its message opens with Go's words.
import type { Address } from '@memlayer/kernel'

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

/** What all three errors share. Catch it to catch whatever the layer throws. */
export abstract class MemlayerError extends Error {
  /** Stable: compare this, not the message. */
  readonly code: ErrorCode
  /** The layer's operation: `'sysMap'`. */
  readonly op: string | undefined
  /** The kernel call: `'mmap'`. */
  readonly syscall: string | undefined
  /** The kernel's error number. */
  readonly errno: number | undefined
  /** The error number's name: `'ENOMEM'`. */
  readonly errnoName: string | undefined
  /** Where the range starts. */
  readonly address: Address | undefined
  /** The range's bytes. */
  readonly size: number | undefined
  /** What a person can do about it. */
  readonly hint: string | undefined

  constructor(code: ErrorCode, message: string, details: ErrorDetails) {
    super(withHint(message, details.hint), details.cause === undefined ? undefined : { cause: details.cause })
    this.name = new.target.name
    this.code = code
    this.op = details.op
    this.syscall = details.syscall
    this.errno = details.errno
    this.errnoName = details.errnoName
    this.address = details.address
    this.size = details.size
    this.hint = details.hint
  }
}

/** Refused: the host has no memory or address space to give. Nothing has changed; free some and try again. */
export class OutOfMemoryError extends MemlayerError {
  constructor(message: string, details: ErrorDetails = {}) {
    super('ERR_MEMLAYER_OUT_OF_MEMORY', message, details)
  }
}

/** Misused: the call was wrong, and was stopped before any effect. `code` says in which way. */
export class UsageError extends MemlayerError {
  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(code, message, details)
  }
}

/** Broken: where Go throws or exits. The message opens with Go's words; the account is as before the call. */
export class FatalError extends MemlayerError {
  constructor(message: string, details: ErrorDetails & { readonly code?: ErrorCode } = {}) {
    super(details.code ?? 'ERR_MEMLAYER_FATAL', withAnswer(message, details), details)
  }
}

function withAnswer(message: string, { syscall, address, size, errno, errnoName }: ErrorDetails): string {
  if (syscall === undefined) return message
  const range = [address === undefined ? undefined : formatAddress(address), size].filter((x) => x !== undefined).join(', ')
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

/** Bytes as people say them: `64 KiB`, `1.5 GiB`, `100 bytes`. */
export function formatBytes(n: number): string {
  let value = n
  let unit = 0
  while (Math.abs(value) >= 1024 && unit < units.length - 1) {
    value /= 1024
    unit += 1
  }
  return `${Number.isInteger(value) ? value : value.toFixed(1)} ${units[unit] ?? ''}`
}
