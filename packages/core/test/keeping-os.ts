// A PageOS that keeps freed addresses: it has sysRetireOS.
import type { Address, Quarantine } from '@memlayer/core'
import { PageOS, type PageOSOptions } from './page-os.js'

export interface KeepingOSOptions extends PageOSOptions {
  /** Bytes that may be retired, and that may be touched of these. Default: all. */
  readonly quarantine?: Quarantine
}

export class KeepingOS extends PageOS {
  readonly quarantine: Quarantine
  /** Whether sysRetireOS can. */
  retires = true
  /** The ranges that were retired and not obtained again: those of which the memory is given back. */
  readonly emptied: string[] = []

  constructor(options: KeepingOSOptions = {}) {
    super(options)
    this.quarantine = options.quarantine ?? { space: Infinity, writable: Infinity }
  }

  sysRetireOS(v: Address, n: number): boolean {
    if (!this.retires) return false
    this.#set(v, n, 'Ready')
    this.emptied.push(`${v.toString(16)}+${n}`)
    return true
  }

  // Retired pages may trap already.
  override sysFaultOS(v: Address, n: number): void {
    this.#set(v, n, 'Ready')
    super.sysFaultOS(v, n)
  }

  /** The states of the pages of [v, v+n), joined. */
  states(v: Address, n: number): string {
    const { pageSize } = this.traits
    const found = new Set<string>()
    for (let at = v; at < v + n; at += pageSize) found.add(this.pages.get(at / pageSize)?.state ?? 'None')
    return [...found].join(' ')
  }

  #set(v: Address, n: number, state: 'Ready'): void {
    const { pageSize } = this.traits
    for (let at = v; at < v + n; at += pageSize) {
      const page = this.pages.get(at / pageSize)
      if (page === undefined || page.state === 'Foreign') throw new Error(`core does not own 0x${at.toString(16)}`)
      page.state = state
    }
  }
}
