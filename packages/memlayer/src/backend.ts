// What stands behind "#os" in the manifest: where the backends of a build come from. A build that is
// pinned has one; one for Node, Bun or Deno has those that are installed. resolve.ts asks it.
import type { OS } from '@memlayer/core'

/** What every backend's package exports. */
export interface Backend {
  /** Its operating system's memory; the options are the backend's own. */
  createOS(options?: object): OS
}

/** A backend, or what loading it threw. */
export type Loaded = { readonly backend: Backend } | { readonly error: unknown }

/** Where backends come from. */
export interface Source {
  /** Why this source serves: an export condition pins a backend, or the host leaves no choice, or a choice is to be made. */
  readonly kind: 'pin' | 'only' | 'auto'
  /** The one package that it has; `null`: as many as are installed. */
  readonly only: string | null
  /** Loads a backend by its package's name. Nothing is loaded before. */
  load(name: string): Loaded
}
