// The errors of a simulated kernel. A call of a port always answers with a number. These errors are for cases
// without a number: a touch that would kill a real process, a request beyond what a simulation can show, and a
// wrong option.
import type { Address } from '@memlayer/kernel'

/** The codes of the errors. They are stable: compare them, and not the messages. */
export type SimulationErrorCode =
  | 'ERR_MEMLAYER_SIM_OPTION'
  | 'ERR_MEMLAYER_SIM_FAULT'
  | 'ERR_MEMLAYER_SIM_KILLED'
  | 'ERR_MEMLAYER_SIM_LIMIT'
  | 'ERR_MEMLAYER_SIM_UNSUPPORTED'
  | 'ERR_MEMLAYER_SIM_VIEW'

/**
 * A problem that a simulated kernel can't answer with an error number. Its `code` ends in one of these words:
 *
 * - OPTION: an option is wrong.
 * - FAULT: a page can't be touched, see {@link PageFault}.
 * - KILLED: the kernel would have killed the process for lack of memory.
 * - LIMIT: the simulation has no more room.
 * - UNSUPPORTED: no simulated kernel makes this call.
 * - VIEW: views disagree, or the bytes of a view were lost.
 */
export class SimulationError extends Error {
  /** Stable: compare this, not the message. */
  readonly code: SimulationErrorCode
  /** What a person can do about it. */
  readonly hint: string

  constructor(code: SimulationErrorCode, message: string, hint: string, cause?: unknown) {
    super(`${message}. ${hint}`, cause === undefined ? undefined : { cause })
    this.name = new.target.name
    this.code = code
    this.hint = hint
  }
}

/** How memory is touched. */
export type Access = 'read' | 'write'

/** A touch of a page that can't be touched. A real process would die of SIGSEGV, or of an access violation. */
export class PageFault extends SimulationError {
  /** The first page of the range that can't be touched. */
  readonly address: Address
  /** The access that was tried. */
  readonly access: Access
  /** What the page is: `'not mapped'`, `'---'`, `'r--'`, `'reserved'`. */
  readonly page: string

  constructor(address: Address, access: Access, page: string) {
    const verb = access === 'read' ? 'read' : 'written'
    super(
      'ERR_MEMLAYER_SIM_FAULT',
      `the page at 0x${address.toString(16)} is ${page} and was ${verb}`,
      'Make the page accessible before you touch it. A real kernel would have killed the process here.',
    )
    this.address = address
    this.access = access
    this.page = page
  }
}
