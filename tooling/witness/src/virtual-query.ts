// Reads the Windows kernel's own account with VirtualQuery. Tests compare the layer's account with it. koffi makes the
// call. The first call loads koffi, because other systems don't need it.
import { createRequire } from 'node:module'

/** The states of a page, as in the field State of MEMORY_BASIC_INFORMATION (winnt.h). */
export type PageState = 'COMMIT' | 'RESERVE' | 'FREE'

const states: Readonly<Record<number, PageState>> = { 0x1000: 'COMMIT', 0x2000: 'RESERVE', 0x10000: 'FREE' }

/** Neighbouring pages of one reservation in one state. */
export interface PageRange {
  readonly start: number
  readonly end: number
  readonly state: PageState
  /** The start of their reservation, or 0 for free pages. */
  readonly base: number
  /** The protection of committed pages (PAGE_READWRITE is 4), or 0. */
  readonly protect: number
}

type VirtualQuery = (addr: number, buffer: Uint8Array, length: number) => number

// The size is that of MEMORY_BASIC_INFORMATION in a 64-bit process.
const information = new DataView(new ArrayBuffer(48))
let virtualQuery: VirtualQuery | undefined

/** Returns the range of equal pages that starts at the page of `v`. */
export function pageRange(v: number): PageRange {
  virtualQuery ??= load()
  const answer = virtualQuery(v, new Uint8Array(information.buffer), information.byteLength)
  if (answer === 0)
    throw new Error(`VirtualQuery failed for the address 0x${v.toString(16)}: use an address of user space`)
  const start = Number(information.getBigUint64(0, true))
  const state = states[information.getUint32(32, true)]
  if (state === undefined) throw new Error(`VirtualQuery returned the unknown state ${information.getUint32(32, true)}`)
  return {
    start,
    end: start + Number(information.getBigUint64(24, true)),
    state,
    base: state === 'FREE' ? 0 : Number(information.getBigUint64(8, true)),
    protect: state === 'COMMIT' ? information.getUint32(36, true) : 0,
  }
}

/** Returns the ranges of equal pages in [v, v+n), cut to it. */
export function pageRangesIn(v: number, n: number): PageRange[] {
  const found: PageRange[] = []
  for (let at = v; at < v + n;) {
    const range = pageRange(at)
    const end = Math.min(range.end, v + n)
    found.push({ ...range, start: at, end })
    at = end
  }
  return found
}

/** Returns how many bytes of [v, v+n) are in a state. */
export function bytesInState(state: PageState, v: number, n: number): number {
  return pageRangesIn(v, n)
    .filter((range) => range.state === state)
    .reduce((sum, { start, end }) => sum + end - start, 0)
}

function load(): VirtualQuery {
  const koffi = createRequire(import.meta.url)(`@koromix/koffi-${process.platform}-${process.arch}`) as {
    load(name: string): { func(name: string, result: string, params: string[]): VirtualQuery }
  }
  return koffi.load('kernel32.dll').func('VirtualQuery', 'size_t', ['uintptr_t', 'void *', 'size_t'])
}
