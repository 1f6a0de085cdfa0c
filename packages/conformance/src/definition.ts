// The parts of a case and the ways in which it can end. The files in cases/ use them.
import type { Stage, StageOptions } from './stage.js'
import type { KernelOptions, Subject } from './subject.js'

/** How a case ended, unless it failed. */
export type Verdict =
  | { readonly status: 'pass' }
  /** The backend's traits say that it lacks the feature, and the case confirmed that. */
  | { readonly status: 'absent'; readonly trait: string }
  /** The case can't run here. */
  | { readonly status: 'not run'; readonly why: string }

/** The means that a definition has. */
export interface World {
  readonly subject: Subject
  readonly seed: number
  /** Plays `scene` on a new stage and clears the stage. */
  play<T>(scene: (stage: Stage) => T, options?: StageOptions): T
  /** The means over other kernels: `kernel` makes them. */
  over(kernel: (options: KernelOptions) => object): World
}

/** A case before it is bound. It passes when `show` returns no verdict. */
export interface Definition {
  readonly id: string
  readonly title: string
  show(world: World): Verdict | void
}

/** Why a subject skips a case; undefined: it does not. */
export function skipReason({ skip }: Subject, id: string): string | undefined {
  return skip?.[id] ?? skip?.[id.slice(0, id.indexOf('/'))]
}

/** For a definition: the backend lacks the trait, and the case confirmed that. */
export function absent(trait: string): Verdict {
  return { status: 'absent', trait }
}

/** For a definition: the case can't run here. */
export function notRun(why: string): Verdict {
  return { status: 'not run', why }
}
