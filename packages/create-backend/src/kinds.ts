// The kinds of systems that a backend can be for: the calls of each, and the packages that it needs.

/** The kind of system below the backend. */
export type Kind = 'posix-like' | 'reserve-commit' | 'break' | 'custom'

/** The facts about a kind. */
export interface KindFacts {
  /** A line that helps the user to choose. */
  readonly says: string
  /** The folder under template/. */
  readonly folder: string
  /** The packages that the backend needs at run time, besides core and kernel. */
  readonly dependencies: readonly string[]
  /** The packages that its tests need, besides the suite. */
  readonly devDependencies: readonly string[]
}

/** The kinds, the most likely first. */
export const kinds: Readonly<Record<Kind, KindFacts>> = {
  'posix-like': {
    says: 'mmap, munmap, mprotect, madvise',
    folder: 'posix',
    dependencies: ['@memlayer/ffi'],
    devDependencies: ['@memlayer/simkernel'],
  },
  'reserve-commit': {
    says: 'address space is reserved and committed apart, as on Windows',
    folder: 'reserve-commit',
    dependencies: ['@memlayer/ffi'],
    devDependencies: ['@memlayer/simkernel'],
  },
  break: {
    says: 'one segment whose end moves, as on Plan 9',
    folder: 'break',
    dependencies: ['@memlayer/ffi'],
    devDependencies: ['@memlayer/simkernel'],
  },
  custom: {
    says: 'calls of its own: you write the port',
    folder: 'custom',
    dependencies: [],
    devDependencies: [],
  },
}

/** Whether a word is a kind. */
export function isKind(word: string): word is Kind {
  return Object.hasOwn(kinds, word)
}
