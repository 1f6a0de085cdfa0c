// VirtualQuery: the Windows kernel's own account, against which the layer's is held. By koffi,
// which is loaded at the first question: elsewhere nobody asks.
import { createRequire } from 'node:module'

/** The states of a page, by MEMORY_BASIC_INFORMATION's State: winnt.h. */
export type PageState = 'COMMIT' | 'RESERVE' | 'FREE'

const states: Readonly<Record<number, PageState>> = { 0x1000: 'COMMIT', 0x2000: 'RESERVE', 0x10000: 'FREE' }

/** Neighbouring pages of one reservation in one state. */
export interface PageRange {
  readonly start: number
  readonly end: number
  readonly state: PageState
  /** Where their reservation begins; 0: they are free. */
  readonly base: number
  /** PAGE_READWRITE is 4; 0: they are not committed. */
  readonly protect: number
}

type VirtualQuery = (addr: number, buffer: Uint8Array, length: number) => number

// MEMORY_BASIC_INFORMATION of a 64-bit process.
const information = new DataView(new ArrayBuffer(48))
let virtualQuery: VirtualQuery | undefined

/** The pages from the one at `v` on that are alike. */
export function pageRange(v: number): PageRange {
  virtualQuery ??= load()
  const answer = virtualQuery(v, new Uint8Array(information.buffer), information.byteLength)
  if (answer === 0) throw new Error(`VirtualQuery knows nothing of 0x${v.toString(16)}`)
  const start = Number(information.getBigUint64(0, true))
  const state = states[information.getUint32(32, true)]
  if (state === undefined) throw new Error(`VirtualQuery answered the state ${information.getUint32(32, true)}`)
  return {
    start,
    end: start + Number(information.getBigUint64(24, true)),
    state,
    base: state === 'FREE' ? 0 : Number(information.getBigUint64(8, true)),
    protect: state === 'COMMIT' ? information.getUint32(36, true) : 0,
  }
}

/** All of [v, v+n), cut to it. */
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

/** The bytes of [v, v+n) in a state. */
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
