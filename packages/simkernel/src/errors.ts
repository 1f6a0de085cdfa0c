// The errors of a simulated kernel. A port's call answers with a number, always; these are
// for what has no number: a touch that would kill a real process, a simulation that is asked
// more than it can show, an option that is wrong.
import type { Address } from '@memlayer/kernel'

/** Stable codes: they are API, messages are for people. */
export type SimulationErrorCode =
  | 'ERR_MEMLAYER_SIM_OPTION'
  | 'ERR_MEMLAYER_SIM_FAULT'
  | 'ERR_MEMLAYER_SIM_KILLED'
  | 'ERR_MEMLAYER_SIM_LIMIT'
  | 'ERR_MEMLAYER_SIM_UNSUPPORTED'
  | 'ERR_MEMLAYER_SIM_VIEW'

/**
 * What a simulated kernel can't answer with an error number. By `code`: an option that is wrong
 * (OPTION), a process that the kernel would have killed for want of memory (KILLED), a simulation
 * that has no more room (LIMIT), a call that no simulated kernel makes (UNSUPPORTED), views that
 * disagree or whose bytes were lost (VIEW).
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

/** A touch of a page that can't be touched: where a real process dies of SIGSEGV, or of an access violation. */
export class PageFault extends SimulationError {
  /** The first page of the range that can't be touched. */
  readonly address: Address
  /** What was tried. */
  readonly access: Access
  /** What the page is: `'not mapped'`, `'---'`, `'r--'`, `'reserved'`. */
  readonly page: string

  constructor(address: Address, access: Access, page: string) {
    const verb = access === 'read' ? 'read' : 'written'
    super(
      'ERR_MEMLAYER_SIM_FAULT',
      `the page at 0x${address.toString(16)} is ${page} and was ${verb}`,
      'On a real kernel the process would have died here.',
    )
    this.address = address
    this.access = access
    this.page = page
  }
}
