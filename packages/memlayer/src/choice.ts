// Which backend serves, and why. resolve.ts makes the choice; people read it at memory.choice.

/** A backend that was tried and not taken. */
export interface Attempt {
  /** Its package; the platform, where no backend is known for it. */
  readonly backend: string
  /** Why it was not taken. */
  readonly reason: string
  /** What to do about it. */
  readonly hint: string
}

/** The backend that was chosen, and why. */
export interface Choice {
  /** Its package: `'@memlayer/os-linux'`. */
  readonly backend: string
  /**
   * `'pin'`: an export condition, `memlayer-os-linux` say, named it. `'asked'`: the environment variable
   * MEMLAYER_OS did. `'host'`: it is the one for this host. `'fallback'`: this host's own can't be had.
   */
  readonly how: 'pin' | 'asked' | 'host' | 'fallback'
  /** A sentence: what named it, or why this host's own can't be had, and what to do about that. */
  readonly reason: string
  /** What was tried before it; absent: nothing. */
  readonly tried?: readonly Attempt[]
}

/** The backend that everything has. */
export const JS = '@memlayer/os-js'

/** The name under which somebody else's backend is installed, to be pinned. Whoever does that knows the host. */
export const CUSTOM = '@memlayer/os-custom'

/** The backends that can be asked for. */
export const backends: readonly string[] = ['aix', 'bsd', 'darwin', 'js', 'linux', 'plan9', 'windows']

/** The package of a backend. */
export function packageOf(backend: string): string {
  return `@memlayer/os-${backend}`
}

/** The backend for a host, by its process.platform; `null`: there is none. */
export function backendFor(platform: string): string | null {
  switch (platform) {
    case 'aix':
      return packageOf('aix')
    // os-bsd tells them apart by itself.
    case 'freebsd':
    case 'dragonfly':
    case 'netbsd':
    case 'openbsd':
    case 'sunos':
      return packageOf('bsd')
    case 'darwin':
      return packageOf('darwin')
    case 'linux':
    case 'android':
      return packageOf('linux')
    case 'win32':
      return packageOf('windows')
    default:
      return null
  }
}

/**
 * Whether a backend may run on a host. Another system's numbers mean something else to this one's kernel: AIX's
 * MAP_ANONYMOUS is Linux's MAP_FIXED, which unmaps what was there.
 */
export function mayServe(backend: string, platform: string): boolean {
  // Plan 9's is an allocator over a segment of its own, on any Unix.
  return backend === JS || backend === CUSTOM || backend === packageOf('plan9') || backend === backendFor(platform)
}
