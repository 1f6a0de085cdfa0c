// Retired ranges apart from a memory, over pages: a test obtains ranges, lets JavaScript see them, and retires them.
import type { Address } from '@memlayer/core'
import { expect } from 'vitest'
import { Retired } from '../src/retired/retired.js'
import { KeepingOS, type KeepingOSOptions } from './keeping-os.js'

export const page = 4096

export interface Scene {
  readonly os: KeepingOS
  readonly retired: Retired
  /** Obtains `pages` pages, lets JavaScript see them, and retires them. */
  readonly retire: (pages: number) => Address
}

export function scene(options: KeepingOSOptions = {}): Scene {
  const os = new KeepingOS(options)
  const retired = new Retired(os)
  const retire = (pages: number): Address => {
    const v = os.sysAllocOS(pages * page) as Address
    retired.see(v, 1)
    expect(retired.retire(v, pages * page, true)).toBe(true)
    retired.add(v, pages * page)
    return v
  }
  return { os, retired, retire }
}
