// What a case is made of, and how it may end: the vocabulary of the files in cases/.
import type { Stage, StageOptions } from './stage.js'
import type { Subject } from './subject.js'

/** How a case ended that did not fail. */
export type Verdict =
  | { readonly status: 'pass' }
  /** The backend's traits say that it has no such thing, and so it was found. */
  | { readonly status: 'absent'; readonly trait: string }
  /** It can't be shown here. */
  | { readonly status: 'not run'; readonly why: string }

/** What a definition works with. */
export interface World {
  readonly subject: Subject
  readonly seed: number
  /** Plays `scene` on a fresh stage, and clears it. */
  play<T>(scene: (stage: Stage) => T, options?: StageOptions): T
}

/** A case before it is bound. Returning nothing is to pass. */
export interface Definition {
  readonly id: string
  readonly title: string
  show(world: World): Verdict | void
}

/** For a definition: the trait is not there, and that was shown. */
export function absent(trait: string): Verdict {
  return { status: 'absent', trait }
}

/** For a definition: it can't be shown here. */
export function notRun(why: string): Verdict {
  return { status: 'not run', why }
}
