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
  /** For each of them, whether core said that all of it can be touched. */
  readonly mapped: boolean[] = []

  constructor(options: KeepingOSOptions = {}) {
    super(options)
    this.quarantine = options.quarantine ?? { space: Infinity, writable: Infinity }
  }

  sysRetireOS(v: Address, n: number, isMapped: boolean): boolean {
    this.mapped.push(isMapped)
    if (!this.retires) {
      this.refusal = { hint: 'Wait.' }
      return false
    }
    this.become(v, n, 'Ready')
    this.emptied.push(`${v.toString(16)}+${n}`)
    return true
  }

  // Retired pages may trap already.
  override sysFaultOS(v: Address, n: number): void {
    this.become(v, n, 'Ready')
    super.sysFaultOS(v, n)
  }

  /** The states of the pages of [v, v+n), joined. */
  states(v: Address, n: number): string {
    const { pageSize } = this.traits
    const found = new Set<string>()
    for (let at = v; at < v + n; at += pageSize) found.add(this.pages.get(at / pageSize)?.state ?? 'None')
    return [...found].join(' ')
  }

  /** Makes owned pages of any state what `state` says. */
  protected become(v: Address, n: number, state: 'Reserved' | 'Ready'): void {
    const { pageSize } = this.traits
    for (let at = v; at < v + n; at += pageSize) {
      const page = this.pages.get(at / pageSize)
      if (page === undefined || page.state === 'Foreign') throw new Error(`core does not own 0x${at.toString(16)}`)
      page.state = state
    }
  }
}

/** A KeepingOS that charges what is committed: unused pages trap, so pages that JavaScript has seen stay committed. */
export class CommittingOS extends KeepingOS {
  readonly usedKeepsReady = true

  constructor(options: KeepingOSOptions = {}) {
    super({ ...options, traits: { unusedTraps: true, ...options.traits } })
  }

  // Reserved and Prepared are one to it, and pages that linger are committed in both.
  override sysMapOS(v: Address, n: number): void {
    this.calls.push(`sysMapOS(0x${v.toString(16)}, ${n})`)
  }

  override sysUsedOS(v: Address, n: number): void {
    this.become(v, n, 'Ready')
  }

  override sysUnusedOS(v: Address, n: number): void {
    super.sysUnusedOS(v, n)
    if (this.refusal === null) this.become(v, n, 'Reserved')
  }

  /** Bytes that are committed. */
  get committed(): number {
    return [...this.pages.values()].filter(({ state }) => state === 'Ready').length * this.traits.pageSize
  }
}
