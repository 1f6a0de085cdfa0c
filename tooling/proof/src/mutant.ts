// A backend that is wrong on purpose. It is a backend of the repository with one edit in its dist/mem.js, and the
// suite proves itself on it. The lists of mutants use this.

/** One wrong backend. */
export interface Mutant {
  /** What it gets wrong, in words. */
  readonly wrong: string
  /** The backend that it is made from, by the name of its subject. */
  readonly subject: string
  /** The text in dist/mem.js that is replaced. A text occurs once there. */
  readonly find: string | RegExp
  /** What takes its place. */
  readonly put: string
  /** A second edit, where one alone would not be a program. */
  readonly and?: readonly [find: string, put: string]
  /** The case that has to fail. */
  readonly caughtBy: string
}
