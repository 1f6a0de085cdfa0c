// The interface behind "#os" in the manifest: where a build gets its backends. A pinned build has one backend. A build
// for Node, Bun or Deno has the installed ones. resolve.ts calls it.
import type { OS } from '@memlayer/core'

/** The export of every backend's package. */
export interface Backend {
  /** Makes the memory of its operating system. Each backend has its own options. */
  createOS(options?: object): OS
}

/** A backend, or the error that loading it threw. */
export type Loaded = { readonly backend: Backend } | { readonly error: unknown }

/** Where backends come from. */
export interface Source {
  /**
   * `pin`: an export condition pins a backend. `only`: this host can run only one. `unnamed`: no condition named the
   * host, so the build has only one. `auto`: resolve.ts chooses one.
   */
  readonly kind: 'pin' | 'only' | 'unnamed' | 'auto'
  /** Its only package; `null`: all installed ones. */
  readonly only: string | null
  /** Loads a backend by its package's name. No backend is loaded before this call. */
  load(name: string): Loaded
  /** Whether the resolver finds the package; `null`: it does not say. Absent: nobody asks. */
  isInstalled?(name: string): boolean | null
  /** Whether a bundle has the code that loads them. Absent: no. */
  readonly isBundled?: boolean
}
