// The faults that the suite does not catch, each with the reason why the kernel and users see no difference. A survivor
// without a reason fails the run.
import { nameOf, type Fault } from './fault.js'

/** Reasons by backend (null: all of them) and name of the fault. */
const reasons: readonly (readonly [backend: RegExp | null, name: RegExp, reason: string])[] = [
  [
    /^(plan9|plan9, memDebug|template break)$/,
    /(cuts the (length|size) to 32 bits|refuses 4 GiB and more)$/,
    'a break gives memory with the addresses, and 4 GiB of it are not asked for',
  ],
  [
    /^(plan9|plan9, memDebug|template break)$/,
    /^sysFreeOS hides a refusal$/,
    'what is freed goes on a list, and nothing is refused',
  ],
  [
    /^darwin$/,
    /^sysUsedOS (does nothing|works only once)$/,
    'MADV_FREE_REUSE only moves pages into the footprint, which no witness tells: the pages are usable without it',
  ],
  [/^aix$/, /^sysUnusedOS (does nothing|works only once|does what sysUsedOS does)$/, 'madvise of AIX has no function'],
  [
    /^windows$/,
    /^sysRetireOS cuts the length to 32 bits$/,
    'core asks for no more than the quarantine has room for in writable memory, at most 256 MiB',
  ],
  [
    /^(js|js, discarding|template custom)$/,
    /^view shows the length that an address had first$/,
    'a view is all of the memory, whichever range it is asked for',
  ],
  [
    /^template reserve-commit$/,
    /^sysUsedOS hides the refusal of what lies beyond 1 MiB$/,
    'it tries halves of a refused piece, down to a page, and the suite refuses one call at a time',
  ],
  [null, /^traits (denies|claims) threadsShare$/, 'only a second thread could tell, and a case runs in one'],
]

/** Why no kernel and no user could tell this fault; null: a case is missing. */
export function reasonOf(backend: string, fault: Fault): string | null {
  const found = reasons.find(([of, name]) => (of === null || of.test(backend)) && name.test(nameOf(fault)))
  return found?.[2] ?? null
}
