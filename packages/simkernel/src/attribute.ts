// Attributes of a mapping besides its protection, as bits. Linux shows each as two letters in the VmFlags of
// /proc/self/smaps.

export const NO_RESERVE: number = 1 << 0
/** The mapping counts as committed. */
export const ACCOUNTED: number = 1 << 1
export const HUGE_PAGES: number = 1 << 2
export const NO_HUGE_PAGES: number = 1 << 3
export const LOCKED: number = 1 << 4
export const NOT_FORKED: number = 1 << 5
export const NOT_DUMPED: number = 1 << 6
export const WIPED_ON_FORK: number = 1 << 7
export const SEQUENTIAL: number = 1 << 8
export const RANDOM_ORDER: number = 1 << 9
export const MERGEABLE: number = 1 << 10

const letters: readonly (readonly [bit: number, letters: string])[] = [
  [LOCKED, 'lo'],
  [SEQUENTIAL, 'sr'],
  [RANDOM_ORDER, 'rr'],
  [NOT_FORKED, 'dc'],
  [ACCOUNTED, 'ac'],
  [NO_RESERVE, 'nr'],
  [WIPED_ON_FORK, 'wf'],
  [NOT_DUMPED, 'dd'],
  [HUGE_PAGES, 'hg'],
  [NO_HUGE_PAGES, 'nh'],
  [MERGEABLE, 'mg'],
]

/** Attributes as Linux abbreviates them: `['ac', 'hg']`. */
export function attributeLetters(attributes: number): string[] {
  return letters.filter(([bit]) => (attributes & bit) !== 0).map(([, two]) => two)
}

/** Protection as /proc/self/maps shows it, without the letter for sharing: `'rw-'`. */
export function protText(prot: number): string {
  return `${prot & 1 ? 'r' : '-'}${prot & 2 ? 'w' : '-'}${prot & 4 ? 'x' : '-'}`
}
