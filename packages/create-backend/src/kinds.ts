// The kinds of system that a backend may be for: what each has below it, and which packages that takes.

/** What stands below the backend. */
export type Kind = 'posix-like' | 'reserve-commit' | 'break' | 'custom'

/** What the generator knows of a kind. */
export interface KindFacts {
  /** A line for whoever has to choose. */
  readonly says: string
  /** The folder under template/. */
  readonly folder: string
  /** What the backend needs at run time, beside core and kernel. */
  readonly dependencies: readonly string[]
  /** What its tests need, beside the suite. */
  readonly devDependencies: readonly string[]
}

/** The kinds, the likeliest first. */
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
